"""What is there: the objects of a site or of a rendering by key, sealed, with what could not be read.

It asks a cluster's end and indexes what comes back; it compares nothing. A site that does not answer is one gap
that hides everything: nothing that was not read is ever taken for equal, or for missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from drift import certificates, pulling, redact
from drift.certificates import Certificate
from drift.normalise import home, reading
from drift.packed import Packed, pack
from drift.pulling import PullSecret
from drift.seen import Seen, Sifted
from lockstep import clock, collector, errors
from lockstep.manifests import scope
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey

_NAMELESS = ends.Gap(what="something", why="It has no apiVersion, kind and name, so it is no object.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The objects of one site.

    ``gaps`` are what could not be read and what is no object at all; ``read_at`` and ``method`` say when and how
    it was read, by whose ``address``. ``certificates`` are those in its Secrets; ``pull_secrets`` are those that open
    registries, as they were when everything was read. ``ahead_seconds`` is how far the site's clock was ahead of ours,
    where it said so.
    """

    site: str
    objects: Mapping[ObjectKey, dict[str, Json]]
    gaps: tuple[ends.Gap, ...] = ()
    read_at: datetime | None = None
    method: str = ""
    address: str = ""
    notes: tuple[str, ...] = field(default=())
    certificates: tuple[Certificate, ...] = ()
    ahead_seconds: float | None = None
    pull_secrets: tuple[PullSecret, ...] = ()

    def hides(self, key: ObjectKey) -> bool:
        """Whether an object may be there although it was not read."""
        return any(gap.hides(key) for gap in self.gaps)

    @property
    def is_blind(self) -> bool:
        """Whether nothing at all was read."""
        return any(gap == _everything(gap) for gap in self.gaps)


