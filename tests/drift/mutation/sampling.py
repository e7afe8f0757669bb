"""Which trials are made, and what came of them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.drift.mutation import trying
from tests.drift.mutation.described import Kind
from tests.drift.mutation.trying import Side, Trial


@dataclass(slots=True)
class Tally:
    """``tried`` had to be found and ``found`` were; ``rows`` had to be silent, by their rows, and ``silent`` were.

    ``changes`` are the names of all that were tried, and ``wrong`` says what was not as it had to be.
    """

    tried: int = 0
    found: int = 0
    silent: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count what another one counted too."""
        self.tried += other.tried
        self.found += other.found
        self.silent += other.silent
        self.rows += other.rows
        self.changes += other.changes
        self.wrong += other.wrong


def tried(trials: Iterable[Trial]) -> Tally:
    """Make some trials."""
    tally = Tally()
    for trial in trials:
        wrong = trying.wrong(trial)
        tally.changes[trial.change.name] += 1
        if trial.row:
            tally.rows[trial.row] += 1
            tally.silent += not wrong
        else:
            tally.tried += 1
            tally.found += not wrong
        if wrong:
            tally.wrong.append(f"{trial}: {wrong}")
    return tally


def part(kind: Kind, number: int, *, of: int, every_side: bool) -> Iterator[Trial]:
    """One of so many parts of the trials of a kind: each change on every side, or each on one, the sides in turn."""
    for turn, some in enumerate(_by_change(trying.trials(kind, part=number, of=of))):
        yield from some if every_side else (some[turn % len(Side)],)


def sample(kind: Kind, *, most: int) -> list[Trial]:
    """Some trials of a kind, the same ones every time: each change that it allows on each side, then so many more.

    They are of places evenly spread over the kind, with the first of each sort among them.
    """
    places = kind.whole[1]
    sorts = {place.what: number for number, place in reversed(list(enumerate(places)))}
    chosen = {*sorts.values(), *range(0, len(places), 1 + len(places) // most)}
    every = [one for number in sorted(chosen) for one in trying.trials(kind, part=number, of=len(places))]
    first = {(one.change.name, one.side, not one.row): one for one in reversed(every)}
    # A step that has no factor in common with the number of sides gives each side its turn.
    step = 1 + len(every) // most
    while step % 2 == 0 or step % 3 == 0:
        step += 1
    return [*first.values(), *[one for one in every if not one.row][::step]]


def _by_change(trials: Iterator[Trial]) -> Iterator[list[Trial]]:
    """Trials of one change on all sides together."""
    while some := list(itertools.islice(trials, len(Side))):
        yield some
