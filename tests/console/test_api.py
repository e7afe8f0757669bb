"""The API: the same facts for programs, with the token as the bearer."""

from __future__ import annotations

from typing import Any

import pytest

from console.context import Answer
from lockstep import errors, settings, work
from lockstep.store.database import Database
from tests.support import bank, pages
from tests.support.pages import House

ROUTES = ("deliveries", "deliveries/1", "runs", "runs/pay-deliver-m3v8q", "findings", "fleet")
RUN = "/api/v1/runs/pay-deliver-m3v8q"


def get(house: House, path: str) -> Any:
    """What the API answers."""
    answer = house.client().get(f"/api/v1/{path}", headers=pages.bearer())
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {pages.TOKEN}"}, {"Authorization": ""}]
)
def test_only_the_token_opens_the_api(house: House, route: str, headers: dict[str, str]) -> None:
    """Neither nothing, nor another token, nor a session of the pages."""
    for client in (house.client(), house.signed_in()):
        answer = client.get(f"/api/v1/{route}", headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.is_json


def test_deliveries_are_listed_and_shown_whole(house: House) -> None:
    """The list without bodies, one with its redacted headers and its body as text."""
    listed = get(house, "deliveries?state=done")["items"]
    assert [one["id"] for one in listed] == [1]
    shown = get(house, "deliveries/1")
    assert shown["events"][0]["repository"] == "bank/pay"
    assert shown["headers"]["x-hub-signature-256"] == "(not kept)"
    assert "김" in shown["body"]
    assert "body" not in listed[0]


def test_lists_are_pages(house: House) -> None:
    """``next`` is what ``before`` takes; the last page has none."""
    first = get(house, "deliveries?limit=3")
    second = get(house, f"deliveries?limit=3&before={first['next']}")
    assert [one["id"] for one in first["items"] + second["items"]] == [4, 3, 2, 1]
    assert second["next"] == ""


def test_a_delivery_is_replayed(house: House) -> None:
    """Accepted, and one job is queued."""
    answer = house.client().post("/api/v1/deliveries/3/replay", headers=pages.bearer())
    assert (answer.status_code, answer.json) == (202, {"delivery": 3, "status": "rearmed"})
    assert house.asked() == [work.process_delivery(3)]


def test_a_run_is_shown_with_tasks_steps_and_questions(house: House) -> None:
    """Everything that its page shows, in camelCase."""
    shown = get(house, "runs/pay-deliver-m3v8q")
    assert (shown["progress"], shown["waiting"], shown["revision"]) == ("waiting", 1, bank.COMMIT)
    assert [task["name"] for task in shown["tasks"]] == list(bank.STAGES[:6])
    assert shown["tasks"][0]["steps"][0]["exitCode"] == 0
    assert shown["approvals"][0]["bound"]["commit"] == bank.COMMIT


def test_logs_go_on_where_they_were_read_to(house: House) -> None:
    """``after`` is the id of the last piece."""
    task = get(house, "runs/pay-deliver-m3v8q")["tasks"][0]["id"]
    pieces = get(house, f"runs/pay-deliver-m3v8q/logs?task={task}")["pieces"]
    assert pieces[1]["text"] == "커밋을 확인했습니다 6113728f27\n"
    rest = get(house, f"runs/pay-deliver-m3v8q/logs?task={task}&after={pieces[1]['id']}")
    assert [piece["text"] for piece in rest["pieces"]] == ["done\n"]
    assert house.client().get(f"{RUN}/logs", headers=pages.bearer()).status_code == 400


@pytest.mark.parametrize(("decision", "status"), [("approve", "approved"), ("reject", "rejected")])
def test_a_run_is_approved_by_name(house: House, decision: str, status: str) -> None:
    """The open question of the run is answered."""
    body = {"by": "kim", "comment": "as agreed"}
    answer = house.client().post(f"{RUN}/{decision}", json=body, headers=pages.bearer())
    assert answer.json == {"run": "pay-deliver-m3v8q", "status": status}
    assert house.acted.answers == [Answer(approval=1, by="kim", approve=decision == "approve", comment="as agreed")]


@pytest.mark.parametrize("body", ["", "{}", '{"by": " "}', '{"by": 7}', "[]", "{"])
def test_nobody_approves_without_a_name(house: House, body: str) -> None:
    """Without ``by``, or with what is no object, nothing is decided."""
    answer = house.client().post(f"{RUN}/approve", data=body, headers=pages.bearer())
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]
    assert house.acted.answers == []


def test_a_run_that_asks_nothing_cannot_be_approved(house: House) -> None:
    """There is nothing to answer: a conflict, with what to do."""
    address = "/api/v1/runs/pay-deliver-x7k2p/approve"
    answer = house.client().post(address, json={"by": "kim"}, headers=pages.bearer())
    assert (answer.status_code, answer.json) == (
        409,
        {"error": "The run 'pay-deliver-x7k2p' asks nothing.", "remedy": "Look at how it stands."},
    )


@pytest.mark.parametrize(
    ("action", "call"),
    [("cancel", ("cancel", "pay-deliver-m3v8q", "kim")), ("rerun", ("rerun", "pay-deliver-m3v8q", "kim"))],
)
def test_a_run_is_stopped_and_started_again(house: House, action: str, call: tuple[str, ...]) -> None:
    """One call each, with who asked."""
    answer = house.client().post(f"{RUN}/{action}", json={"by": "kim"}, headers=pages.bearer())
    assert answer.status_code == 202
    assert house.acted.calls == [call]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.UnreachableError("The database is gone.", remedy="Start it."), 503),
        (errors.ForbiddenError("Not you."), 403),
        (errors.IntegrityError("Bytes are wrong."), 500),
    ],
)
def test_errors_are_json_with_what_to_do(house: House, error: errors.LockstepError, status: int) -> None:
    """Each error of the house has its status, its words and its remedy."""
    house.acted.refusal = error
    answer = house.client().post(f"{RUN}/cancel", headers=pages.bearer())
    assert (answer.status_code, answer.json) == (status, {"error": error.message, "remedy": error.remedy})


def test_findings_are_narrowed_like_their_page(house: House) -> None:
    """By verdict, by kind, by state."""
    found = get(house, "findings?verdict=PrimaryHotfix")["items"]
    assert [one["values"]["primary"] for one in found] == ["90s"]
    assert get(house, "findings?kind=ConfigMap&state=resolved")["items"] == []


def test_the_fleet_never_calls_stale_evidence_a_verdict(house: House) -> None:
    """What is stale is Unknown, with the last verdict beside it."""
    fleet = get(house, "fleet")
    notice = next(one for one in fleet["items"] if one["application"] == "notice")
    assert (notice["verdict"], notice["stale"], notice["lastVerdict"]) == ("Unknown", True, "InSync")
    daegu = next(one for one in fleet["items"] if one["standby"] == "daegu")
    assert (daegu["git"], daegu["gitLagSeconds"], daegu["stance"]) == ("held", 720.0, "drill")
    assert (fleet["total"], fleet["inStep"], fleet["unknown"]) == (4, 2, 1)


def test_a_page_has_an_upper_bound(file_database: Database) -> None:
    """Nobody gets everything at once by asking for it."""
    with file_database.write() as connection:
        for index in range(510):
            bank.finding(connection, str(index))
    house = pages.house(file_database, serving=settings.Serving())
    assert len(get(house, "findings?limit=100000")["items"]) == 500
    assert len(get(house, "findings")["items"]) == 50
