"""A plan as people read it, and as pages and programs take it."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep.values import Json
from pipelines.deploy.models import Action, Plan, Step

_SIGNS = {Action.CREATE: "+", Action.CHANGE: "~", Action.DELETE: "-"}
_MOST_FIELDS = 5


def text(plan: Plan) -> str:
    """The plan in lines: one for its numbers, one for each object that it touches, and whatever has to be known."""
    return "\n".join(_lines(plan))


def to_json(plan: Plan) -> dict[str, Json]:
    """The plan without its manifests, which may hold secrets."""
    steps = [step for action in Action for step in plan.steps(action)]
    return {
        "application": plan.application,
        "site": plan.site,
        "revision": plan.revision,
        "digest": plan.digest,
        "unchanged": plan.unchanged,
        "steps": [{"action": one.action.value, "object": str(one.key), "fields": list(one.fields)} for one in steps],
        "kept": [{"object": str(one.key), "why": one.why} for one in plan.kept],
        "approvals": [{"why": one.why.name.lower(), "what": one.what} for one in plan.approvals],
        "refusals": list(plan.refused),
        "notes": list(plan.notes),
    }


def numbers(plan: Plan) -> str:
    """Such as ``2 to create, 1 to change, 40 unchanged``; ``nothing to do`` when there is nothing."""
    counts = [(len(plan.steps(action)), f"to {action.value}") for action in Action]
    told = [f"{count} {what}" for count, what in counts if count]
    return ", ".join([*(told or ["nothing to do"]), f"{plan.unchanged} unchanged"])


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.application} at {plan.site}: {numbers(plan)}"
    for action in Action:
        for step in plan.steps(action):
            yield f"  {_SIGNS[action]} {step.key}{_fields(step)}"
    yield from (f"  ! {one.key} stays: {one.why}." for one in plan.kept)
    yield from (f"  ! {note}" for note in plan.notes)
    yield from (f"  ? needs approval: {approval}." for approval in plan.approvals)
    yield from (f"  x refused: {refusal}" for refusal in plan.refused)


def _fields(step: Step) -> str:
    if not step.fields:
        return ""
    more = len(step.fields) - _MOST_FIELDS
    return f": {', '.join(step.fields[:_MOST_FIELDS])}{f' and {more} more' if more > 0 else ''}"
