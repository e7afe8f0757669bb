"""A comparison that is kept true by what its sites tell: of one change one object is examined again, and no other.

It begins with a whole comparison. What is known of single objects then is what is to be said of them; their
manifests are those of the watches and of git. What reaches further than one object is followed there: an autoscaler
changes what is said of what it holds. What changes everything (another commit, another configuration, a site that
fell silent, a definition of custom resources) ends it, and a whole comparison begins another one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from drift import certificates, health, rule_rows
from drift.asking import Asking
from drift.certificates import Certificate
from drift.examine import Manifest
from drift.expected import RuleProblem
from drift.health import Observations, Vitals
from drift.implied import Scalers
from drift.inventory import Reading
from drift.ledger import Ledger
from drift.normalise import home, served_by
from drift.redact import Sealer
from drift.rows import Explained
from drift.running import Running
from drift.survey import Ground, Survey
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey

_DEFINITION = ("apiextensions.k8s.io", "CustomResourceDefinition")
# Comparing everything takes a fiftieth of the time at the most, but is never put off for longer than this. Seconds.
_SHARE = 50
_LONGEST_SECONDS = 300.0
# What is stored is as old as this at the most when nothing changes. Seconds.
_FRESH_SECONDS = 45.0


class Told(Mapping[ObjectKey, Manifest]):
    """The objects of a site as its watch knows them, Secrets sealed.

    Args:
        watch: The watch.
        keys: The objects that are there, in the groups where their kinds live now.
        sealer: Replaces the values of Secrets.
    """

    def __init__(self, watch: ends.Watch, keys: Collection[ObjectKey], *, sealer: Sealer) -> None:
        self.watch = watch
        self._keys = set(keys)
        self._sealer = sealer

    def __getitem__(self, key: ObjectKey) -> Manifest:
        # What lies in a gap is not there, even if the watch has heard of it once.
        found = self.unsealed(key) if key in self._keys else None
        if found is None:
            raise KeyError(key)
        return self._sealer.seal(found)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[ObjectKey]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def unsealed(self, key: ObjectKey) -> Manifest | None:
        """One object as the site has it; what its kind's own group serves goes before what others do (N03)."""
        spelled = [replace(key, group=group) for group in served_by(key.group, key.kind)]
        there = self.watch.objects(spelled)
        return next((found for one in reversed(spelled) if (found := there.get(one)) is not None), None)

    def note(self, key: ObjectKey, *, there: bool) -> None:
        """An object came, or went."""
        if there:
            self._keys.add(key)
        else:
            self._keys.discard(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """What reaches further than one object of a site: what autoscalers hold, and how what runs is, if anything does."""

    scalers: Scalers
    observed: Observations | None


@dataclass(slots=True, kw_only=True)
class _Side:
    """One site: what is there, and what of it reaches further than one object."""

    told: Told
    beyond: Beyond
    certificates: tuple[Certificate, ...]

    def take(self, key: ObjectKey) -> set[ObjectKey]:
        """Take an object as it is now; the objects of which something else may have to be said."""
        manifest = self.told.unsealed(key)
        self.told.note(key, there=manifest is not None)
        if (key.group, key.kind) == ("", "Secret"):
            others = [one for one in self.certificates if (one.namespace, one.name) != (key.namespace, key.name)]
            found = list(certificates.of_manifest(manifest)) if manifest is not None else []
            if found or len(others) != len(self.certificates):
                self.certificates = tuple(sorted([*others, *found]))
        if self.beyond.observed is not None:
            self.beyond.observed.see(key, manifest)
        return {key} | self.beyond.scalers.put(key, manifest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a comparison stands on beside objects.

    ``basis``: when it is another, everything is compared anew. ``selection`` is what belongs to it at a site,
    ``rendering`` what is told of git.
    """

    basis: object
    selection: ends.Selection
    rendering: Mapping[str, Json]


@dataclass(slots=True, kw_only=True)
class Followed:
    """A comparison that is kept true. Not safe to share between threads.

    ``unstored`` are the objects of which something else is said than is stored. Everything is compared anew when it is
    ``due``: a moment of the clock that only ever grows.
    """

    standing: Standing
    ground: Ground
    explained: Explained
    due: float = float("-inf")
    unstored: set[ObjectKey] = field(default_factory=set)
    _sides: tuple[_Side, _Side]
    _ledger: Ledger
    _gaps: list[set[tuple[str, str, str, str]]]
    _rules: tuple[RuleProblem, ...]
    _stored: object = None
    _listed: int | None = None
    _stored_at: float = float("-inf")

    @classmethod
    def begin(
        cls,
        ground: Ground,
        ledger: Ledger,
        *,
        beyond: tuple[Beyond, Beyond],
        watches: tuple[ends.Watch, ends.Watch],
        sealer: Sealer,
        standing: Standing,
    ) -> Followed:
        """Follow a comparison from here.

        Args:
            ground: What was compared, with everything that was read.
            ledger: What was found.
            beyond: What reaches further than one object, at both sites: that by which the ground judges.
            watches: What tells of both sites.
            sealer: Replaces the values of Secrets.
            standing: What it stands on.
        """
        told = [
            Told(watch, reading.objects.keys(), sealer=sealer)
            for watch, reading in zip(watches, ground.readings, strict=True)
        ]
        sides = [
            _Side(told=one, beyond=further, certificates=reading.certificates)
            for one, further, reading in zip(told, beyond, ground.readings, strict=True)
        ]
        truth, follower = (replace(reading, objects=one) for reading, one in zip(ground.readings, told, strict=True))
        return cls(
            standing=standing,
            ground=replace(ground, readings=(truth, follower)),
            explained=Explained(),
            _sides=(sides[0], sides[1]),
            _ledger=ledger,
            _rules=ground.sum_up(ledger).rules,
            _gaps=[{hidden(gap) for gap in reading.gaps} for reading in ground.readings],
        )

    @property
    def rendering(self) -> Mapping[str, Json]:
        """What is told of git."""
        return self.standing.rendering

    @property
    def readings(self) -> tuple[Reading, Reading]:
        """Both sites, as they are known now."""
        return self.ground.readings

    def stands_on(self, basis: object, watches: tuple[ends.Watch, ends.Watch] | None) -> bool:
        """Whether it may be kept true: on the same basis, by the same watches."""
        if watches is None or self._stored is None or self.standing.basis != basis:
            return False
        return all(side.told.watch is watch for side, watch in zip(self._sides, watches, strict=True))

    def update(self, changed: Sequence[Collection[ObjectKey]], asking: Asking | None = None) -> Survey | None:
        """Examine what changed, and what depends on it.

        Args:
            changed: The objects that changed at the truth and at the follower, as those serve them.
            asking: Asks servers about what is different.

        Returns:
            What is to be said of the objects of which something else is to be said than is stored, and the sums over
            everything. None: everything has to be compared.
        """
        touched: set[ObjectKey] = set()
        for side, reading, keys in zip(self._sides, self.readings, changed, strict=True):
            for key in keys:
                if (key.group, key.kind) == _DEFINITION:
                    return None
                if not reading.hides(key):
                    touched |= side.take(replace(key, group=home(key.group, key.kind)))
        touched |= self.ground.running.settle()
        outlooks = [side.told.watch.outlook() for side in self._sides]
        if [self._hidden(outlook) for outlook in outlooks] != self._gaps:
            return None
        truth, follower = (
            replace(
                reading,
                read_at=outlook.read_at,
                method=outlook.method,
                certificates=side.certificates,
                ahead_seconds=outlook.ahead_seconds,
            )
            for reading, outlook, side in zip(self.readings, outlooks, self._sides, strict=True)
        )
        self.ground = replace(self.ground, readings=(truth, follower))
        self.unstored |= self._examined(touched, asking)
        found = self.ground.sum_up(self._ledger, only=frozenset(self.unstored))
        # What is wrong with a rule is stored as what is wrong with an object is.
        self.unstored |= {rule_rows.key_of(one.rule) for one in set(found.rules) ^ set(self._rules)}
        self._rules = found.rules
        return replace(found, only=frozenset(self.unstored))

    def _examined(self, touched: Collection[ObjectKey], asking: Asking | None) -> set[ObjectKey]:
        """Examine some objects; those of which something else is said now."""
        before = {key: self._ledger.of(key) for key in touched}
        for key in touched:
            self._ledger.put(key, self.ground.examine(key))
        if asking is not None:
            asking.settle(self.ground, self._ledger, only=touched)
        return {key for key in touched if self._ledger.of(key) != before[key]}

    def survey(self) -> Survey:
        """Everything that is to be said now."""
        return self.ground.sum_up(self._ledger)

    def vitals(self) -> tuple[Vitals, Vitals]:
        """How both sites are now."""
        truth, follower = (
            health.of_observed(reading, wanted, side.beyond.observed)
            for reading, wanted, side in zip(self.readings, self.ground.git, self._sides, strict=True)
        )
        return truth, follower

    def rest(self, *, since: float, now: float) -> None:
        """Note that comparing everything ended just now: it is due again after a time that goes by how long it took."""
        self.due = now + min(_LONGEST_SECONDS, _SHARE * (now - since))

    def running(self) -> Running:
        """Which images run at both sites now."""
        return self.ground.running.running()

    def is_stored(self, *, now: float) -> bool:
        """Whether everything that is to be said now is stored, as something that was seen just now."""
        is_fresh = now - self._stored_at < _FRESH_SECONDS
        return is_fresh and not self.unstored and self._stored == self._covered()

    @property
    def is_listed(self) -> bool:
        """Whether what is explained is stored as it is now."""
        return self._listed == self.explained.version

    def store(self, *, now: float) -> Callable[[], None]:
        """What to call when everything that is to be said now is stored, with what changed since."""
        keys, covered, listed = frozenset(self.unstored), self._covered(), self.explained.version

        def stored() -> None:
            self.unstored -= keys
            self._stored, self._listed, self._stored_at = covered, listed, now

        return stored

    def _covered(self) -> object:
        """What is stored beside differences."""
        sides = [(len(side.told), side.certificates) for side in self._sides]
        sums = self._ledger.sums
        return sums.objects, sums.heard, sides, self.vitals(), self.running()

    def _hidden(self, outlook: ends.Inventory) -> set[tuple[str, str, str, str]]:
        return {hidden(gap) for gap in outlook.gaps if concerns(gap, self.standing.selection)}


def concerns(gap: ends.Gap, selection: ends.Selection) -> bool:
    """Whether something that was selected may be in a gap of a watch that sees more."""
    if gap.kind != "*" and not selection.has_kind(gap.group, gap.kind):
        return False
    if gap.namespace not in ("*", ""):
        return selection.namespaces is None or gap.namespace in selection.namespaces
    if gap.namespace == "" and selection.cluster_scoped is not None:
        return any(gap.hides(key) for key in selection.cluster_scoped)
    return True


def hidden(gap: ends.Gap) -> tuple[str, str, str, str]:
    """What a gap hides, whatever the reason."""
    return gap.group, gap.kind, gap.namespace, gap.name
