"""A server of large files that speaks the Batch API of git LFS, and how such servers behave on bad days."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.repositories import Repository

Send = Callable[..., None]
MEDIA_TYPE = "application/vnd.git-lfs+json"


def pointer(content: bytes) -> str:
    """What stands in git for a large file (git-lfs, ``docs/spec.md``)."""
    oid = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"


def commit(repository: Repository, ref: str, name: str, content: bytes) -> str:
    """Commit a pointer, and put its large file beside the repository; the file's id."""
    repository.commit(ref, {name: pointer(content), ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    oid = hashlib.sha256(content).hexdigest()
    path = place(repository, oid)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return oid


def place(repository: Repository, oid: str) -> Path:
    """Where git LFS keeps a large file beside a repository on disk."""
    return repository.path / "lfs/objects" / oid[:2] / oid[2:4] / oid


@dataclass(slots=True)
class Lfs:
    """The large files of every repository of a server, and how it behaves.

    ``behaviour`` is ``off`` (it keeps none), ``page`` (it answers with HTML), ``lies`` (it sends other bytes), ``cut``
    (it sends fewer), ``forgets`` (it takes a file and does not have it), ``elsewhere`` (it leads to a private host),
    ``junk`` (JSON that is no answer), ``header`` (it wants a header that is two) or a status.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    behaviour: str = ""
    requests: list[str] = field(default_factory=list)

    def answer(self, method: str, url: str, body: bytes, send: Send) -> None:
        """Answer one request; ``url`` is the whole of it."""
        base, _, rest = url.partition("/info/lfs/")
        what, _, oid = rest.rpartition("/")
        self.requests.append(f"{method} {what}/{oid}" if oid == "batch" else f"{method} {what}/{oid[:6]}")
        if self.behaviour == "off":
            return send(404, b"")
        if self.behaviour == "page":
            return send(200, b"<html>Please log in</html>", **{"Content-Type": "text/html"})
        if self.behaviour.isdigit():
            return send(int(self.behaviour), json.dumps({"message": "\x1b[31mno\x1b[0m"}).encode())
        if oid == "batch":
            return self._batch(f"{base}/info/lfs", json.loads(body), send)
        if what == "verify":
            asked = json.loads(body)
            content = self.files.get(asked["oid"], b"")
            if self.behaviour == "forgets":
                del self.files[asked["oid"]]
            return send(200 if len(content) == asked["size"] else 404, b"{}")
        return self._transfer(method, oid, body, send)

    def _batch(self, base: str, asked: Mapping[str, object], send: Send) -> None:
        objects = asked["objects"]
        assert isinstance(objects, list)
        if self.behaviour == "junk":
            return send(200, b'{"objects": 5}', **{"Content-Type": MEDIA_TYPE})
        told = [self._object(base, str(asked["operation"]), one) for one in objects]
        return send(200, json.dumps({"transfer": "basic", "objects": told}).encode(), **{"Content-Type": MEDIA_TYPE})

    def _object(self, base: str, operation: str, one: dict[str, object]) -> dict[str, object]:
        oid = str(one["oid"])
        if operation == "download" and oid not in self.files:
            return {**one, "error": {"code": 404, "message": "not here"}}
        if operation == "upload" and oid in self.files:
            return dict(one)
        place = "http://10.255.255.1" if self.behaviour == "elsewhere" else base
        header = {"X-Evil": "a\r\nb: c"} if self.behaviour == "header" else {"X-Ticket": "1"}
        actions = {operation: {"href": f"{place}/objects/{oid}", "header": header}}
        if operation == "upload":
            actions["verify"] = {"href": f"{base}/verify/{oid}", "header": {}}
        return {**one, "actions": actions}

    def _transfer(self, method: str, oid: str, body: bytes, send: Send) -> None:
        if method == "PUT":
            self.files[oid] = body
            return send(200, b"")
        content = self.files[oid]
        if self.behaviour == "lies":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if self.behaviour == "cut":
            content = content[:-1]
        return send(200, content)
