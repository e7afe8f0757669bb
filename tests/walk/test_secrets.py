"""No secret is shown: neither on a page, nor by the API, the numbers, the log or the database."""

from __future__ import annotations

import base64
import http.client
import re
import urllib.parse
from pathlib import Path

import yaml

from console.demo.product import until
from tests.walk.conftest import Bench

IN_GIT, BY_HAND = "seeded-4f1c-in-git", "seeded-9b2e-by-hand"
PAGES = ("/", "/runs", "/findings", "/mirrors", "/deliveries", "/deliveries/1", "/jobs", "/applications/shop")


class Reader:
    """A browser without a window, that kim signed in with; and a program with the token."""

    def __init__(self, bench: Bench) -> None:
        self._port = bench.service.port
        self._token = (bench.ground.state / "token").read_text(encoding="utf-8").strip()
        _, page, cookie = self._ask("GET", "/sign-in")
        form = {"name": "kim", "token": self._token, "csrf_token": re.findall(r'csrf_token" value="([^"]+)', page)[0]}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, _, cookie = self._ask("POST", "/sign-in", urllib.parse.urlencode(form), Cookie=cookie, **kind)
        assert status == 303
        self._cookie = cookie

    def page(self, address: str) -> str:
        """A page, as text."""
        status, text, _ = self._ask("GET", address, Cookie=self._cookie)
        assert status == 200, address
        return text

    def api(self, address: str) -> str:
        """An answer of the API."""
        status, text, _ = self._ask("GET", f"/api/v1{address}", Authorization=f"Bearer {self._token}")
        assert status == 200, address
        return text

    def _ask(self, method: str, address: str, body: str = "", **headers: str) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request(method, address, body or None, headers)
            answer = connection.getresponse()
            cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
            return answer.status, answer.read().decode(), cookie
        finally:
            connection.close()


def test_no_secret_leaves_the_service(started: Bench) -> None:
    """A Secret is delivered, changed by hand and found to differ; its values, keys and tokens stand nowhere."""
    _seed(started)
    run = started.deliver("With a Secret")["name"]
    (live,) = (started.ground.site("sejong") / "cluster").rglob("Secret.core/payment.yaml")
    live.write_text(_in_both_forms(live, BY_HAND), encoding="utf-8")
    report = started.ask("drift", codes=(1,))
    assert "/data/password" in [row["path"] for row in report["differences"]]
    reader = Reader(started)
    until("the page shows the difference", lambda: "payment" in reader.page("/applications/shop"))
    tasks = re.findall(r'data-log="([^"]+)"', reader.page(f"/runs/{run}"))
    shown = [
        *map(reader.page, (*PAGES, f"/runs/{run}", f"/runs/{run}/yaml", "/metrics", "/readyz", *tasks)),
        *map(reader.api, ("/runs", f"/runs/{run}", "/findings", "/deliveries/1", "/fleet")),
        (started.ground.directory / "service.log").read_text(encoding="utf-8"),
        str(report),
    ]
    kept = b"".join(file.read_bytes() for file in started.ground.state.glob("lockstep.db*"))
    for secret in _secrets(started):
        assert [text for text in shown if secret in text] == []
        assert secret.encode() not in kept


def _seed(bench: Bench) -> None:
    base = bench.ground.work / "deploy/base"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "payment"}, "stringData": {"password": IN_GIT}}
    (base / "secret.yaml").write_text(yaml.safe_dump(secret), encoding="utf-8")
    file = base / "kustomization.yaml"
    kustomization = yaml.safe_load(file.read_text(encoding="utf-8"))
    kustomization["resources"].append("secret.yaml")
    file.write_text(yaml.safe_dump(kustomization), encoding="utf-8")


def _in_both_forms(live: Path, value: str) -> str:
    """The Secret as somebody would have changed it, whichever of its two forms it is kept in."""
    manifest = yaml.safe_load(live.read_text(encoding="utf-8"))
    manifest.pop("stringData", None)
    manifest["data"] = {"password": base64.b64encode(value.encode()).decode()}
    return yaml.safe_dump(manifest)


def _secrets(bench: Bench) -> list[str]:
    """What must be nowhere: the Secret's values in both forms, the hook's secret, the token, the keys."""
    files = (bench.ground.directory / "secrets/forge", bench.ground.state / "token", bench.ground.state / "key")
    encoded = [base64.b64encode(value.encode()).decode() for value in (IN_GIT, BY_HAND)]
    return [IN_GIT, BY_HAND, *encoded, *(file.read_text(encoding="utf-8").strip() for file in files)]
