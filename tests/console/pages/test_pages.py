"""What each page says, on a busy morning and on the first day, and what its buttons do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from console.context import Answer
from lockstep import errors, settings, work
from lockstep.store import findings, healings, scans
from lockstep.store.database import Database
from lockstep.store.views import drift as views
from lockstep.values import ObjectKey, Verdict
from tests.support import bank, jobs, pages
from tests.support.pages import House

EVERY = (
    *("/", "/runs", "/deliveries", "/findings", "/declared", "/mirrors", "/jobs", "/sign-in"),
    *("/applications/pay", "/applications/ledger", "/applications/notice"),
)
FILLED = ("/runs/pay-deliver-m3v8q", "/runs/ledger-deliver-9fh4z/yaml", "/deliveries/1", "/deliveries/3")


def text_of(house: House, page: str) -> str:
    """A page as text, its tags left out."""
    answer = house.signed_in().get(page, follow_redirects=True)
    assert answer.status_code == 200, page
    return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).split())


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("page", [*EVERY, *FILLED])
def test_every_page_is_shown_in_every_language(house: House, page: str, language: str) -> None:
    """Nothing fails, whatever the language, and the page says which it is."""
    answer = house.signed_in().get(f"{page}?lang={language}", follow_redirects=True)
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.get_data(as_text=True)


@pytest.mark.parametrize("page", EVERY)
def test_every_page_is_shown_on_the_first_day(empty_house: House, page: str) -> None:
    """An empty store is no error."""
    assert text_of(empty_house, page)


def test_the_fleet_says_what_each_pair_is_worth(house: House) -> None:
    """Verdicts, and stale evidence as stale, whatever it said; sums over everything."""
    seen = text_of(house, "/")
    assert "Primary hot fix" in seen
    assert "Stale was In sync" in seen
    assert "2 / 4 in step" in seen
    assert "Held 12m 00s behind" in seen
    assert "Not equal" in seen


def test_what_was_never_compared_is_not_in_step(empty_house: House) -> None:
    """Unknown is never equal."""
    seen = text_of(empty_house, "/")
    assert "0 / 4 in step" in seen
    assert seen.count("Never compared") == 4


def test_an_application_shows_four_sides(house: House) -> None:
    """Git and site, for the primary and for the standby, with what is absent said."""
    seen = text_of(house, "/applications/pay")
    assert "git for seoul seoul git for sejong sejong" in seen
    assert "container api: env TIMEOUT" in seen
    assert "30s 90s 30s 30s" in seen
    assert "absent" in seen


def test_what_could_not_be_seen_is_unknown_on_every_page(file_database: Database) -> None:
    """A fresh comparison that could not read a site is counted as unknown, and nothing is said to be absent there."""
    why = "everything at sejong: The directory /sites/sejong is not there."
    gap = {"what": "everything at sejong", "why": "The directory /sites/sejong is not there."}
    with file_database.write() as connection:
        for application, pair in (("pay", "seoul-sejong"), ("pay", "seoul-daegu"), ("ledger", "seoul-sejong")):
            bank.scan(connection, application, pair)
        coverage = {"sites": {"seoul": {"objects": 3, "gaps": []}, "sejong": {"objects": 0, "gaps": [gap]}}}
        bank.scan(connection, "notice", "seoul-sejong", verdict="Unknown", problem=why, coverage=coverage)
        bank.finding(
            connection,
            "gap",
            application="notice",
            verdict="Unknown",
            kind="*",
            name="*",
            namespace="*",
            path="",
            people_path="everything at sejong",
            values={},
            cause={"note": why, "rules": []},
        )
    house = pages.house(file_database)
    assert "1 unknown: not seen whole, stale or never compared" in text_of(house, "/")
    application = text_of(house, "/applications/notice")
    assert "Whatever could not be read" in application
    assert why in application
    assert "absent" not in application
    assert "*/*" not in text_of(house, "/findings")


def test_no_findings_and_no_proof_is_not_called_equal(house: House) -> None:
    """A pair whose evidence is stale has no recorded difference, and is not said to have none."""
    assert "Nothing differs." in text_of(house, "/applications/ledger")
    assert "does not prove that there is none" in text_of(house, "/applications/notice")


def test_images_show_how_far_a_site_is_behind_beside_the_rpo(house: House) -> None:
    """What the newest push took where all is there, and the age of the oldest that is not there; in both languages."""
    assert "lag 4m 00s · RPO 1d" in text_of(house, "/mirrors")
    assert "6m 00s behind · RPO 30d" in text_of(house, "/mirrors")
    assert "지연 4분 00초 · RPO 1일" in text_of(house, "/mirrors?lang=ko")


def test_repositories_show_how_far_a_site_is_behind_beside_the_rpo(house: House) -> None:
    """As images do: what the newest push took, the age of what is held, and what may be lost."""
    page = text_of(house, "/mirrors").partition("Git repositories")[2].partition("Images")[0]
    assert "lag 1m 30s · RPO 1d" in page
    assert "12m 00s behind · RPO 30d" in page
    assert "지연 1분 30초 · RPO 1일" in text_of(house, "/mirrors?lang=ko")


def test_what_is_under_way_shows_how_far_it_is(house: House, empty_house: House) -> None:
    """A bar for each transfer, with bytes and objects, in both languages; nothing where nothing moves."""
    page = text_of(house, "/mirrors")
    assert "bank/notice daegu Sending 4,200 of 12,000 objects · 80.0 MiB" in page
    assert "notice/api its sites Images 768.0 MiB of 1.0 GiB" in page
    assert "1.0 GiB 중 768.0 MiB" in text_of(house, "/mirrors?lang=ko")
    bars = house.signed_in().get("/mirrors").get_data(as_text=True)
    assert '<progress max="12000" value="4200"' in bars
    assert "Under way" not in text_of(empty_house, "/mirrors")


def test_a_run_shows_what_an_approval_is_bound_to(house: House) -> None:
    """Commit and digests in full, who may answer, and the form."""
    page = house.signed_in().get("/runs/pay-deliver-m3v8q").get_data(as_text=True)
    assert bank.COMMIT in page
    assert bank.DIGEST in page
    assert "dr-manager, kim" in page
    assert 'name="by" required' in page
    assert 'value="kim"' in page


def decide(house: House, **form: str) -> Any:
    """Answer the bank's open question."""
    client = house.signed_in()
    page = "/runs/pay-deliver-m3v8q"
    data = {"csrf_token": pages.csrf(client, page), "by": "kim", "decision": "approve", **form}
    return client.post(f"{page}/approvals/1", data=data, follow_redirects=True)


