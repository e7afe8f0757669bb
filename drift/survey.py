"""All objects of an application over a pair: every key that any side has, examined, with what could not be seen.

Pure: it receives readings and renderings, it hands on a ``Survey``. Objects are examined in any order, one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from drift import exclusions, imaging
from drift.across import Across
from drift.examine import Difference, Examiner, Manifest
from drift.expected import RuleProblem
from drift.inventory import Reading
from drift.ledger import Ledger, Sums
from drift.packed import Packed
from drift.sides import NOT_READ, Sides
from lockstep import collector
from lockstep.manifests.images import Undetermined
from lockstep.sites import ends
from lockstep.topology.objects import ObjectPattern
from lockstep.values import ObjectKey, Verdict

# How many objects are examined before the garbage collector has its turn.
_AT_ONCE = 1000

_NOTHING: Mapping[ObjectKey, Manifest] = {}
_NO_IMAGES: Mapping[ObjectKey, Sequence[Undetermined]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What belongs to the comparison.

    ``out_of_git`` lives outside git on purpose. ``own_set`` is the application's ApplySet: members of another are
    not looked at. ``whole``: clusters are compared, not an application: objects without name space too, and no
    name space of the cluster's own.
    """

    out_of_git: tuple[ObjectPattern, ...] = ()
    own_set: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """Something at a site that nobody could see."""

    site: str
    gap: ends.Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is to be said of an application over a pair.

    ``differences`` are what differs, ``explained`` what may differ, and ``rules`` what is wrong with the rules
    that say so. ``sums`` are over everything that is compared; ``only`` names the objects that this is about, where
    those are not all. ``unsure`` are objects with a site whose server did not say what it would make of them.
    """

    differences: tuple[Difference, ...]
    explained: tuple[Difference, ...]
    blind: tuple[Blind, ...]
    rules: tuple[RuleProblem, ...]
    sums: Sums
    only: frozenset[ObjectKey] | None = None
    unsure: frozenset[tuple[ObjectKey, str]] = frozenset()

    @property
    def objects(self) -> int:
        """How many objects were compared."""
        return self.sums.objects

    @property
    def verdict(self) -> Verdict:
        """The worst of everything; Unknown when anything could not be seen."""
        unseen = [Verdict.UNKNOWN] if self.blind else []
        return Verdict.worst([*unseen, *self.sums.verdicts])

    @property
    def counts(self) -> dict[str, int]:
        """How many differences there are of each verdict, and how many are explained."""
        counted = {verdict.value: count for verdict, count in self.sums.verdicts.items()}
        return {**dict(sorted(counted.items())), "explained": self.sums.explained}

    def hides(self, key: ObjectKey, site: str = "") -> bool:
        """Whether an object could not be seen at a site, or at any of some with a comma between; ``""`` is both."""
        sites = set(site.split(",")) if site else set()
        if self.unsure and any((key, one) in self.unsure for one in sites or {one for _, one in self.unsure}):
            return True
        return any(blind.gap.hides(key) for blind in self.blind if not sites or blind.site in sites)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a survey stands on: the site that is the truth now and the one that follows it, git for both, and how.

    ``git`` is nothing for two sites without git. ``running`` is what runs at both, and ``undetermined`` are the images
    that git names for the one and the other, and of which nobody knows which they are.
    """

    readings: tuple[Reading, Reading]
    git: tuple[Mapping[ObjectKey, Manifest], Mapping[ObjectKey, Manifest]] = (_NOTHING, _NOTHING)
    examiner: Examiner
    scope: Scope = Scope()
    running: Across = field(default_factory=lambda: Across(("", ""), (None, None)))
    undetermined: tuple[Mapping[ObjectKey, Sequence[Undetermined]], Mapping[ObjectKey, Sequence[Undetermined]]] = (
        _NO_IMAGES,
        _NO_IMAGES,
    )

    def every_key(self) -> set[ObjectKey]:
        """Every object that any side has."""
        truth, follower = self.readings
        return {*truth.objects, *follower.objects, *self.git[0], *self.git[1]}

    def examine(self, key: ObjectKey) -> list[Difference] | None:
        """What is to be said of one object; None when it does not belong to the comparison."""
        truth, follower = self.readings
        sides = _sides(key, truth, follower, self.git, self.scope)
        if sides is None:
            return None
        found = _examined(key, sides, self.examiner, unseen=(_unseen(key, truth), _unseen(key, follower)))
        containers = self.running.of(key)
        git_p, git_d = (one.get(key, ()) for one in self.undetermined)
        if not (containers or git_p or git_d):
            return found
        unknown: imaging.Unknown = Sides(git_p, (), git_d, ())
        return imaging.added(found, sides, containers, unknown, key=key, sites=(truth.site, follower.site))

    def sum_up(self, ledger: Ledger, *, only: frozenset[ObjectKey] | None = None) -> Survey:
        """Everything that stands in a ledger, or what it says of some objects."""
        found = list(ledger) if only is None else [one for key in sorted(only) for one in ledger.of(key)]
        blind = [Blind(site=one.site, gap=gap) for one in self.readings for gap in _relevant(one.gaps)]
        problems = self.examiner.context.rules.problems(
            used=ledger.used, slow=ledger.slow, wide=ledger.wide, contradicted=ledger.contradicted
        )
        return Survey(
            differences=tuple(difference for difference in found if difference.verdict is not Verdict.IN_SYNC),
            explained=tuple(difference for difference in found if difference.verdict is Verdict.IN_SYNC),
            blind=tuple(blind),
            # Nobody can say that a rule is not needed who has not seen everything.
            rules=tuple(problem for problem in problems if not blind or problem.problem != "unused"),
            sums=ledger.sums,
            only=only,
            unsure=frozenset((one.key, one.unsure) for one in found if one.unsure),
        )


