"""Which pull secrets the workloads of an application name at the follower, themselves or by their service account."""

from __future__ import annotations

from collections.abc import Mapping

from drift.checks import templates
from drift.checks.facts import Facts, Objects, Unread
from drift.normalise import reading
from lockstep.values import ObjectKey


def named(facts: Facts) -> Mapping[tuple[str, str], list[ObjectKey]]:
    """Every pull secret by name space and name, with the workloads that use it."""
    wanted = {} if isinstance(facts.desired, Unread) else facts.desired.full
    beside = facts.beside.objects if facts.beside else {}
    return named_by({**facts.live[1].objects, **wanted}, accounts={**wanted, **beside, **facts.live[1].objects})


def named_by(objects: Objects, *, accounts: Objects) -> Mapping[tuple[str, str], list[ObjectKey]]:
    """The same of some objects.

    Args:
        objects: The workloads.
        accounts: Where the service accounts are.
    """
    found: dict[tuple[str, str], list[ObjectKey]] = {}
    for one in templates.workloads(objects):
        if reading.at(objects[one.key], "metadata", "ownerReferences"):
            continue  # what made it is asked
        account = reading.text(one.spec, "serviceAccountName") or "default"
        key = ObjectKey(group="", kind="ServiceAccount", namespace=one.key.namespace, name=account)
        holders = (one.spec, accounts.get(key, {}))
        for name in dict.fromkeys(
            reading.text(pull, "name") for holder in holders for pull in reading.entries(holder, "imagePullSecrets")
        ):
            if name:
                found.setdefault((one.key.namespace, name), []).append(one.key)
    return found
