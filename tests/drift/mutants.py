"""One change of one field, at any depth, of any kind: what must be found, and whether it is.

``python -m tests.drift.mutants`` tries every change of every field of every built-in kind and prints the score;
the tests try a part of them.
"""

from __future__ import annotations

import copy
import sys
from collections import Counter
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
    sealed = golden.SEALER.seal(manifest)
    before = normalise.normalise(sealed)
    changes = [(path, mutation) for path, mutation in mutants(sealed) if mutation in among]
    tried = changes[:: max(1, -(-len(changes) // most))]
    survivors = [
        f"{kind} {write_pointer(path)}: {mutation.name}"
        for path, mutation in tried
        if not is_found(sealed, before, path, mutation)
    ]
    return len(tried), survivors


def main(only: list[str]) -> int:
    """Try everything; 1 when something was not found."""
    total, lost = 0, Counter[str]()
    for kind, made in everything.kinds().items():
        if only and kind not in only:
            continue
        tried, survivors = score(kind, everything.manifest(kind, made))
        total += tried
        lost[kind] = len(survivors)
        sys.stdout.write(f"{kind:36} {tried - len(survivors):6} of {tried:6} found\n")
        sys.stdout.writelines(f"    {one}\n" for one in survivors)
    found = total - lost.total()
    sys.stdout.write(f"mutation score {100 * found / max(total, 1):.2f} %: {found} of {total} changes found\n")
    return int(lost.total() > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
