"""Kinds that somebody else has defined: who is asked whether they live in a namespace, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field

from lockstep import errors
from lockstep.sites import ends, scopes
from lockstep.values import Json
from tests.support.clusters import MemoryCluster

ISSUER = ("cert.example", "ClusterIssuer")


@dataclass(slots=True)
class _Server(MemoryCluster):
    """Serves what a test says, or is away."""

    serves: frozenset[tuple[str, str]] = frozenset()
    away: bool = False
    asked: list[int] = field(default_factory=list)

    def kinds(self) -> ends.Kinds:
        """What it serves."""
        self.asked.append(1)
        if self.away:
            raise errors.UnreachableError("gone", remedy="Wait.")
        served = frozenset({("cert.example/v1", "ClusterIssuer"), ("cert.example/v1", "Certificate")})
        return ends.Kinds(served=served if self.serves else frozenset(), cluster_scoped=self.serves)

    def version(self) -> str:
        """Which it is."""
        return "1.36"


def _object(kind: str, api_version: str = "cert.example/v1") -> dict[str, Json]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}}


OBJECTS = [_object("ClusterIssuer"), _object("Certificate"), _object("ConfigMap", "v1"), _object("Namespace", "v1")]


def test_the_first_site_that_serves_a_kind_says_where_it_lives_once_and_for_all() -> None:
    """A directory knows nothing, and nobody else is asked afterwards."""
    servers = {
        "files": MemoryCluster(),
        "seoul": _Server(serves=frozenset({ISSUER})),
        "sejong": _Server(serves=frozenset({ISSUER})),
    }
    asked = scopes.Scopes(servers.__getitem__)
    assert asked.without_namespace(OBJECTS, servers) == {ISSUER}
    assert asked.without_namespace(OBJECTS, ["sejong"]) == {ISSUER}
    assert [len(one.asked) for one in servers.values() if isinstance(one, _Server)] == [1, 0]


def test_who_does_not_know_or_answer_is_asked_again_after_a_while() -> None:
    """A rendering does not wait for it every time."""
    now = [1000.0]
    server = _Server(serves=frozenset({ISSUER}), away=True)
    asked = scopes.Scopes(lambda _: server, monotonic=lambda: now[0])
    assert [asked.without_namespace(OBJECTS, ["seoul"]) for _ in range(3)] == [frozenset()] * 3
    assert len(server.asked) == 1
    server.away = False
    now[0] += 60
    assert asked.without_namespace(OBJECTS, ["seoul"]) == {ISSUER}


def test_what_is_known_without_asking_asks_nobody() -> None:
    """Kubernetes' own kinds, and those that come with their definition."""
    spec = {"group": "cert.example", "names": {"kind": "ClusterIssuer"}, "scope": "Cluster"}
    definition = {**_object("CustomResourceDefinition", "apiextensions.k8s.io/v1"), "spec": spec}
    server = _Server()
    known = [
        definition,
        _object("ClusterIssuer"),
        _object("ConfigMap", "v1"),
        _object("PodSecurityPolicy", "policy/v1"),
    ]
    assert scopes.Scopes(lambda _: server).without_namespace(known, ["seoul"]) == frozenset()
    assert server.asked == []
