"""From a stored comparison to what receivers get, on both databases."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Connection

from lockstep.store import approvals, deployments, images, notices, runs, tables
from lockstep.store.database import Database
from lockstep.store.mirrors import Standing, stands
from lockstep.values import Verdict
from tests.console.notices.telling_house import House, configured, webhook
from tests.support import receivers, smtp
from tests.support.receivers import OLDER, SECRET, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that verifies."""
    with receivers.served() as opened:
        yield opened


def house(database: Database, receiver: Receiver, **spec: object) -> House:
    """One Notification with one webhook to a receiver."""
    made = configured(("ops", {"webhooks": [webhook("A")], **spec}))
    return House(database, made, {"A_URL": receiver.url, "A_SECRET": SECRET})


def changes(receiver: Receiver) -> list[dict[str, int]]:
    """The counts of every message that came."""
    return [came.json["data"]["counts"] for came in receiver.came]


def test_a_scan_is_told_as_one_signed_message_without_any_value(database: Database, receiver: Receiver) -> None:
    """New, nothing while it lasts, worse and resolved together; the same id is never used twice."""
    opened = house(database, receiver)
    opened.scan("web", "api")
    opened.work()
    (came,) = receiver.came
    assert came.believed
    assert came.json["type"] == "lockstep.findings"
    assert came.json["data"]["counts"] == {"new": 2}
    objects = [item["object"] for item in came.json["data"]["items"]]
    assert objects == ["Deployment.apps pay/api", "Deployment.apps pay/web"]
    assert b"a value that nobody is told" not in came.body
    opened.scan("web", "api")
    opened.work()
    assert len(receiver.came) == 1
    opened.scan("web", weight=1.0)
    opened.work()
    assert changes(receiver)[1:] == [{"worse": 1, "resolved": 1}]
    assert len({came.headers["webhook-id"] for came in receiver.came}) == 2
    assert {message.state for message in opened.messages()} == {"sent"}


def test_what_matters_little_is_quiet_by_default(database: Database, receiver: Receiver) -> None:
    """Minor findings are told only to those who asked."""
    opened = house(database, receiver)
    opened.scan("web", weight=0.2)
    opened.work()
    assert receiver.came == []


def test_a_dead_channel_holds_back_no_other_and_loses_nothing(database: Database, receiver: Receiver) -> None:
    """Its messages wait together, longer each time, and come when it is back; it is seen meanwhile."""
    with receivers.served() as gone:
        dead = gone.url
    made = configured(("ops", {"webhooks": [webhook("DEAD"), webhook("A")]}))
    opened = House(database, made, {"DEAD_URL": dead, "DEAD_SECRET": SECRET, "A_URL": receiver.url, "A_SECRET": SECRET})
    opened.scan("web")
    opened.work()
    opened.scan("web", "api")
    opened.work()
    assert changes(receiver) == [{"new": 1}, {"new": 1}]
    found = opened.channels()["webhook: the environment variable DEAD_URL"]
    assert (found.failed, found.sent, found.failing_since) == (1, 0, opened.clock.now())
    assert dead not in found.problem
    opened.pass_(seconds=11)
    assert opened.channels()[found.channel].failed == 2
    with receivers.served() as back:
        opened.secrets["DEAD_URL"] = back.url
        opened.pass_(minutes=5)
        assert changes(back) == [{"new": 1}, {"new": 1}]
        assert [one.headers["webhook-id"] for one in back.came] == [one.headers["webhook-id"] for one in receiver.came]
    found = opened.channels()[found.channel]
    assert (found.sent, found.failing_since, found.problem) == (2, None, "")


def test_what_nobody_takes_for_days_is_given_up_and_said_so(database: Database, receiver: Receiver) -> None:
    """Three days; and at once when the receiver says that it is gone."""
    opened = house(database, receiver)
    receiver.answers += [(500, {})] * 200
    opened.scan("web")
    opened.work()
    for _ in range(100):
        opened.pass_(hours=1)
    (message,) = opened.messages()
    assert (message.state, message.attempts > 70) == ("given_up", True)
    receiver.answers[:] = [(410, {})]
    opened.scan("web", "api")
    opened.work()
    assert [one.state for one in opened.messages()] == ["given_up", "given_up"]
    assert opened.channels()["webhook: the environment variable A_URL"].given_up == 2


def test_a_receiver_that_asks_for_time_gets_it(database: Database, receiver: Receiver) -> None:
    """Retry-After is kept."""
    opened = house(database, receiver)
    receiver.answers.append((429, {"Retry-After": "600"}))
    opened.scan("web")
    opened.work()
    opened.pass_(seconds=599)
    assert len(receiver.came) == 1
    opened.pass_(seconds=2)
    assert [one.headers["webhook-id"] for one in receiver.came] == [receiver.came[0].headers["webhook-id"]] * 2


