"""Nobody hands out rights that they have not: what is refused of roles and bindings.

(Kubernetes' documentation, "Using RBAC Authorization", "Privilege escalation prevention".)
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.support.kubernetes_double import access, statuses
from tests.support.kubernetes_double.access import Access
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.requests import Asked, User
from tests.support.kubernetes_double.storage import Store
from tests.support.kubernetes_double.types import Object

_ROLES = {"roles", "clusterroles"}
_BINDINGS = {"rolebindings", "clusterrolebindings"}


def check(given: Object, resource: Resource, user: User, *, store: Store) -> None:
    """Refuse a role with rights, or a binding to a role with rights, that the writer has not.

    Raises:
        RefusedError: It would be handed out.
    """
    if resource.group != access.GROUP or access.MASTERS in user.groups:
        return
    rights, namespace, name = Access(store), given["metadata"].get("namespace", ""), given["metadata"]["name"]
    if resource.plural in _ROLES and not rights.allows(user, _asked("escalate", resource.plural, namespace, name)):
        _refuse(given.get("rules") or [], resource, name, user, list(rights.rules(user, namespace)))
    if resource.plural in _BINDINGS:
        reference = given["roleRef"]
        plural = f"{reference['kind'].lower()}s"
        if not rights.allows(user, _asked("bind", plural, namespace, reference["name"])):
            key = f"{namespace}/{reference['name']}" if plural == "roles" else reference["name"]
            role = store.get((access.GROUP, plural), key)
            if role is None:
                raise statuses.not_found(resource.qualified, reference["name"])  # by the kind of the binding
            _refuse(role.get("rules") or [], resource, name, user, list(rights.rules(user, namespace)))


def _asked(verb: str, plural: str, namespace: str, name: str) -> Asked:
    return Asked(
        verb=verb, path="", is_resource=True, group=access.GROUP, plural=plural, namespace=namespace, name=name
    )


def _refuse(rules: list[Object], resource: Resource, name: str, user: User, held: list[Object]) -> None:
    missing = [shown for rule in rules for shown in _missing(rule, held)]
    if missing:
        who = f'user "{user.name}" (groups=[{" ".join(json.dumps(one) for one in sorted(user.groups))}])'
        listed = "\n".join(missing)
        why = f"{who} is attempting to grant RBAC permissions not currently held:\n{listed}"
        raise statuses.forbidden(resource.qualified, name, why)


def _missing(rule: Object, held: list[Object]) -> Iterator[str]:
    """The parts of a rule that no rule that is held covers."""
    for url in rule.get("nonResourceURLs") or ():
        verbs = [verb for verb in rule["verbs"] if not _covered(held, verb, urls=url)]
        if verbs:
            yield f"{{NonResourceURLs:{_listed([url])}, Verbs:{_listed(verbs)}}}"
    for group in rule.get("apiGroups") or ():
        for plural in rule.get("resources") or ():
            verbs = [verb for verb in rule["verbs"] if not _covered(held, verb, group=group, plural=plural, of=rule)]
            if verbs:
                yield f"{{APIGroups:{_listed([group])}, Resources:{_listed([plural])}, Verbs:{_listed(verbs)}}}"


def _listed(words: list[str]) -> str:
    return f"[{' '.join(json.dumps(word) for word in words)}]"


def _covered(
    held: list[Object], verb: str, *, urls: str = "", group: str = "", plural: str = "", of: Object | None = None
) -> bool:
    for rule in held:
        if not {verb, "*"} & set(rule.get("verbs") or ()):
            continue
        if urls and {urls, "*"} & set(rule.get("nonResourceURLs") or ()):
            return True
        if of is not None and _within(rule, group, plural, of):
            return True
    return False


def _within(rule: Object, group: str, plural: str, of: Object) -> bool:
    names, wanted = set(rule.get("resourceNames") or ()), set(of.get("resourceNames") or ())
    return (
        bool({group, "*"} & set(rule.get("apiGroups") or ()))
        and bool({plural, "*"} & set(rule.get("resources") or ()))
        and (not names or bool(wanted and wanted <= names))
    )
