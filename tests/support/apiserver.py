"""What tests may ask of an API server, and the real one: ``etcd`` and ``kube-apiserver`` on the loopback.

The double gives the same ``Server``, so that one suite runs on both. Nothing but the API is behind it: neither has
controllers, so the tests move status themselves, over the API, with ``Admin``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from lockstep import children
from lockstep.values import Json
from tests.support import certificates, leashed

_START_SECONDS = 120.0
_MERGE = "application/merge-patch+json"
_SERVING = b"Serving securely"
_RBAC = "rbac.authorization.k8s.io"
_PROGRAMS = ("etcd", "kube-apiserver")


class Server(Protocol):
    """An API server: the real one, or the double."""

    @property
    def title(self) -> str:
        """Which one it is, with its version."""
        ...

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        ...

    def kubeconfig(self, user: str = "admin") -> Path:
        """A kubeconfig of one context, named like the user, in a file of its own, written as JSON.

        ``admin`` may do everything. Anybody else is known to the server by that name, belongs to no group but
        ``system:authenticated``, and may do what RBAC objects that a test has made allow.
        """
        ...


class Admin:
    """A client of its own, which tests arrange things with and look at what is really there.

    Args:
        server: The server.
        user: Who it is; ``admin`` may do everything.
    """

    def __init__(self, server: Server, *, user: str = "admin") -> None:
        self._client = client(server, user=user)

    def ask(self, method: str, path: str, body: Json = None, *, content_type: str = "application/json") -> Json:
        """The JSON that a request is answered with, which has to be a success."""
        answer = self._client.request(
            method, path, content=None if body is None else json.dumps(body), headers={"Content-Type": content_type}
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def get(self, path: str) -> Json:
        """One object or a list, such as ``/api/v1/namespaces/pay/configmaps/settings``."""
        return self.ask("GET", path)

    def create(self, path: str, manifest: Mapping[str, Json]) -> Json:
        """Create an object in a collection, such as ``/api/v1/namespaces``."""
        return self.ask("POST", path, dict(manifest))

    def merge(self, path: str, patch: Mapping[str, Json]) -> Json:
        """Change an object as somebody with ``kubectl edit`` does: a merge patch by another field manager."""
        return self.ask("PATCH", f"{path}?fieldManager=somebody", dict(patch), content_type=_MERGE)

    def move(self, path: str, status: Mapping[str, Json]) -> Json:
        """Set the status of an object, as its controller would: a merge patch of the subresource ``status``."""
        return self.ask(
            "PATCH", f"{path}/status?fieldManager=controller", {"status": dict(status)}, content_type=_MERGE
        )

    def delete(self, path: str) -> None:
        """Delete an object."""
        self.ask("DELETE", path)

    def answers(self, path: str) -> bool:
        """Whether there is anything at a path."""
        return self._client.get(path).is_success

    def bind(self, namespace: str, *, role: str, user: str) -> None:
        """Let somebody do in a namespace what a role there allows."""
        binding = {
            "metadata": {"name": f"{role}-{user}"},
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": role},
            "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": user}],
        }
        self.create(f"/apis/{_RBAC}/v1/namespaces/{namespace}/rolebindings", binding)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


def client(server: Server, *, user: str = "admin") -> httpx.Client:
    """A client that asks as a user, for whoever closes it."""
    config = json.loads(server.kubeconfig(user).read_text())
    cluster, shown = config["clusters"][0]["cluster"], config["users"][0]["user"]
    headers = {"Authorization": f"Bearer {shown['token']}"} if "token" in shown else {}
    verify: ssl.SSLContext | bool = True
    if cluster["server"].startswith("https:"):
        verify = _tls(cluster, shown, server.kubeconfig(user).with_suffix(".pem"))
    return httpx.Client(base_url=cluster["server"], verify=verify, headers=headers, timeout=60, trust_env=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RealServer:
    """A ``kube-apiserver`` that lives as long as ``started`` lets it."""

    title: str
    url: str
    authority: certificates.Authority = field(repr=False)

    def kubeconfig(self, user: str = "admin") -> Path:
        """As ``Server`` says, with a client certificate."""
        file = self.authority.folder / f"{user}.kubeconfig"
        if not file.exists():
            client = self.authority.client(user, group="system:masters" if user == "admin" else "")
            who = {"client-certificate-data": _encoded(client.certificate), "client-key-data": _encoded(client.key)}
            where = {"server": self.url, "certificate-authority-data": _encoded(self.authority.own.certificate)}
            file.touch(mode=0o600)
            file.write_text(json.dumps(kubeconfig(user, cluster=where, user=who)))
        return file


def kubeconfig(name: str, *, cluster: Mapping[str, Json], user: Mapping[str, Json]) -> dict[str, Json]:
    """A kubeconfig of one context, cluster and user, all of the same name."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": dict(cluster)}],
        "users": [{"name": name, "user": dict(user)}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def is_there(assets: Path) -> bool:
    """Whether a folder, such as ``KUBEBUILDER_ASSETS`` names, has what a real server needs."""
    return all((assets / program).is_file() for program in _PROGRAMS)


@contextlib.contextmanager
def started(assets: Path, folder: Path) -> Iterator[RealServer]:
    """Run a real server while the block lasts; everything that it writes is below the folder."""
    made = certificates.authority(folder)
    etcd, peer, port = _free_ports(3)
    # Nothing here has to survive a power cut.
    store = ["--data-dir", str(folder / "etcd"), "--unsafe-no-fsync", "--log-level", "error"]
    listening = [("client", etcd), ("peer", peer)]
    store += [word for what, at in listening for word in (f"--listen-{what}-urls", f"http://127.0.0.1:{at}")]
    store += ["--advertise-client-urls", f"http://127.0.0.1:{etcd}"]
    store += ["--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}"]
    store += ["--initial-cluster", f"default=http://127.0.0.1:{peer}"]
    server = RealServer(title=_version(assets), url=f"https://127.0.0.1:{port}", authority=made)
    program = _command([str(assets / "kube-apiserver"), *_arguments(made, etcd=etcd, port=port)], folder)
    with (
        leashed.running(_command([str(assets / "etcd"), *store], folder), ready=lambda _: True, seconds=0),
        leashed.running(program, ready=lambda said: _SERVING in said, seconds=_START_SECONDS),
    ):
        _wait(server)
        yield server


def _command(argv: list[str], folder: Path) -> children.Command:
    return children.Command(argv=argv, env={"HOME": str(folder)}, cwd=folder)


def _arguments(made: certificates.Authority, *, etcd: int, port: int) -> list[str]:
    own, tls = made.own, made.server()
    given = {
        "etcd-servers": f"http://127.0.0.1:{etcd}",
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "secure-port": str(port),
        "tls-cert-file": str(tls.certificate),
        "tls-private-key-file": str(tls.key),
        "client-ca-file": str(own.certificate),
        "authorization-mode": "RBAC",
        "service-cluster-ip-range": "10.0.0.0/16",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(own.certificate),
        "service-account-signing-key-file": str(own.key),
        "allow-privileged": "true",
    }
    return [f"--{name}={value}" for name, value in given.items()]


def _wait(server: RealServer) -> None:
    """Until it is ready, and has made the roles that it makes for itself."""
    until = time.monotonic() + _START_SECONDS
    admin = Admin(server)
    try:
        while True:
            try:
                admin.ask("GET", "/readyz")
            except json.JSONDecodeError:
                return  # it says "ok", which is no JSON
            except (httpx.TransportError, AssertionError):
                if time.monotonic() > until:
                    raise
            time.sleep(0.1)
    finally:
        admin.close()


def _version(assets: Path) -> str:
    said = subprocess.run([str(assets / "kube-apiserver"), "--version"], check=True, capture_output=True)
    return f"kube-apiserver {said.stdout.decode().split()[-1]}"


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in found]


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def _tls(cluster: Mapping[str, Json], user: Mapping[str, Json], file: Path) -> ssl.SSLContext:
    """What to believe, and who we are when a certificate says so."""
    believed = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=believed)
    if "client-certificate-data" in user:
        file.write_bytes(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
        context.load_cert_chain(file)
    return context
