"""What is gathered of a cluster beneath its applications, at an API server that answers as the real one does."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from drift import doors, redact
from drift.checks import nodes
from drift.checks.facts import Unread
from drift.gathering import grounds
from drift.gathering.doors import Gathering, Looks
from lockstep import errors
from lockstep.sites import archive, cluster
from lockstep.store.database import Database
from lockstep.topology import kinds, secrets
from tests.support import configured, kubernetes_double, topologies


class Sites:
    """One site with a server, or with nothing that answers."""

    def __init__(self, end: cluster.KubernetesCluster | None) -> None:
        self._end = end

    def cluster(self, site: str) -> cluster.KubernetesCluster:
        """The server."""
        if self._end is None:
            raise errors.UnauthorisedError(f"{site} does not know us.")
        return self._end

    def archive(self, site: str) -> archive.Archive | None:
        """None."""


def gathering(database: Database, end: cluster.KubernetesCluster | None) -> Gathering:
    """What gathering the ground needs."""
    scanning = doors.Scanning(
        topology=topologies.topology,
        database=database,
        sites=Sites(end),
        renderer=cast("doors.Renderer", None),
        sealer=redact.Sealer(b"a key of this installation"),
    )
    return Gathering(scanning=scanning, looks=cast("Looks", None))


def site(**spec: object) -> kinds.Site:
    """The site."""
    return configured.site("sejong", **spec)


def test_a_server_says_what_it_serves_which_version_it_is_and_what_it_has(tmp_path: Path, database: Database) -> None:
    """Nodes with their room, quotas, and its version without a vendor's sign."""
    with kubernetes_double.serving(tmp_path / "double", tls=False) as double:
        kubeconfig = double.kubeconfig()
        place = kinds.ClusterEnd.model_validate({"kubeconfig": {"file": str(kubeconfig)}})
        end = cluster.open_cluster(place, reader=secrets.Reader(Path("/"), {}), path=Path)
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}}
        end.apply({**quota, "spec": {"hard": {"pods": "2"}}})
        found = grounds.ground(gathering(database, end), site(cluster={"kubeconfig": {"file": str(kubeconfig)}}))
        end.close()
    assert not isinstance(found.read, Unread)
    assert not isinstance(found.served, Unread)
    assert ("apps/v1", "Deployment") in found.served.served
    assert isinstance(found.version, str)
    assert found.version.startswith("1.")
    assert [key.name for key, _ in found.of("", "ResourceQuota")] == ["q"]
    assert nodes.nothing_runs(found) is None


def test_a_site_that_does_not_let_us_in_is_not_authorised(database: Database) -> None:
    """Which is told apart from one that does not answer, and neither is empty."""
    found = grounds.ground(gathering(database, None), site(cluster={"kubeconfig": {"file": "/nowhere"}}))
    assert isinstance(found.read, Unread)
    assert found.read.denied
    assert found.gap("", "Node") == found.read


def test_a_site_without_a_cluster_has_none_of_it_and_nobody_failed(database: Database) -> None:
    """A warm site with an archive: checks of nodes are not covered there."""
    found = grounds.ground(gathering(database, None), site())
    assert isinstance(found.read, Unread)
    assert (found.read.impossible, found.read.denied, found.runs) == (True, False, False)
