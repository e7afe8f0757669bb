"""``python -m tests.drift.mutation``: try changes of every field of every kind, and print the mutation score.

Without arguments each change is tried on one side, and each side has its turn; ``--all`` tries each on every side.
``--definitions DIRECTORY`` adds the kinds of the CustomResourceDefinitions in somebody's files. The kinds are those
of the real API server where ``KUBEBUILDER_ASSETS`` names one, else those of the double.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click

from lockstep import documents, errors
from tests.drift.mutation import described, sampling
from tests.drift.mutation.described import Kind
from tests.support import apiserver
from tests.support.kubernetes_double import openapi

_PROCESSES = 2
# How many places a piece of work has: the largest kinds have a hundred times those of the smallest.
_AT_ONCE = 60
# What the processes share; they are forked once it is known.
_kinds: list[Kind] = []


def main(arguments: list[str]) -> int:
    """Try, and say what came of it; 1 when anything was not found where it had to be, or found where it had not."""
    parser = argparse.ArgumentParser(prog="python -m tests.drift.mutation", description=__doc__)
    parser.add_argument("kinds", nargs="*", help="only these kinds")
    parser.add_argument("--all", action="store_true", help="each change on every side")
    parser.add_argument("--definitions", type=Path, help="a directory with CustomResourceDefinitions")
    given = parser.parse_args(arguments)
    served = _served()
    kinds = [*served.kinds, *described.defined(_manifests(Path(__file__).parent))]
    kinds += described.defined(_manifests(given.definitions)) if given.definitions else ()
    kinds = [kind for kind in kinds if not given.kinds or kind.kind in given.kinds]
    _kinds.extend(kinds)
    tally = sampling.Tally()
    pieces = list(_pieces(given.all))
    with ProcessPoolExecutor(_PROCESSES, mp_context=multiprocessing.get_context("fork")) as pool:
        done = pool.map(_tried, pieces)
        with click.progressbar(done, length=len(pieces), label="mutations", file=sys.stderr) as bar:
            for one in bar:
                tally.add(one)
    _print(tally, served, kinds)
    return int(bool(tally.wrong))


def _pieces(every_side: bool) -> Iterator[tuple[int, int, int, bool]]:
    for index, kind in enumerate(_kinds):
        parts = 1 + len(kind.whole[1]) // _AT_ONCE
        yield from ((index, number, parts, every_side) for number in range(parts))


def _tried(piece: tuple[int, int, int, bool]) -> sampling.Tally:
    index, number, parts, every_side = piece
    return sampling.tried(sampling.part(_kinds[index], number, of=parts, every_side=every_side))


def _served() -> described.Served:
    assets = Path(os.environ.get("KUBEBUILDER_ASSETS") or "/nonexistent")
    if not apiserver.is_there(assets):
        return described.served(openapi.told)
    with tempfile.TemporaryDirectory() as folder, apiserver.started(assets, Path(folder)) as server:
        sys.stderr.write(f"kinds of {server.title}\n")
        admin = apiserver.Admin(server)
        try:
            return described.served(admin.get)
        finally:
            admin.close()


def _manifests(folder: Path) -> Iterator[dict[str, object]]:
    for file in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        try:
            yield from (one.value for one in documents.read(file.read_bytes(), file=file.name))
        except errors.LockstepError:
            continue  # a template, or something else that is no manifest


def _print(tally: sampling.Tally, served: described.Served, kinds: list[Kind]) -> None:
    write = sys.stdout.write
    for one in tally.wrong:
        write(f"wrong: {one}\n")
    write("not looked at, and said to be equal, by the rows of drift.catalogue:\n")
    for row, count in sorted(tally.rows.items()):
        write(f"  {row:6} {count:8}\n")
    write(f"kinds that are not compared: {', '.join(served.excluded)}\n")
    write(f"kinds without a schema: {', '.join(served.undescribed) or 'none'}\n")
    custom = sum(kind.custom is not None for kind in kinds)
    places = sum(len(kind.whole[1]) for kind in kinds)
    write(f"changes: {', '.join(f'{name} {count}' for name, count in sorted(Counter(tally.changes).items()))}\n")
    write(
        f"mutation score {100 * tally.found / max(tally.tried, 1):.2f} %: {tally.tried} changes tried that have to be "
        f"found, {tally.found} found at their place with their verdict; {sum(tally.rows.values())} that say nothing, "
        f"{tally.silent} silent; {places} places of {len(kinds)} kinds, {custom} of them custom\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