@pytest.mark.parametrize(("decision", "said"), [("approve", "Approved."), ("reject", "Rejected.")])
def test_an_answer_is_handed_on_with_its_name_and_comment(house: House, decision: str, said: str) -> None:
    """Who, what and why; the page says that it was done."""
    page = decide(house, decision=decision, comment=" as agreed ").get_data(as_text=True)
    assert house.acted.answers == [Answer(approval=1, by="kim", approve=decision == "approve", comment="as agreed")]
    assert said in page


@pytest.mark.parametrize("form", [{"by": "  "}, {"decision": "perhaps"}, {"decision": ""}])
def test_an_answer_without_a_name_or_a_decision_is_refused(house: House, form: dict[str, str]) -> None:
    """Nobody approves anonymously, and nothing is guessed."""
    assert decide(house, **form).status_code == 400
    assert house.acted.answers == []


def test_an_answer_belongs_to_the_run_that_asks(house: House) -> None:
    """The question of one run cannot be answered under the name of another, nor one that is nowhere."""
    client = house.signed_in()
    data = {"csrf_token": pages.csrf(client, "/"), "by": "kim", "decision": "approve"}
    for form in ("/runs/pay-deliver-x7k2p/approvals/1", "/runs/pay-deliver-m3v8q/approvals/99"):
        assert client.post(form, data=data).status_code == 404
    assert house.acted.answers == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ConflictError("The run was superseded.", remedy="Approve the newer one."), 409),
        (errors.ForbiddenError("lee may not approve this.", remedy="Ask dr-manager."), 403),
        (errors.HeldError("The pair is in a drill."), 409),
        (errors.NotFoundError("There is no such approval."), 404),
        (errors.UnreachableError("The disk is 100% full %s %(x)s.", remedy="Make room."), 503),
    ],
)
def test_a_refused_answer_says_why_and_what_to_do(house: House, error: errors.LockstepError, status: int) -> None:
    """Errors of the house become a page with their own words, and a status that fits."""
    house.acted.refusal = error
    answer = decide(house)
    assert answer.status_code == status
    assert error.message in answer.get_data(as_text=True)
    assert error.remedy in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("form", "data", "call"),
    [
        ("/runs/pay-deliver-m3v8q/cancel", {}, ("cancel", "pay-deliver-m3v8q", "kim")),
        ("/runs/pay-deliver-x7k2p/rerun", {}, ("rerun", "pay-deliver-x7k2p", "kim")),
        ("/applications/pay/redeploy", {"site": "sejong"}, ("redeploy", "pay", "sejong", "kim")),
        ("/findings/2/heal", {}, ("heal", "2", "kim")),
    ],
)
def test_a_button_asks_for_one_thing(house: House, form: str, data: dict[str, str], call: tuple[str, ...]) -> None:
    """Stop, run again and deploy again are each one call, with the name of who asked."""
    client = house.signed_in()
    answer = client.post(form, data={"csrf_token": pages.csrf(client, "/"), **data})
    assert answer.status_code == 303
    assert house.acted.calls == [call]


