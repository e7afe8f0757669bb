"""Sites in memory whose servers say what they would make of an object: what others set stays."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from drift import answers, inventory, rows, scan
from lockstep import errors
from lockstep.store.database import Database
from lockstep.values import Json, ObjectKey
from tests.drift.telling import PAIR, SITES, Cluster, Manifest, Watch, World


def _as_it_is(manifest: Manifest) -> Manifest:
    return manifest


@dataclass(slots=True)
class Server(Cluster):
    """A site with a server. ``admits`` changes what is applied, ``refuses`` is raised instead of an answer."""

    admits: Callable[[Manifest], Manifest] = _as_it_is
    refuses: errors.LockstepError | None = None
    may: bool = True
    asked: list[Manifest] = field(default_factory=list)
    asked_rights: list[tuple[str, str]] = field(default_factory=list)

    def may_foresee(self, key: ObjectKey, *, api_version: str, seconds: float) -> bool:
        """Whether we may."""
        assert seconds > 0
        self.asked_rights.append((api_version, key.kind))
        return self.may

    def foresee(self, manifest: Mapping[str, Json], *, seconds: float) -> Manifest:
        """Git's fields over those that live."""
        assert seconds > 0
        self.asked.append(copy.deepcopy(dict(manifest)))
        if self.refuses is not None:
            raise self.refuses
        live = self.watch.objects_.get(inventory.key_of(manifest) or ObjectKey.of(dict(manifest)), {})
        return self.admits(merged(live, dict(manifest)))

    @property
    def names(self) -> list[str]:
        """What was asked about since this was looked at last."""
        found, self.asked = [one["metadata"]["name"] for one in self.asked], []
        return found


def merged(live: Json, wanted: Json) -> Json:
    """What becomes of a value: mappings are merged, entries of lists by their name, all else is as wanted."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        return {
            **copy.deepcopy(live),
            **{name: merged(live.get(name), value) for name, value in wanted.items()},
        }
    if isinstance(live, list) and isinstance(wanted, list) and all("name" in one for one in (*live, *wanted)):
        known = {one["name"]: one for one in live}
        return [merged(known.get(one["name"]), one) for one in wanted] + [
            copy.deepcopy(one) for one in live if one["name"] not in {each["name"] for each in wanted}
        ]
    return copy.deepcopy(wanted)


@dataclass(slots=True, kw_only=True)
class House:
    """Seoul and sejong with a server each, and the application ``shop`` in git."""

    world: World
    servers: dict[str, Server]
    _versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def make(cls, root: Path, database: Database, *documents: tuple[str, str, Manifest]) -> House:
        """Both sites are empty."""
        world = World.make(root, database, *documents)
        servers = {site: Server(Watch()) for site in SITES}
        world.watched.clusters = dict(servers)
        world.scanning = replace(world.scanning, answers=answers.Answers(monotonic=world.clock.monotonic))
        return cls(world=world, servers=servers)

    def commit(self, *manifests: Manifest) -> None:
        """Git has these, and nothing else."""
        self.world.git.commits[f"commit-{next(self._versions)}"] = list(manifests)

    def put(self, site: str, *manifests: Manifest) -> None:
        """Write objects at a site, as a server keeps them."""
        for manifest in manifests:
            made = copy.deepcopy(manifest)
            name = made["metadata"]["name"]
            made["metadata"] |= {"uid": f"{site}-{name}", "resourceVersion": str(next(self._versions))}
            self.world.put(site, made)

    def scan(self) -> scan.Scanned:
        """Compare everything, and keep it."""
        self.world.clock.pass_seconds(1)
        topology = self.world.scanning.topology()
        found = scan.scan(self.world.scanning, topology.applications["shop"], topology.pairs[PAIR])
        with self.world.scanning.database.write() as connection:
            found.store(connection)
        return found

    def asked(self) -> list[tuple[str, str]]:
        """What was asked about at which site since this was looked at last, sorted."""
        return sorted((site, name) for site, server in self.servers.items() for name in server.names)


def said(found: tuple[rows.Row, ...]) -> list[tuple[str, str, str, str]]:
    """Verdict, site, name and field of some rows."""
    return [(row.verdict.value, row.site, row.key.name, row.people_path) for row in found]
