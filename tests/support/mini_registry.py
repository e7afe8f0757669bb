"""A small registry in this process that does what the specification says, until a test's script says otherwise.

It knows what docker-registry 2.8 does not: referrers, deleting tags, anonymous mounts. A script sees every
request first and may answer instead; ``Cut`` breaks the connection in the middle of a body.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, urlsplit

import orjson

from lockstep.sites import ends, oci
from lockstep.sites.http.places import Origin
from lockstep.sites.http.wire import Patience
from lockstep.sites.registry import RegistryStore
from tests.support import registries

QUICK = Patience(connect_seconds=5, silence_seconds=2, slow_seconds=0.3, pause_seconds=0.01, most_pause_seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, without its body; names of headers are in lower case."""

    method: str
    path: str
    raw_query: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    number: int
    """How many requests of this method and path there were, this one included."""
    port: int
    """Where the client's end of the connection is."""

    def is_(self, method: str, part: str) -> bool:
        """Whether it is of a method and about something."""
        return self.method == method and part in self.path


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; ``length`` is what is announced when that is not the truth, ``cut`` where the line breaks."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int = -1
    cut: int = -1


@dataclass(frozen=True, slots=True)
class Swallow:
    """Read so many bytes of the request's body, then break the line."""

    bytes: int


@dataclass(frozen=True, slots=True)
class Raw:
    """Say these bytes instead of an answer, and break the line; with ``stays`` say no more, and let it be."""

    said: bytes
    stays: bool = False


Script = Callable[[Asked], Reply | Swallow | Raw | None]


def _follow(_asked: Asked) -> None:
    """Do what the specification says."""


