"""The task that waits for a person: ``Approval`` of lockstep.dev, and OpenShift's ``ApprovalTask``.

Params: ``approvers`` (names, ``group:name``; anybody when empty), ``numberOfApprovalsRequired``, ``description``,
``selfApproval`` (``allow``, or ``refuse``: who started the run, or wrote the commit, may not approve it).
Results: ``approved-by``, ``approved-at``, ``comment``. While it waits it is a row: no thread, no slot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

from lockstep import values
from lockstep.store import approvals
from lockstep.values import Json
from pipelines import voting
from pipelines.documents import Value, texts_of
from pipelines.tasks import Context, Failed, Finished, Outcome, Waiting


class Approval:
    """Asks once, and ends as the answer says."""

    def run(self, context: Context) -> Outcome:
        """Ask, or hand on what was answered."""
        if context.answers:
            return _answered(context.answers[-1])
        needed = _number(context.params.get("numberOfApprovalsRequired", "1"))
        if needed is None:
            message = "numberOfApprovalsRequired has to be a whole number above 0."
            return Failed(reason="ParamInvalid", message=message)
        rule = context.params.get("selfApproval", "allow")
        if rule not in ("allow", "refuse"):
            return Failed(reason="ParamInvalid", message="selfApproval has to be allow or refuse.")
        barred = _owners(context) if rule == "refuse" else ()
        approvers = _approvers(context.params.get("approvers", ()))
        people = [one for one in approvers if not one.startswith("group:")]
        able = {voting.person(one) for one in people if not voting.is_barred(barred, by=one)}
        if approvers and len(people) == len(approvers) and len(able) < needed:
            message = f"{needed} approvals are wanted, and only {len(able)} people may give one."
            return Failed(reason="ParamInvalid", message=message)
        asked = context.params.get("description") or f"Let {context.run.name} go on?"
        return Waiting(question=str(asked), bound=bound(context), approvers=approvers, barred=barred, needed=needed)


def bound(context: Context) -> Json:
    """What an approval in this run is about: the commit, the digests that were handed on so far, the plan."""
    return {
        "commit": context.run.revision,
        "digests": dict(_digests(context.results)),
        "plan": values.sha256(orjson.dumps([context.plan, dict(context.details)], option=orjson.OPT_SORT_KEYS)),
    }


def _owners(context: Context) -> tuple[str, ...]:
    """Whose change it is, as far as that is known: who started the run, and the author that a fetch told of."""
    names = [context.run.cause.get("by"), *(given.get("author") for given in context.results.values())]
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name.strip()))


def _digests(results: Mapping[str, Mapping[str, Value]]) -> Iterator[tuple[str, str]]:
    """Every result that names an image by digest, or is a digest."""
    for task, given in sorted(results.items()):
        for name, value in sorted(given.items()):
            for text in texts_of(value):
                digest = text.strip().rpartition("@")[2]
                if values.is_digest(digest):
                    yield f"{task}.{name}", digest


def _number(value: Value) -> int | None:
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text) <= 1000 else None


def _approvers(value: Value) -> tuple[str, ...]:
    """A list, or the JSON of one in a text; a text of one name stands for itself."""
    if isinstance(value, str):
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            parsed = [value] if value.strip() else []
        value = tuple(str(one) for one in parsed) if isinstance(parsed, list) else (value,)
    return tuple(dict.fromkeys(name.strip() for name in texts_of(value) if name.strip()))


def _answered(approval: approvals.Approval) -> Outcome:
    wanted = voting.REJECT if approval.state == "rejected" else voting.APPROVE
    said = [one for one in approval.decisions if one.decision == wanted]
    names = ", ".join(one.by for one in said)
    comments = "\n".join(f"{one.by}: {one.comment}" if len(said) > 1 else one.comment for one in said if one.comment)
    if approval.state == "rejected":
        return Failed(reason="Rejected", message=f"rejected by {names}" + (f": {comments}" if comments else ""))
    at = approval.decided_at.isoformat() if approval.decided_at else ""
    results = {"approved-by": names, "approved-at": at, "comment": comments}
    return Finished(results=results, reason="Approved", message=f"approved by {names}")
