"""What a sender is answered over HTTP, and what is stored before he is."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
import sqlalchemy
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockstep.store import deliveries, hooks
from lockstep.store.database import Database
from lockstep.store.deliveries import Filter, State, Summary
from tests.support import hooks as posting
from tests.support import jobs, serving, signing
from tests.support.serving import Answer
from webhooks import receiver

REFUSED = {"error": "refused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A receiver that is being served."""

    port: int
    context: receiver.Context

    @property
    def database(self) -> Database:
        """Its database."""
        return self.context.database

    def post(self, hook: str, headers: dict[str, str], body: bytes = posting.PUSH) -> Answer:
        """Post to a hook."""
        return serving.post(self.port, f"/hooks/{hook}", body, headers)

    def stored(self) -> list[Summary]:
        """The deliveries, the newest first."""
        with self.database.read() as connection:
            return deliveries.page(connection, Filter())

    def count(self, hook: str) -> hooks.Count | None:
        """What is known of a hook."""
        self.context.tally.flush()
        with self.database.read() as connection:
            return hooks.everything(connection).get(hook)


@pytest.fixture
def house(file_database: Database) -> Iterator[House]:
    """A receiver on the loopback."""
    context = posting.context(file_database)
    with serving.served(posting.app(context)) as port:
        yield House(port=port, context=context)
    context.tally.close()


def test_a_signed_push_is_stored_with_its_job_and_answered_202(house: House) -> None:
    """The body is stored byte for byte, the job names the row, the answer gives its number."""
    answer = house.post("forge", posting.github(delivery="72d3162e"))
    (stored,) = house.stored()
    assert (answer.status, answer.json) == (202, {"status": "accepted", "delivery": stored.id})
    assert (stored.hook, stored.provider, stored.delivery, stored.event) == ("forge", "github", "72d3162e", "push")
    assert jobs.asked(house.database) == [("delivery", {"delivery": stored.id})]
    with house.database.read() as connection:
        whole = deliveries.get(connection, stored.id)
    assert (whole.body, whole.summary.state) == (posting.PUSH, State.RECEIVED)


def test_no_credential_is_stored(house: House) -> None:
    """The signature, cookies and authorisation of a post leave only their names behind."""
    secret = {"Cookie": "session=1", "Authorization": "Basic eDp5", "X-Other": "t0p"}
    house.post("forge", {**posting.github(), **secret})
    with house.database.read() as connection:
        kept = deliveries.get(connection, house.stored()[0].id).headers
    hidden = {name for name, value in kept.items() if value == "(not kept)"}
    assert {"x-hub-signature-256", "cookie", "authorization", "x-other"} <= hidden
    assert kept["x-github-event"] == "push"


def test_a_post_that_comes_again_is_stored_once(house: House) -> None:
    """GitHub keeps the id when it delivers again: 200, the same number, no second job."""
    headers = posting.github(delivery="again")
    first, second = house.post("forge", headers), house.post("forge", headers)
    assert (second.status, second.json) == (200, {"status": "duplicate", "delivery": first.json["delivery"]})
    assert [stored.duplicates for stored in house.stored()] == [1]
    assert len(jobs.asked(house.database)) == 1


def test_a_failed_delivery_that_comes_again_is_worked_on_again(house: House) -> None:
    """The sender's own way to replay works for what had failed."""
    headers = posting.github(delivery="again")
    number = house.post("forge", headers).json["delivery"]
    at = datetime(2026, 11, 22, tzinfo=UTC)
    with house.database.write() as connection:
        deliveries.finish(connection, number, state=State.FAILED, reason="broken", events=[], at=at)
    answer = house.post("forge", headers)
    assert (answer.status, answer.json) == (200, {"status": "rearmed", "delivery": number})
    assert [stored.state for stored in house.stored()] == [State.RECEIVED]
    assert len(jobs.asked(house.database)) == 2


