"""What was answered with 202 is there, whatever happens next and however many post at once."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lockstep import crash
from lockstep.store import deliveries
from lockstep.store.database import Database
from lockstep.store.deliveries import Filter
from tests.support import hooks, jobs, serving

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def receiver(url: str, *points: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A receiver in a process of its own, and its port; killed at the end, if it still lives."""
    command = [sys.executable, "-m", "tests.support.receiver_process", url, *points]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.chaos
def test_a_delivery_whose_202_was_read_survives_sigkill_that_instant(database: Database, database_url: str) -> None:
    """The process is killed when the answer has been read: row and job are there."""
    with receiver(database_url) as (process, port):
        answer = serving.post(port, "/hooks/forge", hooks.PUSH, hooks.github())
        process.kill()
    number = answer.json["delivery"]
    assert answer.status == 202
    with database.read() as connection:
        assert deliveries.get(connection, number).body == hooks.PUSH
    assert jobs.asked(database) == [("delivery", {"delivery": number})]


@pytest.mark.chaos
def test_a_delivery_that_was_stored_before_the_crash_is_known_after_it(database: Database, database_url: str) -> None:
    """Killed between the commit and the answer, the sender tries again and hears of its first delivery."""
    headers = hooks.github(delivery="once")
    with (
        receiver(database_url, crash.Point.DELIVERY_STORED.value) as (process, port),
        pytest.raises(http.client.RemoteDisconnected),
    ):
        serving.post(port, "/hooks/forge", hooks.PUSH, headers)
    assert process.returncode == -9
    with receiver(database_url) as (_, port):
        again = serving.post(port, "/hooks/forge", hooks.PUSH, headers)
    assert (again.status, again.json["status"]) == (200, "duplicate")
    assert jobs.asked(database) == [("delivery", {"delivery": again.json["delivery"]})]


def test_two_hundred_posts_at_once_lose_nothing_and_double_nothing(database: Database) -> None:
    """A hundred deliveries, each posted twice at the same time: a hundred rows, a hundred jobs."""
    context = hooks.context(database)
    headers = [hooks.github(delivery=str(number)) for number in range(100)]
    with serving.served(hooks.app(context)) as port, ThreadPoolExecutor(200) as pool:

        def post(number: int) -> int:
            return serving.post(port, "/hooks/forge", hooks.PUSH, headers[number % 100]).status

        statuses = Counter(pool.map(post, range(200)))
    context.tally.close()
    assert statuses == {202: 100, 200: 100}
    with database.read() as connection:
        stored = deliveries.page(connection, Filter(), limit=500)
    assert sorted(int(one.delivery) for one in stored) == list(range(100))
    assert [one.duplicates for one in stored] == [1] * 100
    assert sorted(payload["delivery"] for _, payload in jobs.asked(database)) == sorted(one.id for one in stored)
