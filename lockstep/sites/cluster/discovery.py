"""Which kinds an API server serves, under which names.

Aggregated discovery (``apidiscovery.k8s.io/v2``; its beta on 1.27 to 1.29) takes two calls. A server without it is
asked group by group. A group whose own server does not answer is unknown: it is said, never taken for empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lockstep import errors
from lockstep.sites.cluster.api import Api, Call
from lockstep.sites.ends import Gap
from lockstep.values import Json

_AGGREGATED = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)
_ACCEPT = f"{_AGGREGATED},application/json"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Resource:
    """A kind as a server serves it in one version; ``plural`` is its name in paths."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = field(compare=False)

    @property
    def api_version(self) -> str:
        """As manifests write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def is_readable(self) -> bool:
        """Whether it has objects that can be listed, and asked for one by one."""
        return {"get", "list"} <= self.verbs

    def all_of(self, namespace: str) -> tuple[str, ...]:
        """The path of all objects of a namespace; of all that there are for ``""``."""
        root = ("apis", self.group, self.version) if self.group else ("api", self.version)
        within = ("namespaces", namespace) if self.namespaced and namespace else ()
        return (*root, *within, self.plural)

    def gap_of(self, namespace: str) -> str:
        """The namespace of the gap that is left when this could not be read: ``""`` of a namespaced kind is any."""
        return "*" if self.namespaced and not namespace else namespace

    def one_of(self, namespace: str, name: str) -> tuple[str, ...]:
        """The path of one object, which never becomes that of all of them.

        Raises:
            InputError: It has no name, or no namespace where it needs one.
        """
        if not name or (self.namespaced and not namespace):
            raise errors.InputError(
                f"A {self.kind} without {'a namespace' if name else 'a name'} names no object.",
                remedy="Give it both.",
            )
        return (*self.all_of(namespace), name)

    def right(self, verb: str, namespace: str, name: str = "") -> errors.Right:
        """What a server has to allow for it."""
        return errors.Right(verb=verb, resource=self.plural, group=self.group, namespace=namespace, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a server serves: every kind in every version, the server's favourite version first."""

    resources: tuple[Resource, ...]
    gaps: tuple[Gap, ...] = ()

    def find(self, api_version: str, kind: str) -> Resource | None:
        """A kind in one version."""
        return next((one for one in self.resources if (one.api_version, one.kind) == (api_version, kind)), None)

    def kinds(self, versions: Collection[tuple[str, str]]) -> list[Resource]:
        """Every kind once: in a version that is asked for, where it is served, else in the server's favourite.

        Args:
            versions: Pairs of an ``apiVersion`` and a kind.
        """
        chosen: dict[tuple[str, str], Resource] = {}
        for one in self.resources:
            key = (one.group, one.kind)
            if key not in chosen or (one.api_version, one.kind) in versions:
                chosen[key] = one
        return sorted(chosen.values())


def discover(api: Api, *, until: float | None = None) -> Served:
    """Ask a server what it serves.

    Raises:
        LockstepError: It does not say.
    """
    resources: list[Resource] = []
    gaps: list[Gap] = []
    for root in ("api", "apis"):
        said = api.json(_call((root,), accept=_ACCEPT), until=until)
        if said.get("kind") == "APIGroupDiscoveryList":
            found = list(_aggregated(said))
        else:
            found = list(_group_by_group(api, root, said, until))
        resources += [one for one in found if isinstance(one, Resource)]
        gaps += [one for one in found if isinstance(one, Gap)]
    return Served(resources=tuple(resources), gaps=tuple(gaps))


def _call(segments: tuple[str, ...], *, accept: str = "application/json") -> Call:
    right = errors.Right(verb="get", resource=f"/{'/'.join(segments)}")
    return Call(method="GET", segments=segments, right=right, accept=accept)


def _aggregated(said: Mapping[str, Json]) -> Iterator[Resource | Gap]:
    """The resources of an ``APIGroupDiscoveryList``."""
    for item in _mappings(said.get("items")):
        group = _text(_mapping(item.get("metadata")).get("name"))
        for version in _mappings(item.get("versions")):
            name = _text(version.get("version"))
            if version.get("freshness") == "Stale":
                yield _unknown(group, name, "its own server does not answer")
            for one in _mappings(version.get("resources")):
                kind = _text(_mapping(one.get("responseKind")).get("kind"))
                # A kind may be served on behalf of another group: a subresource always is, a resource never.
                yield from _resource(
                    group, name, {**one, "name": one.get("resource"), "kind": kind}, one.get("scope") == "Namespaced"
                )


def _group_by_group(api: Api, root: str, said: Mapping[str, Json], until: float | None) -> Iterator[Resource | Gap]:
    """The resources of an ``APIVersions`` or an ``APIGroupList``, as servers without aggregated discovery tell."""
    wanted: list[tuple[str, str]] = []
    if root == "api":
        wanted = [("", _text(version)) for version in said.get("versions") or []]
    for group in _mappings(said.get("groups")):
        favourite = _text(_mapping(group.get("preferredVersion")).get("version"))
        versions = [_text(one.get("version")) for one in _mappings(group.get("versions"))]
        versions.sort(key=lambda version: version != favourite)
        wanted += [(_text(group.get("name")), version) for version in versions]
    with ThreadPoolExecutor(max_workers=api.limits.at_once, thread_name_prefix="discovery") as pool:
        asked = [pool.submit(_one_group, api, root, group, version, until) for group, version in wanted]
        for one in asked:
            yield from one.result()


def _one_group(api: Api, root: str, group: str, version: str, until: float | None) -> list[Resource | Gap]:
    segments = (root, group, version) if group else (root, version)
    try:
        said = api.json(_call(segments), until=until)
    except errors.LockstepError as error:
        return [_unknown(group, version, error.message)]
    return [
        found
        for one in _mappings(said.get("resources"))
        for found in _resource(group, version, one, one.get("namespaced") is True)
    ]


def _resource(group: str, version: str, said: Mapping[str, Json], namespaced: bool) -> Iterator[Resource]:
    """A resource, when it is one: a name with a slash is a part of another."""
    plural, kind = _text(said.get("name")), _text(said.get("kind"))
    verbs = frozenset(_text(verb) for verb in said.get("verbs") or [])
    if plural and kind and version and "/" not in plural:
        yield Resource(group=group, version=version, kind=kind, plural=plural, namespaced=namespaced, verbs=verbs)


def _unknown(group: str, version: str, why: str) -> Gap:
    return Gap(what=f"every kind of {group}/{version}", why=why, group=group)


def _mappings(value: Json) -> Iterable[dict[str, Json]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
