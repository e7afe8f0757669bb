"""What is to be said of each object that is compared, and the sums over all of them.

An entry is put in the place of the one before it, and the sums follow: what one object costs does not depend on how
many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from drift.answers import Said
from drift.examine import Difference
from lockstep.values import ObjectKey, Verdict

# A rule for fewer objects than this is narrow, however small the application is.
_FEW = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """How many differences there are of each verdict, how many are explained, and how many objects were compared.

    ``heard`` counts the objects that the server of a side (0 or 1) could say something of, by what became of it.
    """

    verdicts: Mapping[Verdict, int]
    explained: int
    objects: int
    heard: Mapping[tuple[int, Said], int] = field(default_factory=dict)

    @classmethod
    def of(cls, differences: Sequence[Difference], explained: Sequence[Difference], objects: int) -> Sums:
        """Counted."""
        verdicts = Counter(difference.verdict for difference in differences)
        return cls(verdicts=verdicts, explained=len(explained), objects=objects)


class Ledger:
    """What is to be said of each object. Not safe to share between threads."""

    def __init__(self) -> None:
        self._compared: set[ObjectKey] = set()
        self._said: dict[ObjectKey, tuple[Difference, ...]] = {}
        self._verdicts: Counter[Verdict] = Counter()
        self._used: Counter[str] = Counter()
        self._slow: Counter[str] = Counter()
        self._spoken: Counter[str] = Counter()
        self._contradicted: Counter[tuple[str, str]] = Counter()
        self._heard: Counter[tuple[int, Said]] = Counter()

    def put(self, key: ObjectKey, found: Sequence[Difference] | None) -> bool:
        """Note what is to be said of an object now; None: it does not belong. Whether anything else is said of it."""
        before = self._said.pop(key, ())
        after = tuple(found or ())
        if after:
            self._said[key] = after
        if found is None:
            self._compared.discard(key)
        else:
            self._compared.add(key)
        if before == after:
            return False
        self._count(before, -1)
        self._count(after, 1)
        return True

    @property
    def sums(self) -> Sums:
        """The sums over everything."""
        verdicts = {verdict: count for verdict, count in self._verdicts.items() if count}
        explained = verdicts.pop(Verdict.IN_SYNC, 0)
        heard = {which: count for which, count in self._heard.items() if count}
        return Sums(verdicts=verdicts, explained=explained, objects=len(self._compared), heard=heard)

    @property
    def used(self) -> set[str]:
        """The rules that cover a difference, or that were found to be kept."""
        return {rule for rule, count in self._used.items() if count}

    @property
    def slow(self) -> set[str]:
        """The rules whose expressions were given up on."""
        return {rule for rule, count in self._slow.items() if count}

    @property
    def contradicted(self) -> set[tuple[str, str]]:
        """The rules of which another one says otherwise that is as narrow, with that one."""
        return {pair for pair, count in self._contradicted.items() if count}

    @property
    def wide(self) -> set[str]:
        """Rules that explain something in so many objects that whatever drifts there next is hidden too."""
        whole = len(self._compared)
        return {rule for rule, count in self._spoken.items() if count >= _FEW and count * 4 > whole}

    def of(self, key: ObjectKey) -> tuple[Difference, ...]:
        """What is to be said of an object."""
        return self._said.get(key, ())

    @property
    def left(self) -> list[tuple[ObjectKey, int]]:
        """The objects of which the server of a side could say something and was not asked, with the side; sorted."""
        if not any(said is Said.LEFT for (_, said), count in self._heard.items() if count):
            return []
        return [(key, side) for key in sorted(self._said) for side in self.left_of(key)]

    def left_of(self, key: ObjectKey) -> list[int]:
        """The sides whose servers could say something of an object and were not asked."""
        return [side for side, said in sorted(_heard(self.of(key)), key=lambda one: one[0]) if said is Said.LEFT]

    def __iter__(self) -> Iterator[Difference]:
        """Everything that is to be said, sorted by object."""
        for key in sorted(self._said):
            yield from self._said[key]

    def _count(self, found: Sequence[Difference], by: int) -> None:
        explained = [one for one in found if one.verdict is Verdict.IN_SYNC and one.opinions]
        for rule in {one.opinions[0].rule for one in explained}:
            self._spoken[rule] += by
        for which in _heard(found):
            self._heard[which] += by
        for difference in found:
            self._verdicts[difference.verdict] += by
            for opinion in difference.opinions:
                self._used[opinion.rule] += by
                if opinion.against:
                    self._contradicted[opinion.rule, opinion.against] += by
                if opinion.slow:
                    self._slow[opinion.rule] += by


def _heard(found: Sequence[Difference]) -> set[tuple[int, Said]]:
    """What became of the questions about an object, by side."""
    told = (enumerate(one.heard.said) for one in found if one.heard is not None)
    return {(side, said) for each in told for side, said in each if said is not None}