def test_a_ping_is_answered_and_not_stored(house: House) -> None:
    """GitHub asks whether anybody is there when a hook is made."""
    answer = house.post("forge", posting.github(event="ping"))
    assert (answer.status, answer.json, house.stored()) == (200, {"status": "pong"}, [])
    count = house.count("forge")
    assert count is not None
    assert count.accepted == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_post_is_allowed(house: House, method: str) -> None:
    """Gitea can send GET with the payload in the query; that is not how anything comes in here."""
    assert serving.request(house.port, method, "/hooks/forge?payload=%7B%7D").status == 405


def test_a_hook_that_does_not_exist_is_answered_like_a_wrong_signature(house: House) -> None:
    """The text is the same and nothing is counted: names that strangers make up fill no table."""
    unknown = house.post("nobody", posting.github())
    wrong = house.post("forge", posting.github(secret="wrong"))
    assert (unknown.status, wrong.status) == (404, 401)
    assert unknown.json == wrong.json == REFUSED
    assert house.count("nobody") is None


def test_who_is_not_believed_is_counted_and_not_stored(house: House) -> None:
    """A wrong signature, none, an old secret: 401, the reason beside the hook, no row."""
    unsigned = posting.without(posting.github(), "X-Hub-Signature-256")
    answers = [
        house.post("forge", posting.github(secret="wrong")),
        house.post("forge", posting.github(b"{}")),
        house.post("forge", unsigned),
        house.post("rotated", posting.github(secret="old")),
    ]
    assert [(answer.status, answer.json) for answer in answers] == [(401, REFUSED)] * 4
    assert house.stored() == []
    count = house.count("forge")
    assert count is not None
    assert (count.refused, count.accepted, count.last_refusal) == (3, 0, "it was not signed")


def test_two_signatures_are_none(house: House) -> None:
    """A right signature beside a wrong one, in either order, is refused."""
    right = posting.github()["X-Hub-Signature-256"]
    wrong = "sha256=" + "0" * 64
    for pair in ((right, wrong), (wrong, right), (right, right)):
        connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)
        connection.putrequest("POST", "/hooks/forge")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(posting.PUSH)))
        for value in pair:
            connection.putheader("X-Hub-Signature-256", value)
        connection.endheaders(posting.PUSH)
        assert connection.getresponse().status == 401
        connection.close()


def test_a_rotation_stops_nobody(house: House) -> None:
    """The new secret is believed beside an expired one, and beside one that cannot be read."""
    assert house.post("rotated", posting.github()).status == 202
    assert house.post("half", posting.github()).status == 202


def test_a_secret_that_cannot_be_read_is_our_fault(house: House) -> None:
    """Nobody can be believed for now: 503, so that a sender that tries again does."""
    answer = house.post("broken", posting.github())
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")


def test_another_network_is_refused(house: House) -> None:
    """A hook that names its networks takes posts from nowhere else, however well signed."""
    assert house.post("far", posting.github()).status == 403
    assert house.stored() == []


def test_a_hook_may_take_unsigned_posts_from_its_networks(house: House) -> None:
    """For senders that can sign nothing."""
    unsigned = posting.without(posting.github(), "X-Hub-Signature-256")
    assert house.post("open", unsigned).status == 202


def test_a_body_of_the_largest_size_is_the_largest(house: House) -> None:
    """One byte more is refused, with and without a Content-Length."""
    fits, larger = b" " * 1000, b" " * 1001
    assert house.post("small", posting.github(fits), fits).status == 202
    assert house.post("small", posting.github(larger), larger).status == 413
    for body, status in ((fits, 202), (larger, 413)):
        chunks = iter([body[:500], body[500:]])
        assert serving.post(house.port, "/hooks/small", chunks, posting.github(body)).status == status


@pytest.mark.parametrize(
    "changed",
    [{"Content-Type": "text/plain"}, {"Content-Type": ""}, {"Content-Encoding": "gzip"}],
    ids=str,
)
def test_what_this_sender_does_not_post_is_refused(house: House, changed: dict[str, str]) -> None:
    """Another media type, or a compressed body: 415, although the signature is right."""
    assert house.post("forge", {**posting.github(), **changed}).status == 415


