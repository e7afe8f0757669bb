"""What a deploy would do, or did, at each site: read from what a built-in task shows of itself. Pure.

The shape is that of ``pipelines.deploy.summary``, site by site; whatever is missing or of another type is left
out, so that an older run can always be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lockstep.values import Json

_ACTIONS = ("create", "change", "delete")
_DONE = ("objects", "changed", "deleted")
_MOST_STEPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One object that is touched: ``action`` is create, change or delete."""

    action: str
    object: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlan:
    """One site.

    ``counts`` is by action; ``more`` are steps that are not listed. Once it was deployed ``state`` says how that
    ended, and ``done`` how many objects there are and were changed and deleted.
    """

    site: str
    tier: str
    counts: Mapping[str, int]
    unchanged: int | None
    steps: tuple[Step, ...]
    more: int
    needs: tuple[str, ...]
    missing: tuple[str, ...]
    remarks: tuple[str, ...]
    problem: str
    state: str
    message: str
    done: Mapping[str, int]


def of_detail(detail: Json) -> list[SitePlan]:
    """The sites of what a task shows, the one that is the truth first; nothing for a task that shows something else."""
    sites = _object(detail).get("sites")
    found = [_site(str(name), _object(value)) for name, value in _object(sites).items()]
    return sorted(found, key=lambda one: (one.tier != "truth", one.site))


def _site(name: str, value: Mapping[str, Json]) -> SitePlan:
    plan = _object(value.get("plan"))
    steps = [_step(_object(one)) for one in _list(plan.get("steps"))]
    held = _text(value.get("held"))
    return SitePlan(
        site=name,
        tier=_text(value.get("tier")),
        counts={action: sum(step.action == action for step in steps) for action in _ACTIONS},
        unchanged=_number(plan.get("unchanged")),
        steps=tuple(steps[:_MOST_STEPS]),
        more=max(len(steps) - _MOST_STEPS, 0),
        needs=tuple(_text(_object(one).get("what")) for one in _list(plan.get("approvals"))),
        missing=tuple(_text(one) for one in _list(value.get("missing"))),
        remarks=(
            *((held,) if held else ()),
            *(f"{_text(one.get('object'))}: {_text(one.get('why'))}" for one in map(_object, _list(plan.get("kept")))),
            *map(_text, (*_list(plan.get("refusals")), *_list(plan.get("notes")))),
        ),
        problem=_text(value.get("problem")),
        state=_text(value.get("state")),
        message=_text(value.get("message")),
        done={name: count for name in _DONE if (count := _number(value.get(name))) is not None},
    )


def _step(value: Mapping[str, Json]) -> Step:
    fields = tuple(_text(one) for one in _list(value.get("fields")))
    return Step(action=_text(value.get("action")), object=_text(value.get("object")), fields=fields)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
