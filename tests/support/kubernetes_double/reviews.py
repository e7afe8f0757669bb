"""Questions about rights: what may I do, may I do this, who am I."""

from __future__ import annotations

from tests.support.kubernetes_double.access import Access
from tests.support.kubernetes_double.requests import Asked, User
from tests.support.kubernetes_double.types import Object


def reviewed(kind: str, body: Object, user: User, access: Access) -> Object | None:
    """The answer to a review; None when it is none of ours."""
    spec = body.get("spec") or {}
    if kind == "SelfSubjectAccessReview":
        allowed = access.allows(user, _asked(spec))
        status: Object = {"allowed": allowed} | ({"reason": "RBAC: allowed"} if allowed else {})
    elif kind in {"SubjectAccessReview", "LocalSubjectAccessReview"}:
        other = User(name=spec.get("user", ""), groups=frozenset(spec.get("groups") or ()))
        status = {"allowed": access.allows(other, _asked(spec))}
    elif kind == "SelfSubjectRulesReview":
        spec, status = {}, _rules(access, user, spec.get("namespace", ""))
    elif kind == "SelfSubjectReview":
        status = {"userInfo": {"username": user.name, "groups": sorted(user.groups)}}
        return {"metadata": {}, "status": status}
    else:
        return None
    return {"metadata": {}, "spec": spec, "status": status}


def _asked(spec: Object) -> Asked:
    path = spec.get("nonResourceAttributes")
    if path:
        return Asked(verb=path.get("verb", ""), path=path.get("path", ""))
    given = spec.get("resourceAttributes") or {}
    return Asked(
        verb=given.get("verb", ""),
        path="",
        is_resource=True,
        group=given.get("group", ""),
        version=given.get("version", ""),
        plural=given.get("resource", ""),
        namespace=given.get("namespace", ""),
        name=given.get("name", ""),
        subresource=given.get("subresource", ""),
    )


def _rules(access: Access, user: User, namespace: str) -> Object:
    rules = list(access.rules(user, namespace))
    names = ("verbs", "apiGroups", "resources", "resourceNames")
    on_resources = [{name: rule[name] for name in names if rule.get(name)} for rule in rules if rule.get("resources")]
    on_paths = [
        {"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]}
        for rule in rules
        if rule.get("nonResourceURLs")
    ]
    return {"resourceRules": on_resources, "nonResourceRules": on_paths, "incomplete": False}
