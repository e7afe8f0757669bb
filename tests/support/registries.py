"""The real docker-registry on this machine: one process for each registry, with an access log to count by."""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from lockstep.sites.http.places import Guard, Origin
from lockstep.sites.http.wire import Patience, Wire
from lockstep.sites.registry import RegistryStore
from lockstep.sites.registry.conversation import Conversation
from lockstep.sites.registry.credentials import Source, anonymous
from lockstep.sites.registry.names import Names

USER, PASSWORD = "mirror", "made-up"
# bcrypt of the password above, as htpasswd(1) writes it: docker-registry takes no other kind.
_HTPASSWD = f"{USER}:$2b$05$9/w.lqVqGqzyjd8MkkYSAeZulPzbc7kVgH2yFT1MZbLUoPMPxDMrW\n"
_LINE = re.compile(r'"([A-Z]+) (/\S*) HTTP/1\.1" (\d{3}) (\d+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request that a registry answered; ``size`` is that of the answer's body."""

    method: str
    path: str
    status: int
    size: int


@dataclass(slots=True)
class Registry:
    """A docker-registry that runs; ``process`` is its id."""

    port: int
    root: Path
    log: Path
    process: int = 0
    _read_to: int = 0
    _marks: int = 0

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> Origin:
        """Where it answers."""
        return Origin(scheme="http", host="127.0.0.1", port=self.port)

    def store(self, **options: object) -> RegistryStore:
        """Our own door to it."""
        return store(self.origin, **options)  # type: ignore[arg-type]  # the names and types are those of ``store``

    def requests(self) -> list[Seen]:
        """What it was asked since the last call, without what this itself asks."""
        self._marks += 1
        mark = f"/v2/?mark={self._marks}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", mark)
            connection.getresponse().read()
        deadline = time.monotonic() + 10
        while f'"GET {mark} ' not in (text := self.log.read_text()[self._read_to :]):
            assert time.monotonic() < deadline, "the registry logs nothing"
        self._read_to += len(text)
        seen = [Seen(method=m, path=p, status=int(s), size=int(n)) for m, p, s, n in _LINE.findall(text)]
        return [one for one in seen if "/v2/?mark=" not in one.path]

    def methods(self) -> Counter[str]:
        """How often it was asked by each method since the last look."""
        return Counter(one.method for one in self.requests())


def store(
    origin: Origin,
    *,
    prefix: str = "",
    source: Source = anonymous,
    trusted: tuple[str, ...] = (),
    uploads: Path | None = None,
    patience: Patience | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> RegistryStore:
    """A door to a registry, as the configuration would open it."""
    guard = Guard(home=origin, trusted=trusted)
    said = Conversation(Wire(patience=patience), guard, source=source, pause=pause)
    return RegistryStore(said, names=Names(prefix=prefix), uploads=uploads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """How a registry asks for tokens: its own settings of that name."""

    realm: str
    certificate: Path
    service: str = "registry"
    issuer: str = "tests"


@contextlib.contextmanager
def serve(
    root: Path, *, password: bool = False, tokens: Tokens | None = None, deletes: bool = True, port: int = 0
) -> Iterator[Registry]:
    """A registry whose images are below a directory, while the block lasts."""
    root.mkdir(parents=True, exist_ok=True)
    registry = Registry(port=port or free_port(), root=root, log=root / "access.log")
    config = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": False}},
        "storage": {
            "filesystem": {"rootdirectory": str(root / "images")},
            "delete": {"enabled": deletes},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": registry.host, "secret": "made-up"},
        "auth": _auth(root, password=password, tokens=tokens),
    }
    file = root / "config.json"  # JSON is YAML
    file.write_bytes(orjson.dumps({key: value for key, value in config.items() if value}))
    with registry.log.open("ab") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(file)], stdout=log, stderr=subprocess.DEVNULL)
        try:
            registry.process = process.pid
            _await(process, registry.port)
            yield registry
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _auth(root: Path, *, password: bool, tokens: Tokens | None) -> dict[str, object]:
    if password:
        (root / "htpasswd").write_text(_HTPASSWD)
        return {"htpasswd": {"realm": "tests", "path": str(root / "htpasswd")}}
    if tokens is not None:
        names = {"realm": tokens.realm, "service": tokens.service, "issuer": tokens.issuer}
        return {"token": {**names, "rootcertbundle": str(tokens.certificate)}}
    return {}


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "docker-registry ended by itself"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
    raise AssertionError("docker-registry does not listen")


@dataclass
class Fleet:
    """A source and three sites, each a registry of its own."""

    source: Registry
    sites: dict[str, Registry] = field(default_factory=dict)

    @property
    def all(self) -> list[Registry]:
        """All of them."""
        return [self.source, *self.sites.values()]

    def forget(self) -> None:
        """Count from here."""
        for registry in self.all:
            registry.requests()


@contextlib.contextmanager
def fleet(root: Path, *sites: str) -> Iterator[Fleet]:
    """A source and these sites, while the block lasts."""
    with contextlib.ExitStack() as running:
        source = running.enter_context(serve(root / "source"))
        yield Fleet(source=source, sites={site: running.enter_context(serve(root / site)) for site in sites})
