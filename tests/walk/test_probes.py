"""What machines are told by the real service: whether it is ready, and the numbers."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from console.demo.product import until
from tests.walk.conftest import Bench


def _get(bench: Bench, page: str) -> tuple[int, str]:
    """The status and the body of a page that needs nobody."""
    connection = http.client.HTTPConnection("127.0.0.1", bench.service.port, timeout=30)
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _ready(bench: Bench) -> tuple[int, dict[str, Any]]:
    status, body = _get(bench, "/readyz")
    return status, json.loads(body)["checks"]


def _numbers(bench: Bench) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(_get(bench, "/metrics")[1])
        for sample in family.samples
    }


def test_the_numbers_follow_a_delivery(started: Bench) -> None:
    """Before the first push nothing is proved; after its deploy both pairs are in step, by fresh evidence."""
    first = _numbers(started)
    assert first["lockstep_in_step", "shop", "seoul-sejong"] == 0
    assert first["lockstep_drift_verdict", "shop", "seoul-sejong", "Unknown"] == 1
    started.deliver()

    def in_step() -> dict[tuple[str, ...], float] | None:
        found = _numbers(started)
        return found if found["lockstep_in_step", "shop", "seoul-daegu"] == 1 else None

    found = until("the numbers say that it is in step", in_step)
    assert found["lockstep_drift_verdict", "shop", "seoul-daegu", "Dispersed"] == 1
    assert found["lockstep_deliveries", "done"] == 1
    assert found["lockstep_hook_posts_total", "forge", "accepted"] == 1
    assert found["lockstep_runs", "Succeeded", "ended"] == 1
    assert found["lockstep_git_mirror_lag_seconds", "shop", "sejong"] == 0
    assert found["lockstep_images_not_equal", "shop/web", "daegu"] == 0
    assert found["lockstep_evidence_age_seconds", "shop", "seoul-sejong"] >= 0


def test_a_bad_edit_leaves_the_service_ready_and_is_counted(started: Bench) -> None:
    """The last good configuration stays in force; a service that starts anew does not start with a broken one."""
    broken = started.ground.config / "broken.yaml"
    broken.write_text("apiVersion: lockstep.dev/v1alpha1\nkind: Sight\nmetadata: {name: x}\n", encoding="utf-8")
    until("the bad edit is counted", lambda: _numbers(started)["lockstep_configuration_problems",] > 0)
    assert _ready(started) == (200, {"database": "ok", "workers": "ok", "configuration": "ok"})
    places = ["--config", str(started.ground.config), "--state", str(started.ground.directory / "other")]
    serve = [sys.executable, "-m", "console", *places, "serve", "--listen", "127.0.0.1:0"]
    done = subprocess.run(serve, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 64
    assert "broken.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_service_whose_database_file_is_gone_is_not_ready(started: Bench) -> None:
    """What it writes now would be lost, although SQLite goes on answering."""
    assert _ready(started)[0] == 200
    (started.ground.state / "lockstep.db").unlink()
    status, checks = _ready(started)
    assert status == 503
    assert "deleted or replaced" in checks["database"]
    assert _get(started, "/healthz")[0] == 200
