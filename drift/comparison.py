"""One comparison of an application over a pair, from its stance to its survey.

What goes wrong on the way (a site that does not answer, a rendering that fails) makes the comparison Unknown,
with the reason; it never makes it fail, and it resolves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass, replace
from datetime import datetime

from drift import identity, inventory, survey
from drift.across import Across
from drift.answers import Answer, Question
from drift.doors import Scanning, Seen
from drift.examine import Examiner, Manifest
from drift.expected import Rules
from drift.health import Observations
from drift.implied import Scalers, SiteFacts
from drift.inventory import Reading
from drift.judging import Context
from drift.normalise import collect, home
from drift.older import MOST, Older, Rendered, revisions
from drift.packed import Packed
from drift.shelves import Shelves
from drift.survey import Ground
from lockstep import errors
from lockstep.manifests import applyset, desired
from lockstep.manifests.images import Undetermined
from lockstep.sites import ends
from lockstep.store import deployments, stances
from lockstep.topology import direction, kinds
from lockstep.topology.model import Topology
from lockstep.topology.objects import ObjectPattern
from lockstep.values import Json, ObjectKey, Stance, Tier

CUSTOM_RESOURCE = "CustomResourceDefinition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What git wants at a commit, at the truth and at its follower; an archive is to have the full size.

    ``undetermined`` are the images of which nobody knows which they are, by object.
    """

    revision: str
    notes: tuple[str, ...]
    objects: tuple[Rendered, Rendered]
    undetermined: tuple[Mapping[ObjectKey, Sequence[Undetermined]], Mapping[ObjectKey, Sequence[Undetermined]]]

    @property
    def rendering(self) -> dict[str, Json]:
        """What is told of it: ``{"revision":, "notes": [...]}``."""
        return {"revision": self.revision, "notes": list(self.notes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Who is compared with whom: two sites, as their pair faces now. ``deployed`` changes with each deploy."""

    scanning: Scanning
    topology: Topology
    application: kinds.Application
    faced: direction.Direction
    places: Mapping[str, direction.Place]
    deployed: tuple[object, ...]
    started_at: datetime

    @classmethod
    def of(cls, scanning: Scanning, application: kinds.Application, pair: kinds.Pair) -> Comparison:
        """Begin: which of the two sites is the truth follows from the stance."""
        topology = scanning.topology()
        with scanning.database.read() as connection:
            known = stances.in_force(connection, [one.name for one, _ in topology.pairs_of(application)])
            deployed = deployments.mark(connection, application.name)
        return cls(
            scanning=scanning,
            topology=topology,
            application=application,
            faced=direction.direction_of(pair, known[pair.name]),
            places={place.site: place for place in direction.places_of(topology, application, known)},
            deployed=deployed,
            started_at=scanning.clock.now(),
        )

    @property
    def sites(self) -> tuple[str, str]:
        """The truth and its follower."""
        return self.faced.truth, self.faced.follower

    @property
    def is_warm(self) -> bool:
        """Whether the follower keeps the application in an archive, and nothing runs there."""
        warm = self.places[self.faced.follower].tier is Tier.WARM
        return warm and self.scanning.sites.archive(self.faced.follower) is not None

    def wanted(self, revision: str = "", *, pool: dict[bytes, bytes] | None = None) -> Wanted:
        """What git wants, now or at a commit; equal manifests are kept once in all that share a pool.

        Raises:
            LockstepError: Nobody can say.
        """
        pool = {} if pool is None else pool
        renderer = self.scanning.renderer
        revision = revision or renderer.head(self.application)
        truth, follower = (renderer.desired(self.application, self.places[site], revision) for site in self.sites)
        objects = truth.objects, follower.full if self.is_warm else follower.objects
        keyed = [inventory.by_key(one, sealer=self.scanning.sealer)[0] for one in objects]
        notes = [note for side in (truth, follower) for note in side.notes]
        packed = tuple(Packed(one, pool=pool) for one in keyed)
        return Wanted(
            revision=revision,
            notes=tuple(notes),
            objects=(packed[0], packed[1]),
            undetermined=(_undetermined(truth), _undetermined(follower)),
        )

    def basis(self) -> tuple[object, ...]:
        """Everything that a comparison stands on beside objects: when it is another, everything is compared anew.

        Raises:
            LockstepError: Nobody can say what git wants.
        """
        head = self.scanning.renderer.head(self.application)
        return self.topology.digest, self.faced, self.places, self.started_at.date(), head, self.deployed

    def selection(self, wanted: Wanted) -> ends.Selection:
        """What to read of a site."""
        return inventory.selection_of(wanted.objects, namespace=self.application.spec.namespace)

    def read(self, selection: ends.Selection) -> tuple[Reading, Reading]:
        """Both sites, at once: one that is slow to fail does not hold up the other, nor those that read the other.

        Raises:
            TakenError: One of them keeps as many waiting as may wait for it.
        """
        with self.scanning.turns.taken(self.sites) as give_back, futures.ThreadPoolExecutor(max_workers=2) as pool:

            def read(site: str) -> Reading:
                try:
                    return self._read(site, selection)
                finally:
                    give_back(site)

            truth, follower = pool.map(read, self.sites)
        return truth, self._another(follower, than=truth)

    def _another(self, follower: Reading, *, than: Reading) -> Reading:
        """The follower's reading; nothing was read where it is the truth's own cluster under another name."""
        if not (self.runs(follower.site) and self.runs(than.site)):
            return follower
        same = identity.shared(than.objects, follower.objects)
        if not same:
            return follower
        why = f"It is the cluster of {than.site}: {same} is one object at both. {identity.REMEDY}"
        gap = ends.Gap(what=f"everything at {follower.site}", why=why)
        return Reading(site=follower.site, objects={}, gaps=(gap,), read_at=follower.read_at, address=follower.address)

    def ground(self, wanted: Wanted, readings: tuple[Reading, Reading], scalers: tuple[Scalers, Scalers]) -> Ground:
        """What everything that is to be said of the application over the pair stands on."""
        everything = (*wanted.objects, *(side.objects for side in readings))
        examiner = Examiner(
            context=self._context(scalers),
            schemas=collect(one[key] for one in everything for key in one if key.kind == CUSTOM_RESOURCE),
            older=Older(lambda: self._older(wanted.revision)),
            memory=self.scanning.memory,
            sealer=self.scanning.sealer,
            foresight=self._foreseen if any(self.server(site) for site in self.sites) else None,
        )
        return Ground(
            readings=readings,
            git=wanted.objects,
            examiner=examiner,
            scope=_scope(self.application),
            undetermined=wanted.undetermined,
        )

    def running(self, observed: tuple[Observations | None, Observations | None]) -> Across:
        """Which images run at both sites; of a site that runs nothing nothing is observed."""
        pods = tuple(one.pods if one is not None else None for one in observed)
        shelves = Shelves.of(
            self.scanning.database,
            (facts(self.topology.site(self.faced.truth)), facts(self.topology.site(self.faced.follower))),
            [image.name for image in self.application.spec.images],
        )
        return Across(self.sites, (pods[0], pods[1]), known=shelves)

    def server(self, site: str) -> ends.Foreseeing | None:
        """The server of a site that may be asked what it would make of git; None when there is none."""
        spec = self.topology.site(site).spec.cluster
        if spec is None or spec.server_side_dry_run == "never":
            return None
        try:
            end = self._end(site)
        except errors.LockstepError:
            return None
        return end if isinstance(end, ends.Foreseeing) else None

    def observed(self, ground: Ground) -> tuple[Observations | None, Observations | None]:
        """How single objects at the truth and at the follower are; None for a site that runs nothing."""
        truth, follower = (self._observed(ground, side) for side in (0, 1))
        return truth, follower

    def _observed(self, ground: Ground, side: int) -> Observations | None:
        found, wanted, scope = ground.readings[side], ground.git[side], ground.scope
        if not self.runs(found.site):
            return None
        return Observations.of(
            found.objects,
            belongs=lambda key, manifest: survey.belongs(key, manifest, wanted=wanted, scope=scope),
            standby=found.site == self.faced.follower,
        )

    def watches(self, selection: ends.Selection) -> tuple[ends.Watch, ends.Watch] | None:
        """What tells of what is selected at both sites; None when one of them does not tell."""
        watched = self.scanning.watched
        if watched is None or any(self._is_archived(site) for site in self.sites):
            return None
        truth, follower = (watched.watch(site, selection) for site in self.sites)
        return None if truth is None or follower is None else (truth, follower)

    def is_dispersed(self) -> bool:
        """Whether what the follower has was put there whole by Lockstep itself, in its archive."""
        archive = self.scanning.sites.archive(self.faced.follower)
        if archive is None or not self.is_warm:
            return False
        try:
            return archive.record(self.application.name) is not None
        except errors.LockstepError:
            return False

    def lookup(self, site: str, key: ObjectKey, api_version: str) -> dict[str, Json] | None:
        """One object of a site whole, with what the server notes of it; None when nobody can say."""
        try:
            return self._end(site).get(key, api_version=api_version)
        except errors.LockstepError:
            return None

    def declaring(self, revision: str) -> ends.Commit | None:
        """The last commit that changed what makes git differ between the sites; None when nobody can say."""
        try:
            return self.scanning.renderer.declaring(self.application, self.sites, revision)
        except errors.LockstepError:
            return None

    def runs(self, site: str) -> bool:
        """Whether anything runs where the application is at a site; True when nobody can say."""
        try:
            return self._end(site).runs
        except errors.LockstepError:
            return True

    def has_server(self, site: str) -> bool:
        """Whether what is compared of a site lives at a server, and in no files."""
        spec = self.topology.site(site).spec.cluster
        return spec is not None and bool(spec.kubeconfig or spec.in_cluster) and not self._is_archived(site)

    def _foreseen(self, side: int, key: ObjectKey, wanted: Manifest, live: Manifest) -> Answer | None:
        return self.scanning.answers.find(Question.of(self.sites[side], key, wanted, live))

    def _context(self, scalers: tuple[Scalers, Scalers]) -> Context:
        pair, application = self.faced.pair, self.application.name
        today = self.started_at.date()
        return Context(
            truth=facts(self.topology.site(self.faced.truth)),
            follower=facts(self.topology.site(self.faced.follower)),
            switched=self.faced.stance in (Stance.SWITCHED, Stance.RETURNING),
            rules=Rules.of(self.topology, application=application, pair=pair, today=today),
            protection=self.places[self.faced.follower].protection,
            scaled=(scalers[0].held, scalers[1].held),
        )

    def _read(self, site: str, selection: ends.Selection) -> Reading:
        scanning = self.scanning
        try:
            end = self._end(site)
        except errors.LockstepError as error:
            gap = ends.Gap(what=f"everything at {site}", why=str(error))
            return Reading(site=site, objects={}, gaps=(gap,), read_at=scanning.clock.now())
        return inventory.read(end, selection, site=site, sealer=scanning.sealer, now=scanning.clock)

    def _end(self, site: str) -> Seen:
        """Where the application is at a site: its archive where nothing runs, else its cluster."""
        archive = self.scanning.sites.archive(site)
        if archive is not None and self._is_archived(site):
            return archive.rendering(self.application.name)
        return self.scanning.sites.cluster(site)

    def _is_archived(self, site: str) -> bool:
        """Whether what is compared of a site is its archive."""
        if self.scanning.sites.archive(site) is None:
            return False
        return self.topology.site(site).spec.cluster is None or (self.is_warm and site == self.faced.follower)

    def _older(self, head: str) -> tuple[Sequence[Rendered], Sequence[Rendered]]:
        """The renderings that each site may still have."""
        try:
            history = self.scanning.renderer.history(self.application, head, most=MOST)
        except errors.LockstepError:
            # Without a history nothing is called behind: it is called what it is without one.
            history = ()
        with self.scanning.database.read() as connection:
            deployed = [deployments.revisions(connection, self.application.name, site, most=1) for site in self.sites]
        commits = [revisions(head, deployed=one, history=list(history)) for one in deployed]
        pool: dict[bytes, bytes] = {}
        rendered = {commit: self._rendered(commit, pool) for commit in dict.fromkeys([*commits[0], *commits[1]])}
        truth, follower = (
            [found.objects[side] for commit in commits[side] if (found := rendered[commit]) is not None]
            for side in (0, 1)
        )
        return truth, follower

    def _rendered(self, commit: str, pool: dict[bytes, bytes]) -> Wanted | None:
        try:
            return self.wanted(commit, pool=pool)
        except errors.LockstepError:
            # An old commit that nobody can render any more says nothing about now.
            return None


def _undetermined(wanted: desired.Desired) -> Mapping[ObjectKey, Sequence[Undetermined]]:
    found: dict[ObjectKey, list[Undetermined]] = {}
    for one in wanted.undetermined:
        found.setdefault(replace(one.key, group=home(one.key.group, one.key.kind)), []).append(one)
    return found


def _scope(application: kinds.Application) -> survey.Scope:
    spec = application.spec
    return survey.Scope(
        out_of_git=tuple(ObjectPattern.parse(text) for text in spec.out_of_git),
        own_set=applyset.ApplySet(application=application.name, namespace=spec.namespace).id,
    )


def facts(site: kinds.Site) -> SiteFacts:
    """What may stand in the manifests of a site."""
    registry = site.spec.registry
    if registry is None:
        return SiteFacts(name=site.name, values=site.spec.values)
    ours = {there: name for name, there in registry.rename.items()}
    return SiteFacts(name=site.name, values=site.spec.values, image_prefix=registry.prefix, renamed=ours)