@dataclass
class Scripted:
    """The registry's state, and its script."""

    script: Script = _follow
    referrers: bool = True
    origin: Origin = field(default_factory=lambda: Origin(scheme="http", host="127.0.0.1", port=1))
    blobs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    manifests: dict[str, dict[str, tuple[str, bytes]]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """Bodies of requests, but those of uploads."""
    received: int = 0
    """Bytes of blobs."""
    _numbers: Counter[tuple[str, str]] = field(default_factory=Counter)
    _sessions: Iterator[int] = field(default_factory=itertools.count)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def url(self) -> str:
        """Where it answers."""
        return str(self.origin)

    def store(self, **options: object) -> RegistryStore:
        """Our own door to it, with little patience."""
        return registries.store(self.origin, **{"patience": QUICK, **options})  # type: ignore[arg-type]  # the names and types are those of ``store``

    def count(self, method: str, part: str = "") -> int:
        """How often something was asked."""
        return sum(one.is_(method, part) for one in self.asked)

    def note(self, method: str, target: str, headers: Mapping[str, str], port: int) -> Asked:
        """Remember a request."""
        parts = urlsplit(target)
        with self.lock:
            self._numbers[method, parts.path] += 1
            asked = Asked(
                method=method,
                path=parts.path,
                raw_query=parts.query,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in headers.items()},
                number=self._numbers[method, parts.path],
                port=port,
            )
            self.asked.append(asked)
        return asked

    # --- what the specification says

    def answer(self, asked: Asked, body: bytes) -> Reply:
        """Answer as a registry does."""
        routes: list[tuple[str, Callable[..., Reply]]] = [
            (r"/v2/(.+)/tags/list", self._list_tags),
            (r"/v2/_catalog", self._catalog),
            (r"/v2/(.+)/referrers/(.+)", self._referrers),
            (r"/v2/(.+)/manifests/([^/]+)", self._manifest),
            (r"/v2/(.+)/blobs/uploads/", self._begin),
            (r"/v2/(.+)/blobs/uploads/([^/]+)", self._upload),
            (r"/v2/(.+)/blobs/([^/]+)", self._blob),
        ]
        for pattern, route in routes:
            found = re.fullmatch(pattern, asked.path)
            if found:
                with self.lock:
                    return route(asked, body, *found.groups())
        return Reply(200, b"{}") if asked.path == "/v2/" else error(404, "UNSUPPORTED")

    def _list_tags(self, _asked: Asked, _body: bytes, name: str) -> Reply:
        if name not in self.manifests:
            return error(404, "NAME_UNKNOWN")
        return _json({"name": name, "tags": sorted(self.tags.get(name, {}))})

    def _catalog(self, _asked: Asked, _body: bytes) -> Reply:
        return _json({"repositories": sorted(self.manifests)})

    def _referrers(self, _asked: Asked, _body: bytes, name: str, digest: str) -> Reply:
        if not self.referrers:
            return error(404, "UNSUPPORTED")
        entries = []
        for own, (kind, raw) in self.manifests.get(name, {}).items():
            found = orjson.loads(raw)
            if (found.get("subject") or {}).get("digest") == digest:
                entries.append({"mediaType": kind, "digest": own, "size": len(raw), "artifactType": "x"})
        return _json({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": entries}, oci.OCI_INDEX)

    def _manifest(self, asked: Asked, body: bytes, name: str, reference: str) -> Reply:
        if asked.method == "PUT":
            return self._put_manifest(asked, body, name, reference)
        digest = self.tags.get(name, {}).get(reference, reference)
        found = self.manifests.get(name, {}).get(digest)
        if found is None:
            return error(404, "MANIFEST_UNKNOWN")
        if asked.method == "DELETE":
            if self.tags[name].pop(reference, None) is None:
                del self.manifests[name][digest]
                self.tags[name] = {tag: own for tag, own in self.tags[name].items() if own != digest}
            return Reply(202)
        return Reply(200, found[1], {"Content-Type": found[0], "Docker-Content-Digest": digest})

    def _put_manifest(self, asked: Asked, body: bytes, name: str, reference: str) -> Reply:
        kind = asked.headers["content-type"]
        algorithm = reference.partition(":")[0] if ":" in reference else "sha256"
        digest = f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
        if ":" in reference and digest != reference:
            return error(400, "DIGEST_INVALID")
        inside = oci.contents(ends.Manifest(media_type=kind, digest=digest, raw=body))
        for blob in inside.blobs:
            if blob.digest not in self.blobs.get(name, {}) and not oci.is_optional(blob):
                return error(404, "MANIFEST_BLOB_UNKNOWN")
        if any(child.digest not in self.manifests.get(name, {}) for child in inside.children):
            return error(404, "MANIFEST_BLOB_UNKNOWN")
        self.manifests.setdefault(name, {})[digest] = (kind, body)
        tags = self.tags.setdefault(name, {})
        if ":" not in reference:
            tags[reference] = digest
        subject = {"OCI-Subject": inside.subject.digest} if inside.subject and self.referrers else {}
        return Reply(201, headers={"Docker-Content-Digest": digest, **subject})

    def _begin(self, asked: Asked, _body: bytes, name: str) -> Reply:
        wanted, origin = asked.query.get("mount", ""), asked.query.get("from", "")
        homes = [origin] if origin else list(self.blobs) if wanted else []
        held = next((self.blobs[home][wanted] for home in homes if wanted in self.blobs.get(home, {})), None)
        if held is not None:
            self.blobs.setdefault(name, {})[wanted] = held
            return Reply(201)
        session = f"session-{next(self._sessions)}"
        self.uploads[session] = bytearray()
        return Reply(202, headers={"Location": f"/v2/{name}/blobs/uploads/{session}", "Range": "0-0"})

    def _upload(self, asked: Asked, body: bytes, name: str, session: str) -> Reply:
        held = self.uploads.get(session)
        if held is None:
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        if asked.method == "DELETE":
            del self.uploads[session]
            return Reply(204)
        if "content-range" in asked.headers and not asked.headers["content-range"].startswith(f"{len(held)}-"):
            return Reply(416)
        held += body
        state = {"Location": asked.path, "Range": f"0-{max(len(held) - 1, 0)}"}
        if asked.method != "PUT":
            return Reply(204 if asked.method == "GET" else 202, headers=state)
        digest = asked.query["digest"]
        if f"{digest.partition(':')[0]}:{hashlib.new(digest.partition(':')[0], held).hexdigest()}" != digest:
            return error(400, "DIGEST_INVALID")
        self.blobs.setdefault(name, {})[digest] = bytes(held)
        del self.uploads[session]
        return Reply(201, headers={"Docker-Content-Digest": digest})

    def _blob(self, asked: Asked, _body: bytes, name: str, digest: str) -> Reply:
        found = self.blobs.get(name, {}).get(digest)
        if found is None:
            return error(404, "BLOB_UNKNOWN")
        begin = int(asked.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if not begin:
            return Reply(200, found, {"Docker-Content-Digest": digest})
        return Reply(206, found[begin:], {"Content-Range": f"bytes {begin}-{len(found) - 1}/{len(found)}"})


def error(status: int, code: str, message: str = "", **headers: str) -> Reply:
    """An answer with an error code."""
    body = orjson.dumps({"errors": [{"code": code, "message": message}]})
    return Reply(status, body, {"Content-Type": "application/json", **headers})


def _json(body: object, kind: str = "application/json") -> Reply:
    return Reply(200, orjson.dumps(body), {"Content-Type": kind})


@contextlib.contextmanager
def serve(script: Script = _follow, *, certificate: Path | None = None, **options: object) -> Iterator[Scripted]:
    """A registry on loopback while the block lasts; with a certificate (and its key, in one file) over TLS."""
    state = Scripted(script=script, **options)  # type: ignore[arg-type]  # the names and types are those of its fields
    server = _Server(("127.0.0.1", 0), _Handler)
    server.state = state
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    state.origin = Origin(scheme=scheme, host="127.0.0.1", port=server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    state: Scripted
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]  # handed on as they came
        self.closing = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """A line that breaks is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Silence."""

    def do_GET(self) -> None:
        state = cast("_Server", self.server).state
        asked = state.note(self.command, self.path, dict(self.headers.items()), self.client_address[1])
        reply = state.script(asked)
        announced = int(self.headers.get("Content-Length") or 0)
        body = self._take(state, asked, reply.bytes if isinstance(reply, Swallow) else announced)
        if isinstance(reply, Swallow) or len(body) < announced:
            self._break()
            return
        if isinstance(reply, Raw):
            self._say(reply)
            return
        self._send(reply or state.answer(asked, body))

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names are the base class's

    def _take(self, state: Scripted, asked: Asked, size: int) -> bytes:
        """Read a body; what comes of an upload before the line breaks is kept, as registries do."""
        body = self.rfile.read(size)
        if "/uploads/" in asked.path:
            state.received += len(body)
            if len(body) < int(self.headers.get("Content-Length") or 0):
                state.uploads[asked.path.rpartition("/")[2]] += body
        else:
            state.bodies.append(body)
        return body

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(reply.length if reply.length >= 0 else len(reply.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(reply.body if reply.cut < 0 else reply.body[: reply.cut])
        if reply.cut >= 0 or 0 <= len(reply.body) < reply.length:
            self._break()

    def _say(self, raw: Raw) -> None:
        self.wfile.write(raw.said)
        if raw.stays:
            self.wfile.flush()
            self.rfile.read(1)  # until the other side has enough of it
        self._break()

    def _break(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.close()
