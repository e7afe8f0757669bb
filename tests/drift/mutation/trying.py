"""Tries a change on one side of a pair, and says whether what was found is what had to be."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path as File

from drift import inventory
from drift.examine import Difference, Examiner
from drift.expected import Rules
from drift.judging import Context
from drift.sides import Sides
from lockstep import documents
from lockstep.topology.selectors import write_pointer
from lockstep.values import Json, Verdict
from tests.drift import golden
from tests.drift.mutation import filling
from tests.drift.mutation.changes import GONE, Change, changes
from tests.drift.mutation.described import Kind
from tests.drift.mutation.filling import Path, Place

_FOLDER = File(__file__).parent.parent


def _table(name: str) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = documents.read((_FOLDER / name).read_bytes(), file=name)[0].value
    return found


EXCLUDED, ORDERS, FOLLOWING = _table("excluded.yaml"), _table("orders.yaml"), _table("following.yaml")
"""What is not looked at; lists whose order means something else than the schema says; places that follow others."""
_CONTEXT = Context(truth=golden.FACTS[0], follower=golden.FACTS[1], rules=Rules((), today=golden.TODAY))


# "-----BEGIN " in base64.
_CERTIFICATE = "LS0tLS1CRUdJTi"


class Side(Enum):
    """Where a change is made."""

    PRIMARY = "at the primary"
    STANDBY = "at the standby"
    GIT = "in git"
    OVERLAY = "in git for the standby"
    ALONE = "at the primary, without git"
    OTHER = "at the standby, without git"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A change of a place on a side. ``row`` says by which row it says nothing; ``""`` when it has to be found."""

    kind: Kind
    place: Place
    change: Change
    side: Side
    row: str = ""

    def __str__(self) -> str:
        return f"{self.kind.title} {write_pointer(self.place.path)}: {self.change.name}, {self.side.value}"


def trials(kind: Kind, *, part: int = 0, of: int = 1) -> Iterator[Trial]:
    """Every change of every place of a kind, on every side; or of one part of so many of its places."""
    for place in kind.whole[1][part::of]:
        for change in changes(place):
            for side in Side:
                row = _excluded(kind, place, change, side) or _row(kind, place, change)
                yield Trial(kind=kind, place=place, change=change, side=side, row=row)


def _excluded(kind: Kind, place: Place, change: Change, side: Side) -> str:
    alone = _is_alone(kind, place, change, side)
    exactly = side not in (Side.ALONE, Side.OTHER)
    found = excluded_by(kind.kind, place.path, alone=alone, exactly=exactly)
    is_inside = bool(excluded_by(kind.kind, place.path, alone=True))
    if found or not alone or is_inside or GONE not in (change.before, change.after):
        return found
    # What is made of nothing but what is excluded says nothing by being there.
    value = change.after if change.before is GONE else change.before
    inner = [
        (*place.path, *below) for below, item in filling.walk(value) if below and not isinstance(item, dict | list)
    ]
    rows = [excluded_by(kind.kind, path, alone=True) for path in inner]
    return rows[0] if rows and all(rows) else ""


def _is_alone(kind: Kind, place: Place, change: Change, side: Side) -> bool:
    """Whether git says nothing of the place, for any site."""
    git = {
        Side.PRIMARY: (change.before,),
        Side.STANDBY: (change.before,),
        Side.GIT: (change.after,),
        Side.OVERLAY: (change.before, change.after),
    }.get(side, ())
    is_definition = kind.kind == "CustomResourceDefinition" and place.path[-1] == "caBundle"
    return all(_says_nothing(value, is_definition=is_definition) for value in git)


def _says_nothing(value: Json, *, is_definition: bool) -> bool:
    """Whether git leaves a field to whoever hands it out: an empty one, and in a definition no certificate (F05)."""
    is_no_certificate = is_definition and isinstance(value, str) and not value.startswith(_CERTIFICATE)
    return value is GONE or value in (None, "", [], {}) or is_no_certificate


def _row(kind: Kind, place: Place, change: Change) -> str:
    """The row by which a change says nothing, for this kind or for every one."""
    if change.name == "in another order":
        is_known = kind.custom is None or _is_in_pod(kind.whole[0], place.path)
        found = _of(ORDERS, kind.kind, place.path) if is_known else None
        if found is None:
            return change.row
        return str(found["row"]) if found["order"] == "means nothing" else ""
    if (
        change.name == "null"
        and kind.title == "v1 Secret"
        and place.path[0] in ("data", "stringData")
        and len(place.path) == 2
    ):
        # N13: null is an empty value there.
        return ""
    if change.name == "digits as text" and kind.custom is not None and place.what == "number or name":
        # Which of them a controller takes for a number is its own affair, but in what is a Pod's.
        return "N10" if _is_in_pod(kind.whole[0], place.path) else ""
    if change.name == "null" and kind.custom is None:
        # Where anything may stand, null is a value; but no built-in kind has it in what people write.
        return "N17"
    return change.row


def excluded_by(kind: str, path: Path, *, alone: bool, exactly: bool = False) -> str:
    """The row by which nothing at a place is looked at; empty when it is.

    Args:
        kind: Of what.
        path: Where.
        alone: Whether git says nothing of it.
        exactly: Whether git says something of what the place is in.
    """
    steps = write_pointer(path).split("/")
    for one in EXCLUDED:
        wanted = one["path"].split("/")
        is_there = len(steps) == len(wanted) or (len(steps) > len(wanted) and (one.get("always") or not exactly))
        inside = is_there and all(map(fnmatchcase, steps, wanted))
        beside = exactly and "unless" in one
        if inside and not beside and fnmatchcase(kind, one["kind"]) and (alone or one.get("always")):
            return str(one["row"])
    return ""


