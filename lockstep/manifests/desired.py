"""What one site is to have of an application: raw objects with everything of that site applied to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lockstep import errors
from lockstep.manifests import applyset, edit, floor, images, scope
from lockstep.manifests.problem import Problem
from lockstep.topology import direction, kinds
from lockstep.values import Json, ObjectKey, Tier

# Objects that a tool runs at a moment of its own deploys; they are no part of what an application is (N04).
_HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What one site is to have of an application.

    ``objects`` is what is deployed there; ``full`` the same at full size, which is what an archive keeps. They
    are the same except at a hot standby. ``notes`` are sentences about what was left out; with a problem nothing
    may be deployed. ``undetermined`` are the images of which nobody knows which they are: each is a problem too.
    """

    application: str
    namespace: str
    site: str
    objects: tuple[dict[str, Json], ...]
    full: tuple[dict[str, Json], ...]
    uses: tuple[images.Use, ...] = ()
    lowered: tuple[floor.Lowered, ...] = ()
    suspended: tuple[ObjectKey, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    undetermined: tuple[images.Undetermined, ...] = ()

    @property
    def applyset(self) -> applyset.ApplySet:
        """The set that the objects are members of."""
        return applyset.ApplySet(application=self.application, namespace=self.namespace)

    @property
    def digests(self) -> dict[str, tuple[str, ...]]:
        """The digests of the application's images that the site must have before anything is deployed, by name."""
        names = sorted({use.name for use in self.uses if use.mirrored})
        return {name: tuple(sorted({use.digest for use in self.uses if use.name == name})) for name in names}

    @property
    def meant(self) -> dict[str, str]:
        """What the names of the application's images in git mean here, digests by ``name:tag``."""
        return dict(sorted(use.meant for use in self.uses if use.name and use.digest))

    def require_sound(self) -> None:
        """Refuse what has problems.

        Raises:
            InputError: With all of them at once.
        """
        if self.problems:
            listed = "\n".join(str(problem) for problem in self.problems)
            raise errors.InputError(
                f"{self.application} cannot be deployed to {self.site}:\n{listed}", remedy="Correct it, and push."
            )


def desired(
    raw: Sequence[dict[str, Json]],
    *,
    application: kinds.Application,
    place: direction.Place,
    sites: Mapping[str, kinds.Site],
    digests: Mapping[str, str],
    cluster_scoped: frozenset[scope.GroupKind] = frozenset(),
) -> Desired:
    """Finish a rendering for one site; nothing that is given is changed.

    Args:
        raw: The objects as git renders them for this site.
        application: Whose they are.
        place: Which site, and what it is for the application.
        sites: All sites by name: an image may be written with the prefix of any of them.
        digests: Digests of the application's images by ``name``, or by ``name:tag``.
        cluster_scoped: Kinds that are known to have no namespace, beside those built in and those defined here.
    """
    own, notes = _without_hooks(raw)
    namespace = application.spec.namespace
    set_ = applyset.ApplySet(application=application.name, namespace=namespace)
    placed = scope.place(own, namespace=namespace, also=cluster_scoped)
    rewritten = images.rewrite(
        placed,
        catalogue=images.Catalogue.of(application, prefixes(sites.values()), renamed(sites.values())),
        prefix=_prefix(sites[place.site]),
        digests=digests,
        rename=_rename(sites[place.site]),
    )
    full = tuple(set_.stamped(manifest) for manifest in rewritten.objects)
    floored = floor.Floored(objects=full, lowered=(), suspended=(), notes=())
    if place.protection is not None and place.tier is Tier.HOT:
        floored = floor.apply(full, place.protection)
    return Desired(
        application=application.name,
        namespace=namespace,
        site=place.site,
        objects=floored.objects,
        full=full,
        uses=rewritten.uses,
        lowered=floored.lowered,
        suspended=floored.suspended,
        notes=(*notes, *rewritten.notes, *floored.notes),
        problems=(*_taken(placed, set_), *rewritten.problems),
        undetermined=rewritten.undetermined,
    )


def prefixes(sites: Iterable[kinds.Site]) -> tuple[str, ...]:
    """The image prefixes of some sites, sorted."""
    return tuple(sorted({prefix for prefix in map(_prefix, sites) if prefix}))


def renamed(sites: Iterable[kinds.Site]) -> tuple[tuple[str, str], ...]:
    """The images that have another name at some sites: their full names there, and ours."""
    return tuple((f"{_prefix(site)}/{there}", ours) for site in sites for ours, there in sorted(_rename(site).items()))


def _rename(site: kinds.Site) -> Mapping[str, str]:
    return site.spec.registry.rename if site.spec.registry else {}


def _prefix(site: kinds.Site) -> str:
    return site.spec.registry.prefix if site.spec.registry else ""


def _without_hooks(raw: Sequence[dict[str, Json]]) -> tuple[list[dict[str, Json]], list[str]]:
    """The objects that are deployed, and a note about each that is not."""
    own, notes = [], []
    for manifest in raw:
        kind, metadata = manifest["kind"], manifest["metadata"]
        name = metadata.get("name")
        hook = next((hook for hook in _HOOKS if edit.at(metadata, ("annotations", hook))), None)
        if hook:
            notes.append(f"{kind} {name or metadata['generateName']} is a hook ({hook}): left out.")
        elif not name:
            notes.append(f"{kind} {metadata['generateName']}* gets a new name each time: left out.")
        else:
            own.append(manifest)
    return own, notes


def _taken(placed: Iterable[dict[str, Json]], set_: applyset.ApplySet) -> list[Problem]:
    """What says in git that it belongs to a set, or stands in the place of ours: the specification refuses it."""
    problems = []
    for manifest in placed:
        key = ObjectKey.of(manifest)
        if applyset.member_of(manifest):
            problems.append(
                Problem(
                    key=key,
                    where=f"label {applyset.PART_OF}",
                    message="git says which set it belongs to.",
                    remedy="Take the label out: a deploy sets it.",
                )
            )
        if key == set_.parent_key:
            problems.append(
                Problem(key=key, where="", message="Lockstep keeps its record here.", remedy="Give it another name.")
            )
    return problems