def test_deploying_to_a_site_that_is_not_the_applications_is_refused(house: House) -> None:
    """The site comes from a form, so it is checked."""
    client = house.signed_in()
    data = {"csrf_token": pages.csrf(client, "/"), "site": "daegu"}
    assert client.post("/applications/ledger/redeploy", data=data).status_code == 400
    assert house.acted.calls == []


def test_comparing_now_queues_one_urgent_scan(house: House) -> None:
    """The page asks the engine, and compares nothing itself."""
    client = house.signed_in()
    client.post("/applications/pay/compare", data={"csrf_token": pages.csrf(client, "/")})
    assert house.asked() == [work.scan("pay", urgent=True)]


def test_a_replayed_delivery_is_worked_on_again(house: House) -> None:
    """The row is armed and the job is queued."""
    client = house.signed_in()
    answer = client.post(
        "/deliveries/2/replay", data={"csrf_token": pages.csrf(client, "/deliveries/2")}, follow_redirects=True
    )
    assert "Received" in answer.get_data(as_text=True)
    assert house.asked() == [work.process_delivery(2)]


def test_a_job_in_trouble_runs_again_when_a_person_says_so(house: House) -> None:
    """Its message says what to do; the button lets it run."""
    client = house.signed_in()
    assert "Check the line." in text_of(house, "/jobs")
    client.post("/jobs/3/requeue", data={"csrf_token": pages.csrf(client, "/jobs")})
    assert jobs.states(house.context.database)[3] == "queued"
    for number, status in ((4, 400), (99, 404)):
        answer = client.post(f"/jobs/{number}/requeue", data={"csrf_token": pages.csrf(client, "/")})
        assert answer.status_code == status


def test_what_was_not_kept_of_a_delivery_is_said(house: House) -> None:
    """The signature's value was never stored; the body is shown in lines, with its letters."""
    seen = text_of(house, "/deliveries/1")
    assert "x-hub-signature-256 not kept" in seen
    assert "김" in seen
    assert "git.fetch bank/pay" in seen


