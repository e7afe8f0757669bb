"""One change of one field, at any depth, of any kind: what must be found, and whether it is.

``python -m tests.drift.mutants`` tries changes of the fields of every built-in kind, evenly spread where a kind has
many, and prints the score in one line; ``--all`` tries every one. The tests try a part of them.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeAlias

from drift import compare, inventory, normalise
from drift.normalise import kinds, shapes
from lockstep import documents
from lockstep.topology.selectors import write_pointer
from lockstep.values import Json
from tests.drift import everything, golden

EXCLUDED = documents.read((Path(__file__).parent / "excluded.yaml").read_bytes(), file="excluded.yaml")[0].value
Manifest: TypeAlias = dict[str, Json]
Path_: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change of the value at a place; ``of`` are the types that it can be made to."""

    name: str
    of: tuple[type, ...]
    make: Callable[[Json], Json]


def _changed(value: Json) -> Json:
    if isinstance(value, bool):
        return not value
    return value + 7 if isinstance(value, int | float) else f"{value}x"


# Of one kind; together they take about a minute.
_MOST = 250
_SCALAR = (bool, int, float, str)
_ANY = (*_SCALAR, dict, list)
_GONE = object()
MUTATIONS = (
    Mutation("changed", _SCALAR, _changed),
    Mutation("of another type", _SCALAR, lambda value: {"instead": value}),
    Mutation("lost", _ANY, lambda _value: _GONE),
    Mutation("with a new key", (dict,), lambda value: {**value, "zzz": "new"}),
    Mutation(
        "with a new entry",
        (list,),
        lambda value: [*value, {"name": "zzz"} if value and isinstance(value[0], dict) else "zzz"],
    ),
    Mutation("in another order", (list,), lambda value: value[::-1]),
)


def places(value: Json, path: Path_ = ()) -> Iterator[tuple[Path_, Json]]:
    """Every place below an object, with what stands there."""
    if path:
        yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def mutants(manifest: Manifest) -> Iterator[tuple[Path_, Mutation]]:
    """Every change of a manifest that has to be found."""
    kind = _kind(manifest)
    for path, value in places(manifest):
        if path[0] in ("apiVersion", "kind") or is_excluded(kind, write_pointer(path)):
            continue
        for mutation in MUTATIONS:
            if type(value) in mutation.of and not _means_nothing(manifest, path, value, mutation):
                yield path, mutation


def is_excluded(kind: str, pointer: str) -> bool:
    """Whether nothing at a place of a kind is looked at."""
    return any(
        fnmatchcase(kind, one["kind"])
        and (fnmatchcase(pointer, one["path"]) or fnmatchcase(pointer, f"{one['path']}/*"))
        for one in EXCLUDED
    )


def is_found(manifest: Manifest, before: normalise.Normal, path: Path_, mutation: Mutation) -> bool:
    """Whether a change is found where it was made.

    Args:
        manifest: The object.
        before: Its normal form.
        path: Where it is changed.
        mutation: How.
    """
    mutant = copy.copy(manifest)
    here: Json = mutant
    for key in path[:-1]:
        here[key] = copy.copy(here[key])
        here = here[key]
    changed = mutation.make(here[path[-1]])
    if changed is _GONE:
        del here[path[-1]]
    else:
        here[path[-1]] = changed
    after = normalise.normalise(mutant)
    texts = manifest["kind"] == "ConfigMap"
    pointer = write_pointer(path)
    found = [field.pointer.partition("#")[0] for field in compare.fields([before, after], texts=texts)]
    return any(one.startswith(pointer) or pointer.startswith(one) for one in found)


def _kind(manifest: Manifest) -> str:
    token = manifest["kind"] == "Secret" and manifest.get("type") == "kubernetes.io/service-account-token"
    return "TokenSecret" if token else str(manifest["kind"])


def _means_nothing(manifest: Manifest, path: Path_, value: Json, mutation: Mutation) -> bool:
    """Whether a change says what was said before: an order that has no meaning, nothing that is left out."""
    if mutation.name == "in another order":
        return len(value) < 2 or _order(manifest, path) not in (shapes.Order.SEQUENCE, shapes.Order.ORDERED_MAP)
    # One of true and false is the default, and a zero is one mostly; which of them it is, a change finds.
    if mutation.name != "lost" or isinstance(value, bool) or not value:
        return mutation.name == "lost"
    inner = [write_pointer((*path, *below)) for below, item in places(value) if not isinstance(item, dict | list)]
    return bool(inner) and all(is_excluded(_kind(manifest), pointer) for pointer in inner)


def _order(manifest: Manifest, path: Path_) -> shapes.Order:
    """What the order of a list means, by the published schemas."""
    key = inventory.key_of(manifest)
    assert key is not None
    shape = kinds.shape_of(key.group, key.kind)
    for step in path:
        inner = shape.items if isinstance(step, int) else shape.fields.get(step, shape.values)
        shape = inner or shapes.UNKNOWN
    return shape.order


def score(
    kind: str, manifest: Manifest, *, most: int = sys.maxsize, among: Collection[Mutation] = MUTATIONS
) -> tuple[int, list[str]]:
    """How many changes of an object were tried, and those that nobody found.

    Args:
        kind: What it is called.
        manifest: The object.
        most: Of more changes than this, evenly spread ones are tried.
        among: Which changes.
    """
    scored = tried(kind, manifest, most=most, among=among)
    return scored.tried, scored.survivors


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How many changes an object allows, how many were tried, and those that nobody found."""

    possible: int
    tried: int
    survivors: list[str]


def tried(kind: str, manifest: Manifest, *, most: int, among: Collection[Mutation] = MUTATIONS) -> Score:
    """Try changes of an object."""
    sealed = golden.SEALER.seal(manifest)
    before = normalise.normalise(sealed)
    changes = [(path, mutation) for path, mutation in mutants(sealed) if mutation in among]
    chosen = changes[:: max(1, -(-len(changes) // most))]
    survivors = [
        f"{kind} {write_pointer(path)}: {mutation.name}"
        for path, mutation in chosen
        if not is_found(sealed, before, path, mutation)
    ]
    return Score(possible=len(changes), tried=len(chosen), survivors=survivors)


def main(arguments: list[str]) -> int:
    """Try, and say in one line what came of it, after those that nobody found; 1 when there are any.

    Args:
        arguments: Kinds, or none for all of them; ``--all`` to try every change.
    """
    only = {one for one in arguments if one != "--all"}
    most = sys.maxsize if "--all" in arguments else _MOST
    made = {kind: class_ for kind, class_ in everything.kinds().items() if not only or kind in only}
    scores = [tried(kind, everything.manifest(kind, class_), most=most) for kind, class_ in made.items()]
    survivors = [one for scored in scores for one in scored.survivors]
    total, possible = sum(one.tried for one in scores), sum(one.possible for one in scores)
    found = total - len(survivors)
    how = "all of them" if total == possible else f"evenly spread, at most {most} of a kind; --all tries every one"
    sys.stdout.writelines(f"not found: {one}\n" for one in survivors)
    sys.stdout.write(
        f"mutation score {100 * found / max(total, 1):.2f} %: {total} changes tried, {found} found, "
        f"of {possible} possible ones at {len(scores)} kinds ({how})\n"
    )
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
