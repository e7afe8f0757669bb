"""How soon a signed push is durably accepted: posts over HTTP to a receiver in a process of its own.

Each post is a new delivery, answered 202 after its row and its job are on the disk (``synchronous=FULL``,
``fsync=on``). The senders are threads of this process, so they take their share of the same processors.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lockstep.store import migrate
from lockstep.store.database import open_database
from tests.support import hooks, postgres, tools

_POSTS = 1000
_SENDERS = (1, 16)


def run() -> None:
    """Print a table: posts each second, and how long one waits, in milliseconds."""
    print(f"{'':34}{'posts/s':>9}{'median':>9}{'p99':>9}{'longest':>9}")
    with tempfile.TemporaryDirectory() as directory:
        _measure("SQLite", f"sqlite:///{Path(directory) / 'bench.db'}")
    if tools.find("postgres") is None:
        print("PostgreSQL is not installed: left out.")
        return
    with postgres.server() as address:
        postgres.administer(address, "CREATE DATABASE bench")
        _measure("PostgreSQL", postgres.url(address, "bench"))


def _measure(name: str, url: str) -> None:
    database = open_database(url)
    migrate.upgrade(database)
    command = [sys.executable, "-m", "tests.support.receiver_process", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        _post(port, range(20), "warm")
        for senders in _SENDERS:
            began = time.monotonic()
            with ThreadPoolExecutor(senders) as pool:
                parts = [range(start, _POSTS, senders) for start in range(senders)]
                found = list(pool.map(lambda part: _post(port, part, f"{name} {senders}"), parts))  # noqa: B023 - used at once
            seconds = sorted(second for part in found for second in part)
            rate = len(seconds) / (time.monotonic() - began)
            _print(f"{name}, {senders} sender(s)", rate, [1000 * second for second in seconds])
        process.kill()
    database.close()


def _post(port: int, numbers: Sequence[int], series: str) -> list[float]:
    """Post one after another on one connection; how long each took, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers, taken = hooks.github(), []
    for number in numbers:
        began = time.monotonic()
        identity = {"X-GitHub-Delivery": f"{series}-{number}".replace(" ", "-")}
        connection.request("POST", "/hooks/forge", body=hooks.PUSH, headers={**headers, **identity})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        taken.append(time.monotonic() - began)
        assert (answer.status, body["status"]) == (202, "accepted"), body
    connection.close()
    return taken


def _print(what: str, rate: float, milliseconds: Sequence[float]) -> None:
    median, late = milliseconds[len(milliseconds) // 2], milliseconds[int(len(milliseconds) * 0.99)]
    print(f"{what:34}{rate:9.0f}{median:8.1f}ms{late:7.1f}ms{milliseconds[-1]:7.1f}ms")
