"""The images of an application, as the follower would pull them, and what its registry has of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial

from drift import health
from drift.checks.facts import Image, Images, Objects, Stock, Tagged, Unread
from drift.gathering import grounds
from drift.gathering.doors import Looks
from drift.running import of_pod
from lockstep import errors
from lockstep.manifests import desired, images
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import ImageReference, ObjectKey

_AT_ONCE = 4
# More images than this no application has: what comes after is not asked for, and said to be unknown.
_MOST = 500
# A Deployment owns a ReplicaSet that owns a Pod; a bound against circles.
_MOST_OWNERS = 8
_MOST_SECRETS = 20


def named(
    topology: Topology,
    application: kinds.Application,
    follower: str,
    *,
    uses: Iterable[images.Use],
    live: tuple[Objects, Objects],
) -> tuple[Image, ...]:
    """The images that git, the truth and the follower name, and those that run at the truth; each place once. Pure.

    Args:
        topology: The configuration in force.
        application: Whose images.
        follower: The site that would pull them.
        uses: Those of the rendering for the follower.
        live: The objects of the truth and of the follower.
    """
    names = _Names(topology, application, follower)
    found = [names.of_git(use) for use in uses]
    found += [one for side, objects in zip(("primary", "dr"), live, strict=True) for one in names.live(side, objects)]
    found += names.running(live[0])
    return tuple(dict.fromkeys(found))


def tags(looks: Looks, application: kinds.Application) -> tuple[Tagged, ...] | Unread:
    """How the application's own images stand beside their sources, now."""
    found: list[Tagged] = []
    for image in application.spec.images:
        asked = grounds.asked(partial(looks.tags, image.name))
        if isinstance(asked, Unread):
            return asked
        found += asked
    return tuple(found)


def host(topology: Topology, site: str) -> str:
    """The host of a site's registry, as references name it."""
    registry = topology.site(site).spec.registry
    return registry.prefix.partition("/")[0].lower() if registry else ""


def opened(
    looks: Looks, follower: str, found: Images, secrets: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str | Unread]:
    """What the follower's registry says to each of some pull secrets, asked for an image that it has."""
    here = sorted(asked for asked, stock in found.stock.items() if isinstance(stock, Stock) and stock.present)
    if not here:
        nothing = Unread(why="the registry has none of the images to try it with")
        return dict.fromkeys(secrets, nothing)
    repository, digest = here[0]
    said: dict[tuple[str, str], str | Unread] = {}
    for namespace, name in list(dict.fromkeys(secrets))[:_MOST_SECRETS]:
        key = ObjectKey(group="", kind="Secret", namespace=namespace, name=name)
        said[namespace, name] = grounds.asked(partial(looks.opens, follower, key, repository=repository, digest=digest))
    return said


def gather(looks: Looks, follower: str, found: tuple[Image, ...], *, now: datetime) -> Images:
    """Ask the follower's registry for each of some images."""
    wanted = sorted({(one.repository, one.digest) for one in found if one.registry == "own" and one.digest})

    def ask(one: tuple[str, str]) -> Stock | Unread:
        return grounds.asked(lambda: looks.stock(follower, *one))

    asked = wanted[:_MOST]
    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="images") as pool:
        stock: dict[tuple[str, str], Stock | Unread] = dict(zip(asked, pool.map(ask, asked), strict=True))
    return Images(named=found, stock=stock, at=now)


def _workload(key: ObjectKey, objects: Objects) -> ObjectKey:
    """The object that a Pod belongs to in the end, as far as its owners were read."""
    for _ in range(_MOST_OWNERS):
        owner = health.owner_of(key, objects[key])
        if owner is None or owner not in objects:
            return key
        key = owner
    return key


class _Names:
    """Says of what a manifest names which repository of the follower it means."""

    def __init__(self, topology: Topology, application: kinds.Application, follower: str) -> None:
        sites = topology.sites.values()
        self._catalogue = images.Catalogue.of(application, desired.prefixes(sites), desired.renamed(sites))
        self._prefixes = {
            site.name: site.spec.registry.prefix for site in sites if site.spec.registry and site.spec.registry.prefix
        }
        self._follower = follower
        registry = topology.site(follower).spec.registry
        self._ours = {there: ours for ours, there in registry.rename.items()} if registry else {}

    def of_git(self, use: images.Use) -> Image:
        return self._image(str(use.key), use.container, "git", use.image, name=use.name)

    def live(self, side: str, objects: Objects) -> Iterator[Image]:
        for key, manifest in objects.items():
            for named in self._catalogue.images_in(manifest):
                yield self._live(side, str(key), named.container, named.written)

    def running(self, objects: Objects) -> Iterator[Image]:
        """What really runs at the truth, where that is another digest than the spec names; an id is in no registry."""
        for key, manifest in objects.items():
            if (key.group, key.kind) != ("", "Pod"):
                continue
            for place, ran in of_pod(manifest).items():
                image = self._live("primary", str(_workload(key, objects)), place.name, place.image)
                if ran.named and image.registry == "own" and ran.digest != image.digest:
                    yield replace(image, where="running", digest=ran.digest)

    def _live(self, side: str, key: str, container: str, written: str) -> Image:
        """At the truth, an image of the application means the follower's own of that name."""
        try:
            reference = ImageReference.parse(written)
        except errors.InputError:
            return Image(object=key, container=container, where=side, written=written, registry="foreign")
        names = self._catalogue.names.get(images.full_name(reference), ())
        if side == "primary" and len(names) == 1 and self._follower in self._prefixes:
            return Image(
                object=key,
                container=container,
                where=side,
                written=written,
                name=names[0],
                repository=names[0],
                digest=reference.digest,
            )
        return self._image(key, container, side, written, name=names[0] if len(names) == 1 else "")

    def _image(self, key: str, container: str, where: str, written: str, *, name: str) -> Image:
        own, other, path = self._owner(written)
        return Image(
            object=key,
            container=container,
            where=where,
            written=written,
            name=name,
            repository=self._ours.get(path, path),
            digest=written.rpartition("@")[2] if "@" in written else "",
            registry="own" if own else "other" if other else "foreign",
            other_site=other,
        )

    def _owner(self, written: str) -> tuple[bool, str, str]:
        """Whether a reference is to the follower's registry, or to which site's, and the repository there."""
        name = written.partition("@")[0]
        head, slash, tail = name.rpartition("/")
        name = f"{head}{slash}{tail.partition(':')[0]}"
        longest = sorted(self._prefixes.items(), key=lambda one: (len(one[1]), one[0] == self._follower), reverse=True)
        for site, prefix in longest:
            if name.startswith(f"{prefix}/"):
                return site == self._follower, "" if site == self._follower else site, name[len(prefix) + 1 :]
        return False, "", name
