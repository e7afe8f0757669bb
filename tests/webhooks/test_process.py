"""What a stored delivery wakes, and what is written down about it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import clock, work
from lockstep.store import deliveries
from lockstep.store.database import Database
from lockstep.store.deliveries import Delivery, Incoming, State, Summary
from tests.support import payloads
from tests.support.topologies import topology
from webhooks import process

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRETS = [{"env": "FORGE"}]
GITEA = {"url": "ssh://git@gitea.bank.example/{repository}.git", "knownHosts": {"file": "known_hosts"}}
REGISTRY = {"url": "https://registry.seoul.example"}
TOO_MANY = b'{"events": [{}' + b", {}" * 1000 + b"]}"
CONFIGURED = topology(
    ("GitMirror", "bank", {"source": GITEA, "repositories": ["bank/*"], "sites": ["seoul"]}),
    ("ImageMirror", "built", {"source": REGISTRY, "repositories": ["pay/*"], "sites": ["sejong"]}),
    ("Webhook", "forge", {"provider": "gitea", "secrets": SECRETS}),
    ("Webhook", "images-only", {"provider": "gitea", "secrets": SECRETS, "mirrors": ["built"]}),
    ("Webhook", "registry", {"provider": "distribution", "secrets": SECRETS}),
)


def delivery(hook: str, provider: str, event: str, body: bytes) -> Delivery:
    """A delivery as it is read from the store."""
    summary = Summary(
        id=1,
        hook=hook,
        provider=provider,
        delivery="72d3162e",
        event=event,
        received_at=NOW,
        state=State.RECEIVED,
        reason="",
        events=[],
        duplicates=0,
        done_at=None,
        size=len(body),
    )
    return Delivery(summary=summary, headers={}, body=body)


def test_a_push_wakes_its_repository() -> None:
    """The job names the repository as the configuration does; the event is kept with what it woke."""
    found = process.understand(delivery("forge", "gitea", "push", payloads.body("gitea/push")), CONFIGURED)
    assert found.state is State.DONE
    assert found.jobs == (work.fetch_git("bank/pay", event=True),)
    (event,) = found.events
    assert (event["type"], event["ref"]) == ("GitPush", "refs/heads/main")
    assert event["wakes"] == [{"kind": "git.fetch", "repository": "bank/pay"}]


def test_a_registry_push_wakes_each_image_once() -> None:
    """A tag by its name and a manifest without one by its digest; blobs wake nothing."""
    body = payloads.body("distribution/index-push")
    found = process.understand(delivery("registry", "distribution", "push", body), CONFIGURED)
    assert found.jobs == (
        work.mirror_images("pay/api", references=("sha256:" + "a" * 64,), urgent=True, pushed=NOW),
        work.mirror_images("pay/api", references=("1.4.2",), urgent=True, pushed=NOW),
    )
    assert [event["reason"] for event in found.events] == ["application/octet-stream is not a manifest", "", ""]


def test_the_same_image_twice_in_a_post_is_one_job() -> None:
    """A registry that collects events does not make us work twice."""
    event = payloads.document("distribution/index-push")["events"][2]
    body = orjson.dumps({"events": [event, {**event, "id": "other"}]})
    assert len(process.understand(delivery("registry", "distribution", "push", body), CONFIGURED).jobs) == 1


@pytest.mark.parametrize(
    ("found", "state", "reason"),
    [
        (delivery("forge", "gitea", "issues", b"{}"), State.IGNORED, "moves no ref"),
        (delivery("images-only", "gitea", "push", payloads.body("gitea/push")), State.IGNORED, "no GitMirror"),
        (delivery("forge", "github", "push", payloads.body("github/push-payload")), State.IGNORED, "Codertocat"),
        (delivery("gone", "gitea", "push", payloads.body("gitea/push")), State.IGNORED, "not configured"),
        (delivery("forge", "gitea", "push", b"{"), State.FAILED, "not JSON"),
        (delivery("registry", "distribution", "", TOO_MANY), State.FAILED, "1001"),
    ],
    ids=lambda value: value.summary.hook if isinstance(value, Delivery) else None,
)
def test_what_wakes_nothing_says_why(found: Delivery, state: State, reason: str) -> None:
    """Another event, another repository, a hook that is gone, a broken body: no job, and the reason."""
    understood = process.understand(found, CONFIGURED)
    assert (understood.state, understood.jobs) == (state, ())
    assert reason in understood.reason


def test_the_end_of_the_job_writes_what_came_of_the_delivery(file_database: Database, tmp_path: Path) -> None:
    """State, events and moment are written by the job's own transaction; the next jobs go with it."""
    incoming = Incoming(
        hook="forge",
        provider="gitea",
        delivery="72d3162e",
        event="push",
        headers={},
        body=payloads.body("gitea/push"),
        received_at=NOW,
    )
    with file_database.write() as connection:
        number, _ = deliveries.insert(connection, incoming)
    context = process.Context(database=file_database, topology=lambda: CONFIGURED, clock=clock.SystemClock())
    outcome = process.handle_delivery(context, claim(number))
    assert isinstance(outcome, work.Done)
    with file_database.read() as connection:
        assert deliveries.get(connection, number).summary.state is State.RECEIVED
    with file_database.write() as connection:
        for effect in outcome.effects:
            effect(connection)
        ended = deliveries.get(connection, number).summary
    assert outcome.then == (work.fetch_git("bank/pay", event=True),)
    assert (ended.state, ended.events[0]["repository"]) == (State.DONE, "bank/pay")
    assert ended.done_at is not None


def test_a_delivery_that_was_forgotten_is_no_work(file_database: Database) -> None:
    """A job may run after its delivery was too old to be kept."""
    context = process.Context(database=file_database, topology=lambda: CONFIGURED, clock=clock.SystemClock())
    assert process.handle_delivery(context, claim(7)) == work.Done()


def claim(number: int) -> work.Claim:
    """The job of a delivery, claimed."""
    return work.Claim(id=1, kind=work.Kind.DELIVERY, payload={"delivery": number}, fence="f", attempt=1, crashes=0)


@given(body=st.binary(max_size=200), provider=st.sampled_from(["github", "gitea", "distribution"]), event=st.text())
def test_no_body_makes_the_worker_fail(body: bytes, provider: str, event: str) -> None:
    """Whatever was stored, it ends in a state, with a reason where it wakes nothing."""
    understood = process.understand(delivery("forge", provider, event, body), CONFIGURED)
    assert understood.state in (State.IGNORED, State.FAILED)
    assert understood.reason
