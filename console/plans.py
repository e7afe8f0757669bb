"""What a deploy would do, or did, at each site: read from what a built-in task shows of itself. Pure.

The shape is that of ``pipelines.deploy.summary``, site by site; whatever is missing or of another type is left
out, so that an older run can always be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console import shapes
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

    ``counts`` is by action; ``needs`` are the reasons why a person must approve, each as its kind and its object;
    ``more`` are steps that are not listed. Once it was deployed ``state`` says how that ended, and ``done`` how many
    objects there are and were changed and deleted.
    """

    site: str
    tier: str
    counts: Mapping[str, int]
    unchanged: int | None
    steps: tuple[Step, ...]
    more: int
    needs: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    remarks: tuple[str, ...]
    problem: str
    state: str
    message: str
    done: Mapping[str, int]


def of_detail(detail: Json) -> list[SitePlan]:
    """The sites of what a task shows, the one that is the truth first; nothing for a task that shows something else."""
    sites = shapes.mapping(detail).get("sites")
    found = [_site(str(name), shapes.mapping(value)) for name, value in shapes.mapping(sites).items()]
    return sorted(found, key=lambda one: (one.tier != "truth", one.site))


def _site(name: str, value: Mapping[str, Json]) -> SitePlan:
    plan = shapes.mapping(value.get("plan"))
    steps = [_step(shapes.mapping(one)) for one in shapes.items(plan.get("steps"))]
    held = shapes.text(value.get("held"))
    return SitePlan(
        site=name,
        tier=shapes.text(value.get("tier")),
        counts={action: sum(step.action == action for step in steps) for action in _ACTIONS},
        unchanged=shapes.number(plan.get("unchanged")),
        steps=tuple(steps[:_MOST_STEPS]),
        more=max(len(steps) - _MOST_STEPS, 0),
        needs=tuple(_need(shapes.mapping(one)) for one in shapes.items(plan.get("approvals"))),
        missing=tuple(shapes.text(one) for one in shapes.items(value.get("missing"))),
        remarks=(
            *((held,) if held else ()),
            *(
                f"{shapes.text(one.get('object'))}: {shapes.text(one.get('why'))}"
                for one in map(shapes.mapping, shapes.items(plan.get("kept")))
            ),
            *map(shapes.text, (*shapes.items(plan.get("refusals")), *shapes.items(plan.get("notes")))),
        ),
        problem=shapes.text(value.get("problem")),
        state=shapes.text(value.get("state")),
        message=shapes.text(value.get("message")),
        done={name: count for name in _DONE if (count := shapes.number(value.get(name))) is not None},
    )


def _need(value: Mapping[str, Json]) -> tuple[str, str]:
    return shapes.text(value.get("why")), shapes.text(value.get("what"))


def _step(value: Mapping[str, Json]) -> Step:
    fields = tuple(shapes.text(one) for one in shapes.items(value.get("fields")))
    return Step(action=shapes.text(value.get("action")), object=shapes.text(value.get("object")), fields=fields)
