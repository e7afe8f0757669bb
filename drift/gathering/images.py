"""The images of an application, as the follower would pull them, and what its registry has of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from drift.checks.facts import Image, Images, Objects, Stock, Unread
from drift.gathering import grounds
from drift.gathering.doors import Looks
from lockstep import errors
from lockstep.manifests import desired, images
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import ImageReference

_AT_ONCE = 4
# More images than this no application has: what comes after is not asked for, and said to be unknown.
_MOST = 500


def named(
    topology: Topology,
    application: kinds.Application,
    follower: str,
    *,
    uses: Iterable[images.Use],
    live: tuple[Objects, Objects],
) -> tuple[Image, ...]:
    """The images that git, the truth and the follower name, each place once. Pure.

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
    return tuple(dict.fromkeys(found))


def gather(looks: Looks, follower: str, found: tuple[Image, ...], *, now: datetime) -> Images:
    """Ask the follower's registry for each of some images."""
    wanted = sorted({(one.repository, one.digest) for one in found if one.registry == "own" and one.digest})

    def ask(one: tuple[str, str]) -> Stock | Unread:
        return grounds.asked(lambda: looks.stock(follower, *one))

    asked = wanted[:_MOST]
    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="images") as pool:
        stock: dict[tuple[str, str], Stock | Unread] = dict(zip(asked, pool.map(ask, asked), strict=True))
    return Images(named=found, stock=stock, at=now)


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
