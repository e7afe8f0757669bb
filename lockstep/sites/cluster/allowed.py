"""What a server says that we may do in a namespace, before anything is tried.

Source: ``SelfSubjectRulesReview`` and ``SelfSubjectAccessReview`` of authorization.k8s.io/v1. The first is the server's
own opinion of its rules; an authoriser that cannot list them says that the answer is incomplete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson

from lockstep import errors
from lockstep.sites.cluster import rights
from lockstep.sites.cluster.api import Api, Call
from lockstep.values import Json

_GROUP = "authorization.k8s.io"


def lacks(api: Api, namespace: str) -> dict[str, tuple[str, ...]]:
    """What a deploy may need and this user may not do in a namespace, by verb: resources as RBAC names them.

    Raises:
        UnsupportedError: The server cannot list its rules.
        LockstepError: It does not answer.
    """
    status = _review(api, "SelfSubjectRulesReview", {"namespace": namespace})
    if status.get("incomplete") or not isinstance(status.get("resourceRules"), list):
        why = status.get("evaluationError") or "it says that its answer is incomplete"
        raise errors.UnsupportedError(
            f"{api.server} cannot list what we may do in {namespace}: {why}.",
            remedy="Try kubectl auth can-i --list there.",
        )
    return missing(status["resourceRules"], rights.deployable(), rights.WRITING)


def may(api: Api, right: errors.Right, *, until: float) -> bool:
    """Whether we have a right.

    Args:
        api: The server.
        right: The right.
        until: When it must have said so, as ``time.monotonic`` tells it.

    Raises:
        LockstepError: It does not say.
    """
    wanted = {
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "namespace": right.namespace,
        "name": right.name,
    }
    return _review(api, "SelfSubjectAccessReview", {"resourceAttributes": wanted}, until=until).get("allowed") is True


def _review(api: Api, kind: str, spec: Mapping[str, Json], *, until: float | None = None) -> dict[str, Json]:
    """What a server answers to a question about ourselves."""
    plural = f"{kind.lower()}s"
    call = Call(
        method="POST",
        segments=("apis", _GROUP, "v1", plural),
        right=errors.Right(verb="create", resource=plural, group=_GROUP),
        body=orjson.dumps({"apiVersion": f"{_GROUP}/v1", "kind": kind, "spec": spec}),
    )
    status = api.json(call, until=until).get("status")
    return status if isinstance(status, dict) else {}


def missing(
    rules: Sequence[Json], wanted: Mapping[str, Iterable[str]], verbs: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Of some resources by group, those on which rules do not allow each verb. Pure.

    A rule for objects of some names only allows nothing here: nobody knows the names of tomorrow.
    """
    given = [rule for rule in rules if isinstance(rule, dict) and not rule.get("resourceNames")]
    found = {
        verb: tuple(
            f"{resource}.{group}" if group else resource
            for group, resources in wanted.items()
            for resource in resources
            if not any(_allows(rule, verb, group, resource) for rule in given)
        )
        for verb in verbs
    }
    return {verb: resources for verb, resources in found.items() if resources}


def _allows(rule: Mapping[str, Json], verb: str, group: str, resource: str) -> bool:
    asked = (("verbs", verb), ("apiGroups", group), ("resources", resource))
    return all({"*", what} & set(rule.get(part) or ()) for part, what in asked)
