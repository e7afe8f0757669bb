"""What a server says that we may do in a namespace, before anything is tried.

Source: ``SelfSubjectRulesReview`` of authorization.k8s.io/v1. It is the server's own opinion of its rules; an
authoriser that cannot list them says that the answer is incomplete.
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
    review = {"apiVersion": f"{_GROUP}/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
    call = Call(
        method="POST",
        segments=("apis", _GROUP, "v1", "selfsubjectrulesreviews"),
        right=errors.Right(verb="create", resource="selfsubjectrulesreviews", group=_GROUP),
        body=orjson.dumps(review),
    )
    status = api.json(call).get("status")
    status = status if isinstance(status, dict) else {}
    if status.get("incomplete") or not isinstance(status.get("resourceRules"), list):
        why = status.get("evaluationError") or "it says that its answer is incomplete"
        raise errors.UnsupportedError(
            f"{api.server} cannot list what we may do in {namespace}: {why}.",
            remedy="Try kubectl auth can-i --list there.",
        )
    return missing(status["resourceRules"], rights.deployable(), rights.WRITING)


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
