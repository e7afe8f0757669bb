"""Who may answer a question, and what the answers come to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from lockstep import errors
from lockstep.store import approvals

APPROVE, REJECT = "approve", "reject"
# The rules are those of openshift-pipelines/manual-approval-gate, but for who "anybody" is when nobody is listed.
_GROUP = "group:"


def check(approval: approvals.Approval, *, by: str, groups: Collection[str], decision: str) -> None:
    """Refuse an answer that cannot be given.

    Raises:
        InputError: It is no answer, or nobody gave it.
        ConflictError: The question is closed.
        ForbiddenError: This person is not among those who may answer.
    """
    if decision not in (APPROVE, REJECT):
        raise errors.InputError(f"{decision!r} is no decision.", remedy="Write approve or reject.")
    if not by.strip():
        raise errors.InputError("A decision needs the name of who makes it.", remedy="Say who you are.")
    if approval.state != "pending":
        remedy = "Look at the newer run." if approval.state == "superseded" else "Nothing is left to decide."
        raise errors.ConflictError(f"This approval was {approval.state} already.", remedy=remedy)
    if not may_answer(approval.approvers, by=by, groups=groups):
        listed = ", ".join(approval.approvers)
        raise errors.ForbiddenError(f"{by} may not decide this.", remedy=f"Ask one of: {listed}.")
    if decision == APPROVE and is_barred(approval.barred, by=by):
        raise errors.ForbiddenError(f"{by} may not approve what is {by}'s own.", remedy="Ask somebody else.")


def may_answer(approvers: Sequence[str], *, by: str, groups: Collection[str]) -> bool:
    """Whether a person is listed, by name or by a group; anybody is when nobody is listed."""
    people = {person(name) for name in approvers if not name.startswith(_GROUP)}
    listed = {name.removeprefix(_GROUP) for name in approvers if name.startswith(_GROUP)}
    return not approvers or person(by) in people or not listed.isdisjoint(groups)


def is_barred(barred: Iterable[str], *, by: str) -> bool:
    """Whether a person may not approve."""
    return person(by) in {person(name) for name in barred}


def person(name: str) -> str:
    """What makes two names one person: neither case nor blanks make a second one."""
    return " ".join(name.split()).casefold()


def outcome(decisions: Iterable[approvals.Decision], needed: int) -> str:
    """``rejected`` once one person rejects, ``approved`` once enough different people approve, else ``pending``."""
    answers = {person(one.by): one.decision for one in decisions}
    if REJECT in answers.values():
        return "rejected"
    return "approved" if len(answers) >= needed else "pending"
