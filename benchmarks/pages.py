"""How soon a page is there, with 1,000 runs, 10,000 findings and 20,000 deliveries in the store."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from lockstep.store import migrate, tables
from lockstep.store.database import Database, open_database
from tests.support import bank, pages

_TIMES = 10
_PAGES = (
    *("/", "/runs", "/runs?state=waiting", "/runs/run-500", "/findings", "/findings?verdict=StandbyDrift"),
    *("/applications/pay", "/mirrors", "/deliveries", "/deliveries?state=failed", "/jobs", "/metrics"),
)


def run() -> None:
    """Print a table: milliseconds of each page, the median of a few, and its size."""
    with tempfile.TemporaryDirectory() as directory:
        database = open_database(f"sqlite:///{Path(directory) / 'bench.db'}")
        _fill(database)
        client = pages.house(database).signed_in()
        for page in _PAGES:
            taken = []
            for _ in range(_TIMES + 1):
                began = time.monotonic()
                answer = client.get(page)
                taken.append(1000 * (time.monotonic() - began))
                assert answer.status_code == 200, page
            print(f"{page:40}{statistics.median(taken[1:]):8.1f} ms{len(answer.data) // 1024:6} KiB")
        database.close()


def _fill(database: Database) -> None:
    migrate.upgrade(database)
    bank.fill(database)
    with database.write() as connection:
        for number in range(1000):
            run_id = bank.run(connection, f"run-{number}")
            for stage in bank.STAGES:
                bank.task(connection, run_id, stage)
        for number in range(10_000):
            values = {"gitPrimary": 1, "primary": 1, "gitStandby": 1, "standby": 2}
            bank.finding(connection, f"f{number}", name=f"o{number % 500}", path=f"/spec/x{number}", values=values)
        delivery = {"hook": "forge", "provider": "github", "event": "push", "headers": {}, "body": b"x" * 8000}
        rows = [
            {**delivery, "delivery": str(number), "received_at": bank.NOW, "state": "done"} for number in range(20_000)
        ]
        connection.execute(tables.deliveries.insert(), rows)
