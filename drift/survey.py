"""All objects of an application over a pair: every key that any side has, examined, with what could not be seen.

Pure: it receives readings and renderings, it hands on a ``Survey``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from drift import exclusions
from drift.examine import Difference, Examiner, Manifest
from drift.expected import RuleProblem
from drift.inventory import Reading
from drift.sides import NOT_READ, Sides
from lockstep.sites import ends
from lockstep.topology.objects import ObjectPattern
from lockstep.values import ObjectKey, Verdict

# A rule for fewer objects than this is narrow, however small the application is.
_FEW = 10
_NOTHING: Mapping[ObjectKey, Manifest] = {}


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
    that say so. ``objects`` were compared.
    """

    differences: tuple[Difference, ...]
    explained: tuple[Difference, ...]
    blind: tuple[Blind, ...]
    rules: tuple[RuleProblem, ...]
    objects: int

    @property
    def verdict(self) -> Verdict:
        """The worst of everything; Unknown when anything could not be seen."""
        unseen = [Verdict.UNKNOWN] if self.blind else []
        return Verdict.worst([*unseen, *(difference.verdict for difference in self.differences)])

    @property
    def counts(self) -> dict[str, int]:
        """How many differences there are of each verdict, and how many are explained."""
        counted = Counter(difference.verdict.value for difference in self.differences)
        return {**dict(sorted(counted.items())), "explained": len(self.explained)}

    def hides(self, key: ObjectKey) -> bool:
        """Whether some side of an object could not be seen."""
        return any(blind.gap.hides(key) for blind in self.blind)


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
    found: list[Difference] = []
    compared = 0
    for key in sorted({*truth.objects, *follower.objects, *git[0], *git[1]}):
        sides = _sides(key, truth, follower, git, scope)
        if sides is None:
            continue
        compared += 1
        found += _examined(key, sides, examiner, unseen=(_unseen(key, truth), _unseen(key, follower)))
    return _summed_up(found, (truth, follower), examiner, compared)


def _sides(
    key: ObjectKey,
    truth: Reading,
    follower: Reading,
    git: tuple[Mapping[ObjectKey, Manifest], Mapping[ObjectKey, Manifest]],
    scope: Scope,
) -> Sides[Manifest | None] | None:
    """The object on each side; None when it does not belong to the comparison."""
    outside = any(pattern.selects(group=key.group, kind=key.kind, name=key.name) for pattern in scope.out_of_git)
    git_p, git_d = (None if outside else rendering.get(key) for rendering in git)
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


def _summed_up(
    found: Sequence[Difference], readings: tuple[Reading, Reading], examiner: Examiner, compared: int
) -> Survey:
    opinions = [opinion for difference in found for opinion in difference.opinions]
    problems = examiner.context.rules.problems(
        used={opinion.rule for opinion in opinions},
        slow={opinion.rule for opinion in opinions if opinion.slow},
        wide=_wide(found, compared),
    )
    blind = [Blind(site=one.site, gap=gap) for one in readings for gap in _relevant(one.gaps)]
    return Survey(
        differences=tuple(difference for difference in found if difference.verdict is not Verdict.IN_SYNC),
        explained=tuple(difference for difference in found if difference.verdict is Verdict.IN_SYNC),
        blind=tuple(blind),
        # Nobody can say that a rule is not needed who has not seen everything.
        rules=tuple(problem for problem in problems if not blind or problem.problem != "unused"),
        objects=compared,
    )


def _wide(found: Sequence[Difference], compared: int) -> set[str]:
    """Rules that explain something in so many objects that whatever drifts there next is hidden too."""
    spoken = {(one.opinions[0].rule, one.key) for one in found if one.verdict is Verdict.IN_SYNC and one.opinions}
    counts = Counter(rule for rule, _ in spoken)
    return {rule for rule, count in counts.items() if count >= _FEW and count * 4 > compared}


def _relevant(gaps: Sequence[ends.Gap]) -> list[ends.Gap]:
    """Gaps in which something that is compared may be hidden: nobody misses another cluster's events."""
    return [gap for gap in gaps if not exclusions.is_excluded(gap.group, gap.kind)]