@pytest.mark.parametrize("body", [b"not json", b"{}", b"[]", b'{"ref": 7}', b""])
def test_an_authentic_post_is_never_refused_for_what_it_says(house: House, body: bytes) -> None:
    """Senders switch hooks off that answer 4xx: it is stored, and the worker says what is wrong with it."""
    assert house.post("forge", posting.github(body), body).status == 202
    assert house.post("forge", posting.github(event="issues")).status == 202


def test_a_registry_is_never_blocked_by_an_answer(house: House) -> None:
    """A registry keeps a refused event at the head of its queue for ever: pulls and oddities are accepted."""
    for body in (b'{"events": [{"action": "pull"}]}', b'{"events": []}', b"oops"):
        assert house.post("registry", posting.registry(), body).status == 202
    assert house.post("registry", posting.registry("Bearer wrong"), b"{}").status == 401


def test_equal_bodies_without_an_id_are_one_post_for_a_while(house: House) -> None:
    """Without an id the body is the key, in a window of five minutes; later it is another post."""
    headers = posting.without(posting.github(), "X-GitHub-Delivery")
    moments = iter([datetime(2026, 11, 22, 12, minute, tzinfo=UTC) for minute in (1, 4, 6)])

    class Stepping:
        def now(self) -> datetime:
            return moment

        def monotonic(self) -> float:
            return 0.0

    client = posting.app(replace(house.context, clock=Stepping())).test_client()
    statuses = []
    for moment in moments:  # noqa: B007 - the clock reads it
        statuses.append(client.post("/hooks/forge", data=posting.PUSH, headers=headers).status_code)  # noqa: PERF401
    assert statuses == [202, 200, 202]


@pytest.mark.parametrize("delivery", ["x" * 201, "with blank", "ÿ", "\t"])
def test_an_id_that_is_no_id_is_not_used(house: House, delivery: str) -> None:
    """An id that is too long, or has other than visible ASCII letters, gives way to the body's digest."""
    headers = {**posting.github(), "X-GitHub-Delivery": delivery}
    assert house.post("forge", headers).status == 202
    assert house.stored()[0].delivery.startswith("body ")


def test_a_database_that_does_not_answer_is_said_with_a_time_to_come_back() -> None:
    """Nothing was stored: 503 and Retry-After, never a 2xx."""
    engine = sqlalchemy.create_engine("postgresql+psycopg://tests@/none?host=/nonexistent")
    context = posting.context(Database(engine, address="gone"))
    answer = posting.app(context).test_client().post("/hooks/forge", data=posting.PUSH, headers=posting.github())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


@pytest.fixture
def client(file_database: Database) -> Iterator[FlaskClient]:
    """The receiver without a network, for many posts."""
    context = posting.context(file_database)
    yield posting.app(context).test_client()
    context.tally.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hook=st.sampled_from(["forge", "gitea", "registry", "open", "small", "nobody"]) | st.text(min_size=1, max_size=9),
    body=st.binary(max_size=60) | st.sampled_from([b"payload=%", b"\x1f\x8b\x08", b"{" * 900]),
    signed=st.booleans(),
    headers=st.dictionaries(
        st.sampled_from(
            [
                *("X-GitHub-Event", "X-GitHub-Delivery", "X-Gitea-Event", "Content-Type", "Content-Encoding"),
                *("Host", "Authorization", "X-Gitea-Signature", "Transfer-Encoding", "X-Forwarded-For"),
            ]
        ),
        st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=30),
        max_size=4,
    ),
)
def test_no_post_makes_the_receiver_fail(
    client: FlaskClient, hook: str, body: bytes, signed: bool, headers: dict[str, str]
) -> None:
    """Whatever a stranger or a sender sends, the answer is one of those that are documented."""
    base = {"Content-Type": "application/json", **headers}
    if signed:
        digest = signing.hmac_sha256(body, posting.SECRET)
        base |= {"X-Hub-Signature-256": f"sha256={digest}", "X-Gitea-Signature": digest}
    answer = client.post(f"/hooks/{hook}", data=body, headers=base)
    assert answer.status_code in {200, 202, 308, 401, 404, 405, 413, 415}