def survey(
    truth: Reading,
    follower: Reading,
    *,
    git: tuple[Mapping[ObjectKey, Manifest], Mapping[ObjectKey, Manifest]] = (_NOTHING, _NOTHING),
    examiner: Examiner,
    scope: Scope = Scope(),
) -> Survey:
    """Compare everything that any side has.

    Args:
        truth: The site that is the truth now.
        follower: The site that follows it.
        git: What git says, rendered for the one and for the other; nothing for two sites without git.
        examiner: How an object is examined.
        scope: What belongs to the comparison.
    """
    ground = Ground(readings=(truth, follower), git=git, examiner=examiner, scope=scope)
    return ground.sum_up(examined(ground))


def examined(ground: Ground) -> Ledger:
    """What is to be said of every object."""
    ledger, keys = Ledger(), list(ground.every_key())
    for begin in range(0, len(keys), _AT_ONCE):
        # What is made for one object has no circles; the collector would look at it again and again meanwhile.
        with collector.held():
            for key in keys[begin : begin + _AT_ONCE]:
                ledger.put(key, ground.examine(key))
    return ledger


def _sides(
    key: ObjectKey,
    truth: Reading,
    follower: Reading,
    git: tuple[Mapping[ObjectKey, Manifest], Mapping[ObjectKey, Manifest]],
    scope: Scope,
) -> Sides[Manifest | None] | None:
    """The object on each side; None when it does not belong to the comparison."""
    outside = any(pattern.selects(group=key.group, kind=key.kind, name=key.name) for pattern in scope.out_of_git)
    git_p, git_d = (None, None) if outside else _renderings(key, *git)
    live = truth.objects.get(key), follower.objects.get(key)
    if git_p is None and git_d is None:
        if exclusions.is_own_namespace(key.namespace) if scope.whole else not key.namespace:
            return None
        present = [one for one in live if one is not None]
        if all(exclusions.reason(one, key, own_set=scope.own_set) for one in present):
            return None
    elif any(exclusions.is_hook(one) for one in (git_p, git_d) if one is not None):
        return None
    return Sides(git_p, live[0], git_d, live[1])


def _renderings(
    key: ObjectKey, truth: Mapping[ObjectKey, Manifest], follower: Mapping[ObjectKey, Manifest]
) -> tuple[Manifest | None, Manifest | None]:
    """What git says for both sites: one and the same manifest where it is known to say the same."""
    wanted = truth.get(key)
    if isinstance(truth, Packed) and truth.has_same(follower, key):
        return wanted, wanted
    return wanted, follower.get(key)


def belongs(key: ObjectKey, manifest: Manifest, *, wanted: Mapping[ObjectKey, Manifest], scope: Scope) -> bool:
    """Whether a live object is part of what is compared, wherever else it is: git wants it, or nobody else does.

    Args:
        key: The object.
        manifest: The object, as its site has it.
        wanted: What git says for the site.
        scope: What belongs to the comparison.
    """
    if key in wanted:
        return not exclusions.is_hook(wanted[key])
    return bool(key.namespace) and not exclusions.reason(manifest, key, own_set=scope.own_set)


def _unseen(key: ObjectKey, reading: Reading) -> bool:
    return key not in reading.objects and reading.hides(key)


def _examined(
    key: ObjectKey, sides: Sides[Manifest | None], examiner: Examiner, *, unseen: tuple[bool, bool]
) -> list[Difference]:
    """What is to be said of an object; a side that could not be seen is neither equal nor missing: it has no say."""
    if not any(unseen):
        return examiner.examine(key, sides)
    if all(unseen):
        return []
    git_p, primary, git_d, standby = sides.all()
    if git_p is None and git_d is None:
        return []
    # What git says stands in for what nobody saw while it is judged, and never when it is shown.
    if unseen[0]:
        found = examiner.examine(key, Sides(git_p, git_p, git_d, standby))
        return [replace(one, values=replace(one.values, primary=NOT_READ)) for one in found]
    found = examiner.examine(key, Sides(git_p, primary, git_d, git_d))
    return [replace(one, values=replace(one.values, standby=NOT_READ)) for one in found]


def _relevant(gaps: Sequence[ends.Gap]) -> list[ends.Gap]:
    """Gaps in which something that is compared may be hidden: nobody misses another cluster's events."""
    return [gap for gap in gaps if not exclusions.is_excluded(gap.group, gap.kind)]