def test_a_log_is_given_piece_by_piece(house: House) -> None:
    """From its end at first, then what came after the last piece; as text for who has no script."""
    client = house.signed_in()
    with house.context.database.write() as connection:
        number = bank.run(connection, "logged")
        task = bank.task(connection, number, "build")
        bank.log(connection, task, "compile", [f"line {index}" for index in range(600)])
    address = f"/runs/logged/tasks/{task}/log"
    first = client.get(address).json
    assert first is not None
    assert (len(first["pieces"]), first["pieces"][-1]["text"], first["ended"]) == (500, "line 599\n", True)
    after = client.get(f"{address}?after={first['pieces'][-3]['id']}").json
    assert after is not None
    assert [piece["text"] for piece in after["pieces"]] == ["line 598\n", "line 599\n"]
    assert client.get(f"{address}?as=text").get_data(as_text=True).splitlines() == [f"line {n}" for n in range(600)]


def test_a_log_belongs_to_its_run(house: House) -> None:
    """A task of another run is not found under this one."""
    assert house.signed_in().get("/runs/pay-deliver-m3v8q/tasks/1/log").status_code == 404


def test_lists_have_pages_without_gap_or_overlap(file_database: Database) -> None:
    """Older pages are reached by links that keep the filters."""
    with file_database.write() as connection:
        for index in range(7):
            bank.run(connection, f"run-{index}")
        bank.run(connection, "other", application="ledger")
    client = pages.house(file_database, serving=settings.Serving(rows=3)).signed_in()
    address, seen = "/runs?application=pay", []
    while address:
        page = client.get(address).get_data(as_text=True)
        seen += re.findall(r'<th scope="row"><a href="/runs/([^"]+)"', page)
        older = re.search(r'<a href="([^"]+)" rel="next"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"run-{index}" for index in reversed(range(7))]


@pytest.mark.parametrize(
    "query",
    [
        "before=x",
        "before=-1",
        f"before={'9' * 40}",
        "state=no",
        "verdict=no",
        "application=%00",
        "lang=xx",
        "endpoint=x",
        "_external=1&_scheme=javascript",
        "filename=x",
        "theme=x",
    ],
)
@pytest.mark.parametrize("page", ["/runs", "/deliveries", "/findings", "/mirrors"])
def test_odd_queries_are_no_error(house: House, page: str, query: str) -> None:
    """What nobody understands is left out, and no link of the page is led astray by it."""
    answer = house.signed_in().get(f"{page}?{query}")
    assert answer.status_code == 200
    assert re.findall(r'href="(?!/|#)[^"]*"', answer.get_data(as_text=True)) == []


@pytest.mark.parametrize(
    "page",
    [
        "/nothing",
        "/runs/nobody",
        "/applications/nobody",
        "/deliveries/999",
        f"/deliveries/{'9' * 30}",
        "/runs/nobody/yaml",
    ],
)
def test_what_is_not_there_is_said_in_the_house_style(house: House, page: str) -> None:
    """A page of ours, in the reader's language, with a way back and no trace."""
    answer = house.signed_in().get(f"{page}?lang=ko")
    assert answer.status_code == 404
    assert "여기에는 아무것도 없습니다" in answer.get_data(as_text=True)


def test_other_errors_have_the_house_style_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong method keeps its Allow header; a mistake of ours shows nothing of itself."""
    client = house.signed_in()
    answer = client.put("/runs")
    assert (answer.status_code, "GET" in answer.headers["Allow"]) == (405, True)
    monkeypatch.setattr(house.context.queue, "counts", lambda: 1 / 0)
    answer = client.get("/jobs")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.get_data(as_text=True)
    assert "This is a mistake in Lockstep" in answer.get_data(as_text=True)


def test_a_bad_edit_of_the_configuration_is_said_on_every_page(file_database: Database) -> None:
    """The last good configuration stays in force, and everybody sees that it is not the newest."""
    problem = errors.Problem(file="sites.yaml", line=7, field="spec.git", message="is wrong.", remedy="Mend it.")
    seen = text_of(pages.house(file_database, problems=[problem]), "/runs")
    assert "The configuration on disk has 1 problem" in seen
    assert "sites.yaml:7: spec.git: is wrong. Mend it." in seen


def test_the_language_is_remembered_and_guessed(house: House) -> None:
    """A choice wins over what the browser prefers, and stays."""
    client = house.client()
    assert "<h1>로그인</h1>" in client.get("/sign-in", headers={"Accept-Language": "ko,en;q=0.5"}).get_data(
        as_text=True
    )
    assert "<h1>Sign in</h1>" in client.get("/sign-in").get_data(as_text=True)
    client.get("/sign-in?lang=ko")
    assert "<h1>로그인</h1>" in client.get("/sign-in", headers={"Accept-Language": "en"}).get_data(as_text=True)


def test_the_theme_is_remembered(house: House) -> None:
    """Dark stays dark until it is changed; without a choice the system decides."""
    client = house.client()
    assert "data-theme" not in client.get("/sign-in").get_data(as_text=True)
    client.get("/sign-in?theme=dark")
    assert 'data-theme="dark"' in client.get("/sign-in").get_data(as_text=True)


def test_what_is_not_well_is_said_beside_the_verdict(house: House) -> None:
    """With the object, the site and the reason, in the reader's language; files are said to know nothing of it."""
    client = house.signed_in()
    english = client.get("/applications/pay").get_data(as_text=True)
    assert "Pod api-6d4f-x2v9k: cannot start api: CrashLoopBackOff" in english
    assert "One tag, several images" in english
    assert "Deployment/proxy" in english
    assert "8 of 9 well" in english
    assert "Not known from files" in english
    assert "Degraded" in client.get("/").get_data(as_text=True)
    korean = client.get("/applications/pay?lang=ko", follow_redirects=True).get_data(as_text=True)
    assert "api 시작 불가: CrashLoopBackOff" in korean


def test_the_page_of_findings_shows_what_was_healed_and_what_is_stopped(house: House) -> None:
    """With its run and who asked; a button where a deploy to the standby heals it, and nowhere else."""
    with house.context.database.write() as connection:
        healings.record(
            connection,
            healings.Healing(
                application="pay",
                pair="seoul-sejong",
                site="sejong",
                revision=bank.COMMIT,
                run="heal-pay-x",
                objects=("ConfigMap pay/limits",),
                automatic=True,
                by="lockstep",
                reason="by itself",
                at=bank.NOW,
            ),
        )
        stop = healings.Stop(pair="seoul-sejong", application="", by="kim", reason="INC-204", at=bank.NOW)
        healings.stop(connection, stop)
    text = house.signed_in().get("/findings").get_data(as_text=True)
    for shown in ("ConfigMap pay/limits", "heal-pay-x", "INC-204", "Healing is stopped", "/heal", "findings patch"):
        assert shown in text


def test_what_an_overlay_declares_is_accepted_on_its_page(house: House) -> None:
    """One by one, with a reason and the name of the session; drift is not accepted there."""
    with house.context.database.write() as connection:
        scan = views.scans_of(connection, "pay")[0]
        seen = findings.Seen(
            key=ObjectKey(group="", kind="ConfigMap", namespace="pay", name="banner"),
            verdict=Verdict.DECLARED,
            site="sejong",
            path="/data/text",
            people_path="data.text",
            values={"primary": "Seoul", "standby": "<b>DR</b>"},
            cause={"by": "Kim", "kind": "commit 0123456789ab"},
            declared="hmac:1",
        )
        comparison = scans.Scan(
            **{name: getattr(scan, name) for name in scans.Scan.__slots__ if name not in ("explained", "verdict")},
            verdict=Verdict(scan.verdict),
        )
        findings.record(connection, comparison, [seen], hidden=lambda _key, _site: True)
        number = views.declared(connection)[0].id
    client = house.signed_in()
    text = client.get("/declared").get_data(as_text=True)
    for shown in ("data.text", "&lt;b&gt;DR&lt;/b&gt;", "commit 0123456789ab", f"/declared/{number}/accept"):
        assert shown in text
    token = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert token is not None
    said = {"csrf_token": token[1], "note": "for people"}
    assert client.post(f"/declared/{number}/accept", data={**said, "note": " "}).status_code == 400
    assert client.post(f"/declared/{number}/accept", data=said).status_code == 303
    after = client.get("/declared?application=pay").get_data(as_text=True)
    assert "for people" in after
    assert "/accept" not in after