def read(cluster: Seen, selection: ends.Selection, *, site: str, sealer: redact.Sealer, now: clock.Clock) -> Reading:
    """Read a site; when it cannot be read, the reading says so instead.

    Args:
        cluster: The site's cluster, archive or backup.
        selection: What to read.
        site: The site's name.
        sealer: Replaces the values of Secrets.
        now: Tells when.
    """
    try:
        if isinstance(cluster, Sifted):
            return _sifted(cluster, selection, site=site, sealer=sealer)
        found = cluster.read(selection)
    except errors.LockstepError as error:
        gap = ends.Gap(what=f"everything at {site}", why=str(error), denied=isinstance(error, errors.RefusedError))
        return Reading(site=site, objects={}, gaps=(gap,), read_at=now.now(), method="", address=cluster.address)
    return index(found, site=site, sealer=sealer, address=cluster.address)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What is kept of an object while others are read: it takes a fifth of the memory of what it is unpacked."""

    key: ObjectKey | None
    at_home: bool
    packed: bytes | dict[str, Json]
    certificates: tuple[Certificate, ...]
    pull_secrets: tuple[PullSecret, ...]


def _sifted(cluster: Sifted, selection: ends.Selection, *, site: str, sealer: redact.Sealer) -> Reading:
    """What is there, packed one by one. Raises LockstepError."""

    def take(manifest: dict[str, Json]) -> _Taken:
        return _Taken(
            key=key_of(manifest),
            at_home=_is_at_home(manifest),
            packed=pack(sealer.seal(manifest)),
            certificates=tuple(certificates.of_manifest(manifest)),
            pull_secrets=tuple(pulling.of_manifests([manifest])),
        )

    found = cluster.sift(selection, take)
    objects: dict[ObjectKey, bytes | dict[str, Json]] = {}
    for one in found.kept:
        if one.key is not None and (one.key not in objects or one.at_home):
            objects[one.key] = one.packed
    unnamed = (_NAMELESS,) if any(one.key is None for one in found.kept) else ()
    return Reading(
        site=site,
        objects=Packed.of(objects),
        gaps=(*found.gaps, *unnamed),
        read_at=found.read_at,
        method=found.method,
        address=cluster.address,
        certificates=tuple(sorted(certificate for one in found.kept for certificate in one.certificates)),
        pull_secrets=tuple(sorted(secret for one in found.kept for secret in one.pull_secrets)),
    )


def index(found: ends.Inventory, *, site: str, sealer: redact.Sealer, address: str = "") -> Reading:
    """The objects of an inventory by key; what has no name that anybody could look for is a gap."""
    with collector.held():
        objects, gaps = by_key(found.objects, sealer=sealer, served=True)
    return Reading(
        site=site,
        objects=objects,
        gaps=(*found.gaps, *gaps),
        read_at=found.read_at,
        method=found.method,
        address=address,
        certificates=tuple(sorted(one for manifest in found.objects for one in certificates.of_manifest(manifest))),
        ahead_seconds=found.ahead_seconds,
        pull_secrets=tuple(sorted(pulling.of_manifests(found.objects))),
    )


def by_key(
    manifests: Iterable[dict[str, Json]], *, sealer: redact.Sealer, served: bool = False
) -> tuple[dict[ObjectKey, dict[str, Json]], list[ends.Gap]]:
    """Manifests by key, Secrets sealed. One object served by two groups is one (N03); of two the last counts (N02).

    ``served``: they are a server's, and one that the group where its kind lives now has is seen as that has it.
    """
    objects: dict[ObjectKey, dict[str, Json]] = {}
    gaps = []
    for manifest in manifests:
        key = key_of(manifest)
        if key is None:
            gaps.append(_NAMELESS)
        elif not (served and key in objects) or _is_at_home(manifest):
            objects[key] = sealer.seal(manifest)
    return objects, gaps


def key_of(manifest: Json) -> ObjectKey | None:
    """The key of a manifest, in the group where its kind lives now; None when it is no object."""
    api_version, kind = reading.text(manifest, "apiVersion"), reading.text(manifest, "kind")
    metadata = reading.mapping(manifest, "metadata")
    name = reading.text(metadata, "name")
    if not (api_version and kind and name):
        return None
    group = home(api_version.rpartition("/")[0], kind)
    return ObjectKey(group=group, kind=kind, namespace=reading.text(metadata, "namespace"), name=name)


def _is_at_home(manifest: Json) -> bool:
    """Whether a manifest is of the group where its kind lives now."""
    group, kind = reading.text(manifest, "apiVersion").rpartition("/")[0], reading.text(manifest, "kind")
    return home(group, kind) == group


def selection_of(renderings: Sequence[Mapping[ObjectKey, dict[str, Json]]], *, namespace: str) -> ends.Selection:
    """What to read of a site for an application: its name spaces whole, and the other objects that git names.

    The definitions of its custom resources come along: they say what the fields of those mean. Nothing but the
    definitions is looked at, because what is kept as bytes costs something to look at.
    """
    namespaces, cluster_scoped = {namespace}, set()
    without: set[tuple[str, str]] = set()
    for rendering in renderings:
        without |= scope.cluster_scoped(rendering[key] for key in rendering if key.kind == "CustomResourceDefinition")
        for key in rendering:
            if key.namespace and (key.group, key.kind) not in without:
                namespaces.add(key.namespace)
            else:
                cluster_scoped.add(key)
            if "." in key.group and (key.group, key.kind) not in without:
                cluster_scoped.add(definition_of(key.group, key.kind))
    return ends.Selection(namespaces=frozenset(namespaces), cluster_scoped=frozenset(cluster_scoped))


def definition_of(group: str, kind: str) -> ObjectKey:
    """The key of the definition of a custom resource, by the plural that controller-tools makes of a kind."""
    name = kind.lower()
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        plural = f"{name[:-1]}ies"
    else:
        plural = f"{name}es" if name.endswith(("s", "x", "ch", "sh")) else f"{name}s"
    return ObjectKey(
        group="apiextensions.k8s.io", kind="CustomResourceDefinition", namespace="", name=f"{plural}.{group}"
    )


def _everything(gap: ends.Gap) -> ends.Gap:
    return ends.Gap(what=gap.what, why=gap.why)
