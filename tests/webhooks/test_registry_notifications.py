"""A real registry that posts its notifications to the receiver."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from lockstep.store import deliveries
from lockstep.store.database import Database
from lockstep.store.deliveries import Delivery, Filter
from tests.support import hooks, serving
from webhooks.events import Action, Event, ImagePush
from webhooks.providers.distribution import Distribution
from webhooks.tally import Tally

pytestmark = pytest.mark.needs("docker-registry", "skopeo")

CONFIGURATION = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "127.0.0.1:{port}"}}
notifications:
  endpoints:
    - name: lockstep
      url: http://127.0.0.1:{receiver}/hooks/registry
      headers: {{Authorization: ["{authorization}"]}}
      timeout: 2s
      threshold: 1
      backoff: 100ms
"""


class Listening(Tally):
    """Counts, and lets a test wait for what was stored."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.heard = threading.Condition()
        self.posts = 0

    def accepted(self, hook: str, at: datetime) -> None:
        """Count, and say so."""
        super().accepted(hook, at)
        with self.heard:
            self.posts += 1
            self.heard.notify_all()


def image(folder: Path) -> str:
    """Make an OCI image layout with one image of an empty layer; gives the digest of its manifest."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(data: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    layer = blob(bytes(10240), "application/vnd.oci.image.layer.v1.tar")
    history = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
    config = blob(json.dumps(history).encode(), "application/vnd.oci.image.config.v1+json")
    media_type = "application/vnd.oci.image.manifest.v1+json"
    body = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer]}
    manifest = blob(json.dumps(body).encode(), media_type)
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return str(manifest["digest"])


@contextlib.contextmanager
def registry(folder: Path, *, receiver: int, authorization: str) -> Iterator[int]:
    """A registry that tells a receiver what it does; gives its port."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = int(free.getsockname()[1])
    file = folder / "registry.yaml"
    file.write_text(
        CONFIGURATION.format(root=folder / "registry", port=port, receiver=receiver, authorization=authorization)
    )
    with subprocess.Popen(["docker-registry", "serve", file], stderr=subprocess.DEVNULL) as process:
        try:
            _answers(port, process)
            yield port
        finally:
            process.terminate()


def _answers(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            if serving.request(port, "GET", "/v2/").status == http.client.OK:
                return
    raise AssertionError("the registry did not start")


def pushed(delivery: Delivery) -> list[Event]:
    """What a delivery means, without what means nothing."""
    found = Distribution().parse(delivery.summary.event, delivery.body)
    return [event for event in found if isinstance(event, ImagePush)]


@pytest.mark.parametrize(
    "authorization",
    ["t0ken", "Bearer t0ken", "Basic " + base64.b64encode(b"registry:t0ken").decode()],
    ids=["alone", "bearer", "basic"],
)
def test_a_push_to_a_real_registry_becomes_an_event(
    file_database: Database, tmp_path: Path, authorization: str
) -> None:
    """Skopeo pushes an image: blobs and manifest are told, all are stored, one of them brings the image."""
    digest = image(tmp_path / "layout")
    tally = Listening(file_database)
    context = replace(hooks.context(file_database), tally=tally)
    with (
        serving.served(hooks.app(context)) as receiver,
        registry(tmp_path, receiver=receiver, authorization=authorization) as port,
    ):
        copy = [
            "skopeo",
            "copy",
            "--quiet",
            "--preserve-digests",
            "--dest-tls-verify=false",
            f"oci:{tmp_path / 'layout'}",
        ]
        subprocess.run([*copy, f"docker://127.0.0.1:{port}/pay/api:1.4.2"], check=True)
        with tally.heard:
            # A layer, a configuration and a manifest; the queue of a registry keeps their order.
            assert tally.heard.wait_for(lambda: tally.posts >= 3, timeout=30)
    tally.close()
    with file_database.read() as connection:
        found = [deliveries.get(connection, one.id) for one in deliveries.page(connection, Filter())]
    assert [event for one in found for event in pushed(one)] == [
        ImagePush(repository="pay/api", tag="1.4.2", digest=digest, action=Action.UPDATE)
    ]
    assert {one.headers["authorization"] for one in found} == {"(not kept)"}