def test_secrets_are_rotated_without_losing_a_message(database: Database, receiver: Receiver) -> None:
    """While both are named, a receiver with either one believes."""
    receiver.secret = OLDER
    secrets = [{"env": "A_SECRET"}, {"env": "A_OLDER"}]
    opened = house(database, receiver, webhooks=[{"url": {"env": "A_URL"}, "secrets": secrets}])
    opened.secrets["A_OLDER"] = OLDER
    opened.scan("web")
    opened.work()
    assert receiver.came[0].believed


def test_a_mail_is_in_the_language_of_the_notification(file_database: Database) -> None:
    """By Apprise, with a link to the page."""
    with smtp.served() as mails:
        url = f"mailto://127.0.0.1:{mails.port}?smtp=127.0.0.1&mode=insecure&from=l@bank.example&to=o@bank.example"
        opened = House(
            file_database, configured(("ops", {"apprise": [{"env": "MAIL"}], "language": "ko"})), {"MAIL": url}
        )
        opened.scan("web", verdict=Verdict.MISSING_AT_STANDBY, weight=1.0)
        opened.work()
        (came,) = mails.came
    assert came["Subject"] == "[Lockstep] pay: 새로 생김 1건 (치명적)"
    text = came.get_body(("plain", "html")).get_content()  # type: ignore[union-attr]  # it has one
    assert "https://lockstep.bank.example/findings?application=pay" in text.replace("&amp;", "&")


TOLD = {
    "en": (
        *("pay: 1 new (blocker)", "pay: 1 worse (blocker)", "pay: 1 resolved", "pay: 1 new (blocker)"),
        *("pay: 1 new (blocker)", "Reminder: 1 still open (blocker)", "pay: 1 settled (blocker)"),
    ),
    "ko": (
        *("pay: 새로 생김 1건 (치명적)", "pay: 악화 1건 (치명적)", "pay: 해결 1건", "pay: 새로 생김 1건 (치명적)"),
        *("pay: 새로 생김 1건 (치명적)", "알림: 미해결 1건 (치명적)", "pay: 안정됨 1건 (치명적)"),
    ),
}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_change_comes_by_mail_and_as_a_signed_webhook(
    file_database: Database, receiver: Receiver, language: str
) -> None:
    """New, worse, resolved, back, coming and going, still open, settled: in order, in words of its language, once."""
    with smtp.served() as mails:
        url = f"mailto://127.0.0.1:{mails.port}?smtp=127.0.0.1&mode=insecure&from=l@bank.example&to=o@bank.example"
        spec = {"apprise": [{"env": "MAIL"}], "webhooks": [webhook("A")], "language": language, "digest": "20m"}
        secrets = {"MAIL": url, "A_URL": receiver.url, "A_SECRET": SECRET}
        opened = House(file_database, configured(("ops", spec)), secrets)
        for weight in (0.8, 1.0, None, 1.0, None, 1.0, 1.0):
            opened.scan(*(["web"] if weight else []), weight=weight or 0.0)
            opened.work()
            opened.clock.pass_seconds(60)
        opened.sweep()
        opened.clock.pass_seconds(1300)
        opened.scan("web", weight=1.0)
        opened.sweep()
        opened.clock.pass_seconds(1800)
        opened.scan("web", weight=1.0)
        opened.work()
        subjects = [str(came["Subject"]).removeprefix("[Lockstep] ") for came in mails.came]
        bodies = [came.get_body(("plain", "html")).get_content() for came in mails.came]  # type: ignore[union-attr]  # it has one
    titles = [came.json["data"]["title"].removeprefix("[Lockstep] ") for came in receiver.came]
    assert subjects == titles == list(TOLD[language])
    assert all(came.believed for came in receiver.came)
    items = [(item["change"], item["flapping"]) for came in receiver.came for item in came.json["data"]["items"]]
    assert items == [
        *(("new", False), ("worse", False), ("resolved", False), ("new", False)),
        *(("new", True), ("open", True), ("settled", False)),
    ]
    assert not any("a value that nobody is told" in body for body in bodies)


def test_what_is_still_open_is_told_once_a_day(database: Database, receiver: Receiver) -> None:
    """With everything in one message; not before, and not when nothing is left."""
    opened = house(database, receiver)
    opened.scan("web", "api")
    opened.work()
    opened.sweep()
    for _ in range(47):
        opened.clock.pass_seconds(1800)
        opened.scan("web", "api")
        opened.sweep()
    assert changes(receiver) == [{"new": 2}]
    opened.clock.pass_seconds(1800)
    opened.scan("web", "api")
    opened.sweep()
    assert receiver.came[-1].json["type"] == "lockstep.reminder"
    assert changes(receiver)[1:] == [{"open": 2}]


