"""One measured listing in a process of its own: by the door, or by a bare HTTP client plus orjson.

``still`` is the bare client again with the garbage collector switched off for good, as nobody would run a service:
it shows how much of the difference is the collector's.

``python -m benchmarks._listing door|bare|still KUBECONFIG...`` prints JSON: objects, seconds, seconds of CPU, and
the peak of memory in MiB.
"""

from __future__ import annotations

import base64
import gc
import http.client
import json
import ssl
import sys
import tempfile
import time
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import orjson

from benchmarks import _servers
from lockstep.sites.ends import Selection

NAMESPACE = "bench"
KINDS = {("", "ConfigMap"): "/api/v1", ("", "Secret"): "/api/v1", ("apps", "Deployment"): "/apis/apps/v1"}
_PAGE = 500


def _door(kubeconfigs: list[Path]) -> int:
    selection = Selection(namespaces=frozenset({NAMESPACE}), kinds=frozenset(KINDS))
    doors = [_servers.opened(file) for file in kubeconfigs]
    with ThreadPoolExecutor(max_workers=len(doors)) as pool:
        return sum(len(found.objects) for found in pool.map(lambda door: door.read(selection), doors))


def bare(kubeconfigs: list[Path], *, roots: Mapping[tuple[str, str], str] | None = None) -> int:
    """Read the lists of some kinds, by where they are, and keep their objects; how many there are."""
    lists = [
        (file, f"{root}/namespaces/{NAMESPACE}/{kind.lower()}s")
        for file in kubeconfigs
        for (_, kind), root in (roots or KINDS).items()
    ]
    with ThreadPoolExecutor(max_workers=len(lists)) as pool:
        return sum(len(found) for found in pool.map(lambda one: _pages(*one), lists))


def _still(kubeconfigs: list[Path]) -> int:
    gc.disable()
    return bare(kubeconfigs)


def _pages(file: Path, path: str) -> list[object]:
    """All objects of a list, kept, page after page over one connection."""
    config = json.loads(file.read_text())
    url = urlsplit(config["clusters"][0]["cluster"]["server"])
    line = http.client.HTTPSConnection(url.hostname or "", url.port, context=_tls(config))
    objects: list[object] = []
    token = ""
    while True:
        query = f"?limit={_PAGE}{f'&continue={quote(token)}' if token else ''}"
        line.request("GET", f"{path}{query}", headers={"Accept": "application/json", "Accept-Encoding": "gzip"})
        answer = line.getresponse()
        body = answer.read()
        if answer.headers.get("Content-Encoding") == "gzip":
            body = zlib.decompress(body, wbits=31)
        page = orjson.loads(body)
        objects += page["items"]
        token = page["metadata"].get("continue", "")
        if not token:
            return objects


def _tls(config: dict[str, list[dict[str, dict[str, str]]]]) -> ssl.SSLContext:
    where, who = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(where["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as file:
        file.write(base64.b64decode(who["client-certificate-data"]) + base64.b64decode(who["client-key-data"]))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def peak() -> float:
    """The most memory that this program has had so far, in MiB.

    ``getrusage`` would count what the process was before it became this program (proc(5), "VmHWM").
    """
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(who: str, kubeconfigs: list[Path]) -> None:
    """Measure, and print."""
    began, used = time.monotonic(), time.process_time()
    count = {"door": _door, "bare": bare, "still": _still}[who](kubeconfigs)
    seconds = time.monotonic() - began
    cpu = time.process_time() - used
    print(json.dumps({"objects": count, "seconds": seconds, "cpu": cpu, "peak": peak()}))


if __name__ == "__main__":
    main(sys.argv[1], [Path(one) for one in sys.argv[2:]])
