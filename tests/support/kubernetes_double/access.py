"""Who may do what: RBAC over the roles and bindings that are stored.

(Kubernetes' documentation, "Using RBAC Authorization".)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.kubernetes_double import statuses
from tests.support.kubernetes_double.requests import Asked, User
from tests.support.kubernetes_double.statuses import RefusedError
from tests.support.kubernetes_double.storage import Store
from tests.support.kubernetes_double.types import Object

GROUP = "rbac.authorization.k8s.io"
MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
ANONYMOUS = User(name="system:anonymous", groups=frozenset({"system:unauthenticated"}))


def account(name: str) -> User:
    """Somebody who is known by name, with the groups that this brings."""
    if name == "admin":
        return User(name=name, groups=frozenset({MASTERS, AUTHENTICATED}))
    groups = {AUTHENTICATED}
    if name.startswith("system:serviceaccount:") and name.count(":") == 3:
        groups |= {"system:serviceaccounts", f"system:serviceaccounts:{name.split(':')[2]}"}
    return User(name=name, groups=frozenset(groups))


class Access:
    """Judges requests by what is stored."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def check(self, user: User, asked: Asked) -> None:
        """Pass, or refuse.

        Raises:
            RefusedError: 403, in the words of the server.
        """
        if not self.allows(user, asked):
            raise _refusal(user, asked)

    def allows(self, user: User, asked: Asked) -> bool:
        """Whether somebody may."""
        return MASTERS in user.groups or any(_covers(rule, asked) for rule in self.rules(user, asked.namespace))

    def rules(self, user: User, namespace: str) -> Iterator[Object]:
        """The rules that hold for somebody in a namespace, those of the whole cluster first."""
        for _, binding in self._store.listed((GROUP, "clusterrolebindings")):
            if _binds(binding, user, ""):
                yield from self._role(binding["roleRef"], "")
        if namespace:
            for _, binding in self._store.listed((GROUP, "rolebindings"), prefix=f"{namespace}/"):
                if _binds(binding, user, namespace):
                    yield from self._role(binding["roleRef"], namespace)

    def _role(self, reference: Object, namespace: str) -> list[Object]:
        if reference["kind"] == "Role":
            found = self._store.get((GROUP, "roles"), f"{namespace}/{reference['name']}")
        else:
            found = self._store.get((GROUP, "clusterroles"), reference["name"])
        return (found or {}).get("rules") or []


def _binds(binding: Object, user: User, namespace: str) -> bool:
    return any(_is(subject, user, namespace) for subject in binding.get("subjects") or ())


def _is(subject: Object, user: User, namespace: str) -> bool:
    if subject["kind"] == "ServiceAccount":
        home = subject.get("namespace") or namespace
        return user.name == f"system:serviceaccount:{home}:{subject['name']}"
    return subject["name"] in user.groups if subject["kind"] == "Group" else subject["name"] == user.name


def _covers(rule: Object, asked: Asked) -> bool:
    if not _has(rule.get("verbs"), asked.verb):
        return False
    if not asked.is_resource:
        return any(_path_fits(url, asked.path) for url in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), asked.group)
        and _resource_fits(rule.get("resources") or [], asked)
        and (not names or asked.name in names)
    )


def _has(given: Any, wanted: str) -> bool:
    return bool(given) and (wanted in given or "*" in given)


def _resource_fits(given: list[str], asked: Asked) -> bool:
    wanted = f"{asked.plural}/{asked.subresource}" if asked.subresource else asked.plural
    return wanted in given or "*" in given or (bool(asked.subresource) and f"*/{asked.subresource}" in given)


def _path_fits(url: str, path: str) -> bool:
    return path == url or (url.endswith("*") and path.startswith(url[:-1]))


def _refusal(user: User, asked: Asked) -> RefusedError:
    """User "reader" cannot list resource "secrets" in API group "" in the namespace "pay"."""
    who = f'User "{user.name}" cannot {asked.verb}'
    if not asked.is_resource:
        return RefusedError(statuses.status(403, "Forbidden", f'forbidden: {who} path "{asked.path}"', details={}))
    resource = f"{asked.plural}/{asked.subresource}" if asked.subresource else asked.plural
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    why = f'{who} resource "{resource}" in API group "{asked.group}" {where}'
    return statuses.forbidden(asked.qualified, asked.name, why)