def test_a_silent_site_and_an_old_comparison_are_told_and_their_return_too(
    database: Database, receiver: Receiver
) -> None:
    """One message for the site, and none for each of its findings that nobody could see."""
    opened = house(database, receiver)
    gaps = [{"what": "the cluster", "why": "it does not answer"}]
    unread = {"sites": {"sejong": {"method": "", "gaps": gaps}}}
    opened.scan("web", verdict=Verdict.UNKNOWN, weight=0.9, coverage=unread)
    opened.sweep()
    (came,) = receiver.came
    assert (came.json["type"], came.json["data"]["counts"]) == ("lockstep.sites", {"unknown": 1})
    assert came.json["data"]["items"][0]["site"] == "sejong"
    opened.scan()
    opened.sweep()
    assert changes(receiver)[1:] == [{"resolved": 1}]
    opened.pass_(minutes=16)
    opened.sweep()
    assert receiver.came[-1].json["data"]["items"][0]["about"] == "evidence"


def test_questions_failures_and_what_is_held_are_told(database: Database, receiver: Receiver) -> None:
    """An approval, a deploy, refs and images: each once, and when a deploy works again; nothing that a server said."""
    opened = house(database, receiver)
    now = opened.clock.now()
    deploy = deployments.Deployment(
        application="pay",
        site="sejong",
        run="deploy-1",
        revision="c",
        images={},
        state="failed",
        message="Secret/x is invalid: the password hunter2",
        objects=1,
        changed=0,
        deleted=0,
        started_at=now,
        ended_at=now,
    )
    refs = Standing(repository="bank/pay", site="sejong", state="held", detail=[], head="", refs=1, checked_at=now)
    tags = images.Standing(
        repository="pay/api", reference="1.0", site="sejong", digest="", state="held", checked_at=now
    )
    with database.write() as connection:
        ask(connection, now)
        deployments.record(connection, deploy)
        stands(connection, refs, changed_at=now)
        images.record(connection, [tags])
    opened.sweep()
    assert sorted(str(one) for one in changes(receiver)) == ["{'failed': 1}", "{'held': 2}", "{'waiting': 1}"]
    assert not any(b"hunter2" in came.body for came in receiver.came)
    with database.write() as connection:
        deployments.record(connection, replace(deploy, state="done"))
    opened.sweep()
    assert changes(receiver)[3:] == [{"resolved": 1}]


def ask(connection: Connection, now: datetime) -> None:
    """A run that asks a person."""
    new = runs.New(name="pay-1", pipeline="deliver", snapshot={}, state="running", reason="Running", application="pay")
    run = runs.add(connection, new, at=now)
    task = connection.execute(
        tables.tasks.insert()
        .values(
            run=run,
            pipeline_task="approve",
            name="pay-1-approve",
            kind="CustomRun",
            section="tasks",
            state="waiting",
            status="Unknown",
            reason="Waiting",
            created_at=now,
        )
        .returning(tables.tasks.c.id)
    ).scalar_one()
    approvals.ask(
        connection,
        approvals.Question(run=run, task=task, kind="approval", question="Deploy to sejong?", bound={}),
        at=now,
    )


def test_a_notification_that_is_gone_sends_nothing_more(database: Database, receiver: Receiver) -> None:
    """Its messages are given up, and what its readers believed is forgotten."""
    opened = house(database, receiver)
    receiver.answers += [(500, {})]
    opened.scan("web")
    opened.work()
    opened.topology = configured(("others", {"webhooks": [webhook("A")], "applications": ["shop"]}))
    opened.pass_(minutes=1)
    opened.sweep()
    assert [one.state for one in opened.messages()] == ["given_up"]
    with database.read() as connection:
        assert notices.believed(connection, "ops") == {}


@pytest.mark.chaos
def test_a_message_whose_sender_is_killed_comes_with_the_same_id(
    tmp_path_factory: pytest.TempPathFactory, file_database: Database, receiver: Receiver
) -> None:
    """SIGKILL after the receiver took it and before that was written: once more, and recognisable."""
    opened = house(file_database, receiver)
    opened.scan("web")
    code = (
        "import sys; from lockstep import crash; from lockstep.store.database import open_database; "
        "from tests.console.notices.telling_house import House, configured, webhook; crash.arm('message-sent'); "
        "h = House(open_database(sys.argv[1]), configured(('ops', {'webhooks': [webhook('A')]})), "
        "{'A_URL': sys.argv[2], 'A_SECRET': sys.argv[3]}); h.work()"
    )
    url = f"sqlite:///{file_database.address}"
    ended = subprocess.run([sys.executable, "-c", code, url, receiver.url, SECRET], env=dict(os.environ), check=False)
    assert ended.returncode == -9
    assert len(receiver.came) == 1
    assert [one.state for one in opened.messages()] == ["waiting"]
    opened.pass_(minutes=5)
    assert [came.headers["webhook-id"] for came in receiver.came] == [receiver.came[0].headers["webhook-id"]] * 2
    assert [one.state for one in opened.messages()] == ["sent"]
