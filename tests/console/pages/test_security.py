"""Who may see and do what, and what a page lets a browser do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from lockstep import settings
from lockstep.store.database import Database
from tests.support import bank, pages
from tests.support import hooks as posting
from tests.support.pages import TOKEN, House

PAGES = (
    *("/", "/runs", "/deliveries", "/findings", "/declared", "/mirrors", "/jobs"),
    *("/applications/pay", "/runs/pay-deliver-m3v8q"),
)
FORMS = (
    "/sign-out",
    "/deliveries/1/replay",
    "/jobs/3/requeue",
    "/runs/pay-deliver-m3v8q/approvals/1",
    "/runs/pay-deliver-m3v8q/cancel",
    "/runs/pay-deliver-m3v8q/rerun",
    "/applications/pay/compare",
    "/applications/pay/redeploy",
    "/findings/1/heal",
    "/declared/1/accept",
)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_a_session(house: House, page: str) -> None:
    """Who is not signed in is sent to the sign-in, and from there to the page; a live page is told."""
    client = house.client()
    answer = client.get(page)
    assert answer.status_code == 302
    assert answer.location == f"/sign-in?next={page}"
    assert client.get(page, headers={"X-Lockstep-Live": "1"}).status_code == 401
    assert client.get(page, headers=pages.bearer()).status_code == 302


def test_every_form_of_the_application_is_listed_here(house: House) -> None:
    """A new form must stand in the tests below; the sign-in and the hooks are tested elsewhere."""
    rules = [rule for rule in house.app.url_map.iter_rules() if "POST" in (rule.methods or set())]
    others = [rule.rule for rule in rules if not rule.rule.startswith(("/api/", "/hooks/", "/sign-in"))]
    shapes = {re.sub(r"<[^>]*>", "[^/]+", rule) for rule in others}
    assert all(any(re.fullmatch(shape, form) for form in FORMS) for shape in shapes)
    assert len(shapes) == len(FORMS)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_without_its_csrf_token_does_nothing(house: House, form: str) -> None:
    """A post that our page did not make is refused, also with a session, and with another session's token."""
    client = house.signed_in()
    foreign = pages.csrf(house.client(), "/sign-in")
    for token in ({}, {"csrf_token": ""}, {"csrf_token": foreign}):
        answer = client.post(form, data={"decision": "approve", "by": "mallory", "site": "sejong", **token})
        assert answer.status_code == 400
    assert (house.acted.answers, house.acted.calls, house.asked()) == ([], [], [])


@pytest.mark.parametrize("form", FORMS)
def test_a_form_needs_a_session(house: House, form: str) -> None:
    """A CSRF token alone, which anybody gets with the sign-in, is not enough."""
    client = house.client()
    data = {"csrf_token": pages.csrf(client, "/sign-in"), "decision": "approve", "by": "mallory", "site": "sejong"}
    assert client.post(form, data=data).status_code == 401
    assert (house.acted.answers, house.acted.calls, house.asked()) == ([], [], [])


