"""One comparison of an application over a pair, from its stance to its survey.

What goes wrong on the way (a site that does not answer, a rendering that fails) makes the comparison Unknown,
with the reason; it never makes it fail, and it resolves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from datetime import datetime

from drift import health, implied, inventory, survey
from drift.doors import Scanning, Seen
from drift.examine import Examiner
from drift.expected import Rules
from drift.implied import SiteFacts
from drift.inventory import Reading
from drift.judging import Context
from drift.normalise import collect
from drift.older import MOST, Older, Rendered, revisions
from lockstep import errors
from lockstep.manifests import applyset, desired
from lockstep.sites import ends
from lockstep.store import deployments, stances
from lockstep.topology import direction, kinds
from lockstep.topology.model import Topology
from lockstep.topology.objects import ObjectPattern
from lockstep.values import Json, ObjectKey, Stance, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What git wants at a commit, at the truth and at its follower; an archive is to have the full size."""

    revision: str
    sides: tuple[desired.Desired, desired.Desired]
    objects: tuple[Rendered, Rendered]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Who is compared with whom: two sites, as their pair faces now."""

    scanning: Scanning
    topology: Topology
    application: kinds.Application
    faced: direction.Direction
    places: Mapping[str, direction.Place]
    started_at: datetime

    @classmethod
    def of(cls, scanning: Scanning, application: kinds.Application, pair: kinds.Pair) -> Comparison:
        """Begin: which of the two sites is the truth follows from the stance."""
        topology = scanning.topology()
        with scanning.database.read() as connection:
            known = stances.in_force(connection, [one.name for one, _ in topology.pairs_of(application)])
        return cls(
            scanning=scanning,
            topology=topology,
            application=application,
            faced=direction.direction_of(pair, known[pair.name]),
            places={place.site: place for place in direction.places_of(topology, application, known)},
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

    def wanted(self, revision: str = "") -> Wanted:
        """What git wants, now or at a commit.

        Raises:
            LockstepError: Nobody can say.
        """
        renderer = self.scanning.renderer
        revision = revision or renderer.head(self.application)
        truth, follower = (renderer.desired(self.application, self.places[site], revision) for site in self.sites)
        objects = truth.objects, follower.full if self.is_warm else follower.objects
        keyed = tuple(inventory.by_key(one, sealer=self.scanning.sealer)[0] for one in objects)
        return Wanted(revision=revision, sides=(truth, follower), objects=(keyed[0], keyed[1]))

    def read(self, wanted: Wanted) -> tuple[Reading, Reading]:
        """Both sites, at once: one that is slow to fail does not hold up the other."""
        namespace = self.application.spec.namespace
        selection = inventory.selection_of([one.values() for one in wanted.objects], namespace=namespace)
        with futures.ThreadPoolExecutor(max_workers=2) as pool:
            truth, follower = pool.map(lambda site: self._read(site, selection), self.sites)
        return truth, follower

    def survey(self, wanted: Wanted, readings: tuple[Reading, Reading]) -> survey.Survey:
        """Everything that is to be said of the application over the pair."""
        everything = [
            manifest for one in (*wanted.objects, *(side.objects for side in readings)) for manifest in one.values()
        ]
        examiner = Examiner(
            context=self._context(readings),
            schemas=collect(everything),
            older=Older(lambda: self._older(wanted.revision)),
            memory=self.scanning.memory,
        )
        return survey.survey(*readings, git=wanted.objects, examiner=examiner, scope=_scope(self.application))

    def vitals(self, wanted: Wanted, readings: tuple[Reading, Reading]) -> dict[str, health.Vitals]:
        """How what runs is, at each site."""
        return {one.site: self._vitals(one, objects) for one, objects in zip(readings, wanted.objects, strict=True)}

    def _vitals(self, found: Reading, objects: Rendered) -> health.Vitals:
        if not self.runs(found.site):
            return health.FROM_FILES
        scope = _scope(self.application)
        return health.of_site(
            found,
            objects,
            belongs=lambda key, manifest: survey.belongs(key, manifest, wanted=objects, scope=scope),
            standby=found.site == self.faced.follower,
        )

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

    def runs(self, site: str) -> bool:
        """Whether anything runs where the application is at a site; True when nobody can say."""
        try:
            return self._end(site).runs
        except errors.LockstepError:
            return True

    def _context(self, readings: tuple[Reading, Reading]) -> Context:
        pair, application = self.faced.pair, self.application.name
        today = self.started_at.date()
        return Context(
            truth=facts(self.topology.site(self.faced.truth)),
            follower=facts(self.topology.site(self.faced.follower)),
            switched=self.faced.stance in (Stance.SWITCHED, Stance.RETURNING),
            rules=Rules.of(self.topology, application=application, pair=pair, today=today),
            protection=self.places[self.faced.follower].protection,
            scaled=(implied.scaled(readings[0].objects.values()), implied.scaled(readings[1].objects.values())),
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
        alone = self.topology.site(site).spec.cluster is None
        if archive is not None and (alone or (self.is_warm and site == self.faced.follower)):
            return archive.rendering(self.application.name)
        return self.scanning.sites.cluster(site)

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
        rendered = {commit: self._rendered(commit) for commit in dict.fromkeys([*commits[0], *commits[1]])}
        truth, follower = (
            [found.objects[side] for commit in commits[side] if (found := rendered[commit]) is not None]
            for side in (0, 1)
        )
        return truth, follower

    def _rendered(self, commit: str) -> Wanted | None:
        try:
            return self.wanted(commit)
        except errors.LockstepError:
            # An old commit that nobody can render any more says nothing about now.
            return None


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