def wrong(trial: Trial) -> str:
    """What is wrong with what was found; empty when it is what had to be."""
    found = differences(trial)
    if trial.row:
        return f"equal by {trial.row}, but found {_shown(found)}" if found else ""
    allowed = _verdicts(trial)
    if not found:
        return "" if Verdict.IN_SYNC in allowed else "not found"
    path = trial.place.path
    along = [one["at"] for one in FOLLOWING if _is_below(trial, one)]
    aside = [
        one
        for one in found
        if not is_at(one.pointer, write_pointer(path)) and not any(fnmatchcase(one.pointer, at) for at in along)
    ]
    if aside:
        return f"also found {_shown(aside)}"
    others = [one for one in found if one.verdict not in allowed]
    return f"found as {_shown(others)}" if others else ""


def differences(trial: Trial) -> list[Difference]:
    """What is found of a trial, and not explained."""
    before, after = (_sealed(trial, value) for value in (trial.change.before, trial.change.after))
    sides = {
        Side.PRIMARY: (before, after, before, before),
        Side.STANDBY: (before, before, before, after),
        Side.GIT: (after, before, after, before),
        Side.OVERLAY: (before, before, after, before),
        Side.ALONE: (None, after, None, before),
        Side.OTHER: (None, before, None, after),
    }[trial.side]
    key = inventory.key_of(before)
    assert key is not None
    examiner = Examiner(context=_CONTEXT, schemas=trial.kind.schemas)
    found = examiner.examine(key, Sides(*sides))
    return [one for one in found if one.verdict is not Verdict.IN_SYNC]


def _sealed(trial: Trial, value: Json) -> dict[str, Json]:
    return golden.SEALER.seal(_around(trial.kind.whole[0], trial.place.path, value))


def _around(whole: dict[str, Json], path: Path, value: Json) -> dict[str, Json]:
    """The object with a value at a place, and with no more around it than plain values and what leads there.

    What is beside the place is compared at other places; a whole object each time would take an hour for all.
    """
    made: dict[str, Json] = _slim(whole, path[0])
    here: Json = made
    there: Json = whole
    for position, key in enumerate(path[:-1]):
        there = there[key]
        here[key] = _slim(there, path[position + 1])
        here = here[key]
    if value is not GONE:
        here[path[-1]] = copy.deepcopy(value)
    elif isinstance(here, list):
        del here[int(path[-1])]
    else:
        here.pop(path[-1], None)
    name = {"name": "thing", "namespace": "shop"}
    if path[0] != "metadata":
        made["metadata"] = name
    elif isinstance(made.get("metadata"), dict):
        made["metadata"] = {**name, **made["metadata"]}
    return made


def _slim(value: Json, only: str | int) -> Json:
    """A copy of a mapping or list with what is plain in it; of a list every entry, the others than one slim."""
    if isinstance(value, list):
        return [entry if not isinstance(entry, dict | list) else _plain(entry) for entry in value]
    return {key: item for key, item in value.items() if key == only or not isinstance(item, dict | list)}


def _plain(entry: Json) -> Json:
    """What is plain in an entry; the whole where that would not tell it from another one."""
    if isinstance(entry, list):
        return list(entry)
    plain = {key: item for key, item in entry.items() if not isinstance(item, dict | list)}
    if isinstance(entry.get("metadata"), dict):
        plain["metadata"] = {"name": entry["metadata"].get("name")}
    return plain if any(not isinstance(item, bool) for item in plain.values()) else entry


def _verdicts(trial: Trial) -> tuple[Verdict, ...]:
    """What the table of the design may call it: what one side has and the other has not is told from what differs."""
    two_way = (Verdict.DIVERGED, Verdict.PRIMARY_HOTFIX, Verdict.STANDBY_DRIFT)
    if trial.side is Side.GIT:
        # What git no longer says and both sites have is in step.
        lost = trial.change.after is GONE or trial.change.name == "with a new entry"
        return (Verdict.EDITED_AT_BOTH, *((Verdict.IN_SYNC,) if lost else ()))
    return {
        Side.PRIMARY: (Verdict.PRIMARY_HOTFIX,),
        Side.STANDBY: (Verdict.STANDBY_DRIFT,),
        Side.OVERLAY: (Verdict.STANDBY_DRIFT,),
        Side.ALONE: two_way,
        Side.OTHER: two_way,
    }[trial.side]


def _is_in_pod(whole: Json, path: Path) -> bool:
    """N10: whether a place is in what has containers: wherever they are, there is a Pod's specification."""
    for step in path:
        if isinstance(whole, dict) and isinstance(whole.get("containers"), list):
            return True
        whole = whole[step]
    return False


def _of(table: list[dict[str, Json]], kind: str, path: Path) -> dict[str, Json] | None:
    """The entry of a table for a place of a kind."""
    pointer = write_pointer(path)
    fits = (one for one in table if fnmatchcase(kind, one["kind"]) and fnmatchcase(pointer, one["path"]))
    return next(fits, None)


def _is_below(trial: Trial, one: dict[str, Json]) -> bool:
    """Whether a change is at a place that another one follows, or below it."""
    pointer = write_pointer(trial.place.path)
    there = fnmatchcase(pointer, one["path"]) or fnmatchcase(pointer, f"{one['path']}/*")
    return there and fnmatchcase(trial.kind.kind, one["kind"])


def is_at(pointer: str, place: str) -> bool:
    """Whether a finding is at a place, below it, or at what the place belongs to."""
    steps, wanted = (one.partition("#")[0].split("/") for one in (pointer, place))
    shorter = min(len(steps), len(wanted))
    return steps[:shorter] == wanted[:shorter]


def _shown(found: Sequence[Difference]) -> str:
    return ", ".join(f"{one.verdict.value} at {one.pointer or 'the object'}" for one in found[:3])