def test_the_token_signs_in_and_signing_out_ends_it(house: House) -> None:
    """The cookie is for us alone: no script reads it, no other site sends it."""
    client = house.client()
    form = {"token": TOKEN, "name": "kim", "csrf_token": pages.csrf(client, "/sign-in"), "next": "/runs?state=waiting"}
    answer = client.post("/sign-in", data=form)
    assert (answer.status_code, answer.location) == (303, "/runs?state=waiting")
    cookie = next(value for name, value in answer.headers if name == "Set-Cookie")
    assert {"HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    assert client.get("/").status_code == 200
    assert client.get("/sign-in").status_code == 302
    client.post("/sign-out", data={"csrf_token": pages.csrf(client, "/")})
    assert client.get("/").status_code == 302


def test_a_wrong_token_is_refused_and_many_have_to_wait(house: House) -> None:
    """After ten failures in a minute not even the right token is looked at."""
    client = house.client()
    form = {"token": "wrong", "csrf_token": pages.csrf(client, "/sign-in")}
    statuses = [client.post("/sign-in", data=form).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    answer = client.post("/sign-in", data={**form, "token": TOKEN})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "61")
    house.clock.seconds += 61
    assert client.post("/sign-in", data={**form, "token": TOKEN}).status_code == 303


def test_what_was_typed_as_a_token_is_never_shown(house: House) -> None:
    """A page that refuses a token does not repeat it."""
    client = house.client()
    form = {"token": "almost the token", "name": "<b>kim", "csrf_token": pages.csrf(client, "/sign-in")}
    page = client.post("/sign-in", data=form).get_data(as_text=True)
    assert "almost the token" not in page
    assert "&lt;b&gt;kim" in page


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "", "/\n/x"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(house: House, address: str) -> None:
    """Only an address of ours is followed."""
    client = house.client()
    form = {"token": TOKEN, "csrf_token": pages.csrf(client, "/sign-in"), "next": address}
    assert client.post("/sign-in", data=form).location == "/"


def test_a_session_ends_with_its_token(file_database: Database, house: House) -> None:
    """A new token, with the same key of sessions, makes every session void."""
    client = house.signed_in()
    cookie = client.get_cookie(house.app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    other = pages.house(file_database, token="another token that is long enough")
    stranger = other.client()
    stranger.set_cookie(other.app.config["SESSION_COOKIE_NAME"], cookie.value)
    assert stranger.get("/").status_code == 302


def test_a_session_ends_twelve_hours_after_the_sign_in(house: House) -> None:
    """A page that stays open and refreshes itself does not keep it alive."""
    client = house.signed_in()
    house.clock.at += timedelta(hours=11, minutes=59)
    assert client.get("/").status_code == 200
    house.clock.at += timedelta(minutes=2)
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("page", [*PAGES, "/sign-in", "/nothing", "/healthz", "/api/v1/runs"])
def test_every_answer_forbids_what_it_does_not_need(house: House, page: str) -> None:
    """Scripts and styles from here only, no framing, no guessing of types, nothing kept in caches."""
    headers = house.signed_in().get(page).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("page", [*PAGES, "/runs/pay-deliver-m3v8q/yaml", "/deliveries/1", "/sign-in"])
def test_no_page_needs_what_the_policy_forbids(house: House, page: str) -> None:
    """No script, style or handler stands in a page, and nothing is loaded from another host."""
    text = house.signed_in().get(page).get_data(as_text=True)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?! src)", text)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text)


def test_cookies_are_for_https_only_where_people_come_by_https(file_database: Database) -> None:
    """Behind a proxy with https the browser sends them by nothing else, and stays with https."""
    house = pages.house(file_database, serving=settings.Serving(https=True))
    answer = house.client().get("/sign-in?lang=ko", base_url="https://lockstep.example")
    cookies = [value for name, value in answer.headers if name == "Set-Cookie"]
    assert len(cookies) == 2
    assert all("Secure" in cookie.split("; ") for cookie in cookies)
    assert "Strict-Transport-Security" in answer.headers


@pytest.mark.parametrize("page", ["/", "/sign-in", "/metrics", "/readyz", "/hooks/forge", "/api/v1/fleet", "/nothing"])
def test_a_request_under_a_strangers_name_is_refused(file_database: Database, page: str) -> None:
    """A page that has its own name point at us reads nothing, not even what asks for no session."""
    house = pages.house(file_database, serving=settings.Serving(names=("localhost", "lockstep.example")))
    for method in ("GET", "POST"):
        answer = house.client().open(page, method=method, base_url="http://evil.example")
        assert answer.status_code == 400
        assert "does not go by that name" in answer.get_data(as_text=True)
    assert house.client().get("/healthz", base_url="http://lockstep.example:8484").status_code == 200
    assert house.client().get("/healthz", base_url="http://10.0.0.7").status_code == 200


def test_who_guesses_the_bearer_has_to_wait_and_who_has_it_never(house: House) -> None:
    """Ten wrong ones in a minute, then 429; a program behind the same proxy goes on. Every guess leaves a line."""
    client = house.client()
    wrong = {"Authorization": "Bearer almost the token"}
    answers = [client.get("/api/v1/runs", headers=wrong) for _ in range(11)]
    assert [one.status_code for one in answers] == [401] * 10 + [429]
    assert answers[-1].headers["Retry-After"] == "61"
    assert client.get("/api/v1/runs").status_code == 401
    assert client.get("/api/v1/runs", headers=pages.bearer()).status_code == 200


def test_a_wrong_token_is_written_to_the_log_with_its_address_alone(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reads the log sees that somebody guesses, and never what was typed."""
    client = house.client()
    client.post("/sign-in", data={"token": "almost the token", "csrf_token": pages.csrf(client, "/sign-in")})
    assert [record.getMessage() for record in caplog.records if "token" in record.getMessage()] == [
        "A wrong token came from 127.0.0.1."
    ]


def test_hooks_and_probes_need_nobody(house: House) -> None:
    """Machines that have no session: the receiver judges for itself, the probes tell nothing."""
    client = house.client()
    assert client.post("/hooks/forge", data=b"{}", headers={"Content-Type": "application/json"}).status_code == 401
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_the_size_of_forms_does_not_bind_the_hooks(house: House) -> None:
    """A delivery may be as large as its hook allows, a form may not."""
    body = b'{"x": "' + b"x" * 600_000 + b'"}'
    answer = house.client().post("/hooks/forge", data=body, headers=posting.github(body))
    assert answer.status_code == 202
    assert house.client().post("/sign-in", data={"token": "x" * 600_000}).status_code == 413


def test_a_hostile_name_stays_text(file_database: Database) -> None:
    """What strangers wrote into names, messages and logs is shown and never obeyed."""
    evil = '"><script>alert(1)</script>'
    with file_database.write() as connection:
        number = bank.run(connection, "evil", message=evil, cause={"by": evil}, results=[{"name": evil}])
        bank.task(connection, number, evil, message=evil)
        bank.finding(connection, evil, name=evil, path=evil, values={"primary": evil}, note=evil)
    client = pages.house(file_database).signed_in()
    for page in ("/runs", "/runs/evil", "/findings", "/applications/pay", f"/findings?kind={evil}&before=9&x={evil}"):
        text = client.get(page).get_data(as_text=True)
        assert "<script>alert" not in text
        assert page.startswith("/findings?") or "alert(1)" in text
