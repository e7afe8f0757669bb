"""The images of a rendering: whose they are, and where a site gets them.

An image of the application is written as ``<the site's imagePrefix>/<name>@<digest>``; every other one stays
as it is, and is refused or listed as the application says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lockstep import errors
from lockstep.manifests import edit, workloads
from lockstep.manifests.problem import Problem
from lockstep.topology import kinds
from lockstep.topology.selectors import Selector, write_pointer
from lockstep.values import ImageReference, Json, ObjectKey

# distribution/reference: the names under which Docker Hub is known, and where its images without a folder are.
_HUB = "docker.io"
_HUBS = frozenset({"", "docker.io", "index.docker.io", "registry-1.docker.io"})
_LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Use:
    """One place that names an image, as a site gets it.

    ``written`` is what git says; ``image`` what the site gets; ``name`` the application's image, ``""`` when it
    is nobody's; ``digest`` is ``""`` when the image is not pinned; ``mirrored`` whether it belongs to the
    application, so that every site has it.
    """

    key: ObjectKey
    container: str
    written: str
    image: str
    name: str
    digest: str
    mirrored: bool

    @property
    def meant(self) -> tuple[str, str]:
        """What git names, as ``name:tag``, and its digest."""
        return f"{self.name}:{ImageReference.parse(self.written).tag or _LATEST}", self.digest


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Wanted:
    """An image of the application whose digest has to be known; ``tag`` is ``latest`` when git names none.

    ``digest`` is what git itself says, ``""`` when it says none.
    """

    name: str
    tag: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Undetermined:
    """A place that names an image of the application of which nobody knows which it is: it stays as git writes it.

    ``container`` is the container's name, or says what else the place is; ``why`` says what is not known.
    """

    key: ObjectKey
    place: edit.Place
    container: str
    written: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The application's images under every name that they are known by."""

    application: kinds.Application
    names: Mapping[str, tuple[str, ...]]
    """A full name, such as ``docker.io/library/nginx``, to the application's images of that name."""
    also_at: tuple[Selector, ...]
    """Fields of custom resources that name images."""

    @classmethod
    def of(
        cls, application: kinds.Application, prefixes: Iterable[str], renamed: Iterable[tuple[str, str]] = ()
    ) -> Catalogue:
        """The catalogue of an application.

        Args:
            application: Whose images.
            prefixes: The image prefixes of all sites.
            renamed: Images that have another name at a site: that full name, and ours.
        """
        names: dict[str, list[str]] = {}
        known = sorted({prefix for prefix in prefixes if prefix})
        other = sorted(set(renamed))
        for image in application.spec.images:
            spellings = [
                image.name,
                *(f"{prefix}/{image.name}" for prefix in known),
                *(full for full, name in other if name == image.name),
                *([image.from_] if image.from_ else []),
            ]
            for full in dict.fromkeys(full_name(ImageReference.parse(text)) for text in spellings):
                names.setdefault(full, []).append(image.name)
        also_at = tuple(Selector.parse(image.also_at) for image in application.spec.images if image.also_at)
        return cls(
            application=application, names={full: tuple(found) for full, found in names.items()}, also_at=also_at
        )

    def images_in(self, manifest: Mapping[str, Json]) -> Iterator[workloads.NamedImage]:
        """Every image that an object names, each place once."""
        seen: set[edit.Place] = set()
        for named in (*workloads.images(manifest), *self._also_in(manifest)):
            if named.place not in seen:
                seen.add(named.place)
                yield named

    def _also_in(self, manifest: Mapping[str, Json]) -> Iterator[workloads.NamedImage]:
        key = ObjectKey.of(dict(manifest))
        for selector in self.also_at:
            if _selects(selector, key):
                for place, text in _texts(selector, manifest):
                    yield workloads.NamedImage(place=place, container=f"field {write_pointer(place)}", written=text)


def full_name(reference: ImageReference) -> str:
    """Registry and repository, written out: ``nginx`` is ``docker.io/library/nginx``."""
    registry = reference.registry.lower()
    if registry not in _HUBS:
        return f"{registry}/{reference.repository}"
    folder = "" if "/" in reference.repository else "library/"
    return f"{_HUB}/{folder}{reference.repository}"


def wanted(objects: Iterable[dict[str, Json]], catalogue: Catalogue) -> tuple[Wanted, ...]:
    """The application's images that some objects use, sorted, each once.

    What cannot be read, or could be several images, is left out here: ``rewrite`` says what is wrong with it.
    """
    found = set()
    for manifest in objects:
        for named in catalogue.images_in(manifest):
            try:
                reference = ImageReference.parse(named.written)
            except errors.InputError:
                continue
            names = catalogue.names.get(full_name(reference), ())
            if len(names) == 1:
                tag = reference.tag or ("" if reference.digest else _LATEST)
                found.add(Wanted(name=names[0], tag=tag, digest=reference.digest))
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """Objects as a site gets them, every image that they use, and what is wrong with some of those.

    Each place that is ``undetermined`` is among the problems too.
    """

    objects: tuple[dict[str, Json], ...]
    uses: tuple[Use, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    undetermined: tuple[Undetermined, ...] = ()


def rewrite(
    objects: Sequence[dict[str, Json]],
    *,
    catalogue: Catalogue,
    prefix: str,
    digests: Mapping[str, str],
    rename: Mapping[str, str] | None = None,
) -> Rewritten:
    """Write every image of the application as the site gets it.

    Args:
        objects: The objects; they are not changed.
        catalogue: The application's images.
        prefix: The site's image prefix; ``""`` when it has no registry, so that it mirrors nothing.
        digests: Digests by ``name`` or, where one image is used in several versions, by ``name:tag``.
        rename: What the site calls images that have another name there.
    """
    writer = _Writer(catalogue=catalogue, prefix=prefix, digests=digests, rename=rename or {})
    written = tuple(writer.write(manifest) for manifest in objects)
    return Rewritten(
        objects=written,
        uses=tuple(writer.uses),
        problems=tuple(writer.problems),
        notes=tuple(_unmet(objects, catalogue.also_at)),
        undetermined=tuple(writer.undetermined),
    )


class _WrongImageError(Exception):
    """Why an image cannot be written, and what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy


class _UndeterminedError(_WrongImageError):
    """An image of the application, and nobody knows which."""


@dataclass(slots=True, kw_only=True)
class _Writer:
    catalogue: Catalogue
    prefix: str
    digests: Mapping[str, str]
    rename: Mapping[str, str]
    uses: list[Use] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    undetermined: list[Undetermined] = field(default_factory=list)
    _tags: dict[str, set[str]] = field(default_factory=dict)

    def write(self, manifest: dict[str, Json]) -> dict[str, Json]:
        key = ObjectKey.of(manifest)
        result: Json = manifest
        for named in self.catalogue.images_in(manifest):
            try:
                use = self._use(key, named)
            except _WrongImageError as error:
                where = named.container if " " in named.container else f"container {named.container}"
                self.problems.append(Problem(key=key, where=where, message=error.message, remedy=error.remedy))
                if isinstance(error, _UndeterminedError):
                    self.undetermined.append(_undetermined(key, named, error))
                continue
            self.uses.append(use)
            if use.image != named.written:
                result = edit.replaced(result, named.place, use.image)
        written: dict[str, Json] = result
        return written

    def _use(self, key: ObjectKey, named: workloads.NamedImage) -> Use:
        try:
            reference = ImageReference.parse(named.written)
        except errors.InputError as error:
            raise _WrongImageError(error.message, error.remedy) from error
        names = self.catalogue.names.get(full_name(reference), ())
        if len(names) > 1:
            raise _UndeterminedError(
                f"{named.written} could be {' or '.join(names)}.",
                "Give each image of the application names of its own.",
            )
        name = names[0] if names else ""
        mirrored = bool(name and self.prefix)
        if not mirrored:
            self._refuse_unmirrored(named.written, name)
        digest = self._digest(name, reference) if name else reference.digest
        image = f"{self.prefix}/{self.rename.get(name, name)}@{digest}" if mirrored else named.written
        return Use(
            key=key, container=named.container, written=named.written, image=image, name=name, digest=digest,
            mirrored=mirrored,
        )  # fmt: skip

    def _refuse_unmirrored(self, written: str, name: str) -> None:
        if self.catalogue.application.spec.unmirrored == "warn":
            return
        if name:
            raise _WrongImageError(
                f"{written} is mirrored, but this site has no registry.", "Give the site one, or set unmirrored: warn."
            )
        raise _WrongImageError(
            f"{written} is not mirrored.", "Name it in the application's images and mirror it, or set unmirrored: warn."
        )

    def _digest(self, name: str, reference: ImageReference) -> str:
        tag = reference.tag or _LATEST
        exact, by_name = self.digests.get(f"{name}:{tag}", ""), self.digests.get(name, "")
        known = exact or by_name
        if reference.digest and known not in ("", reference.digest):
            raise _WrongImageError(
                f"{reference} is pinned in git, and {known} is to be deployed.", "Take the digest out of the manifest."
            )
        if not reference.digest and not known:
            raise _UndeterminedError(
                f"no digest of {name}:{tag} is known.", "Mirror it, or build it, before the deploy."
            )
        if by_name and not exact and not reference.digest:
            self._refuse_second_tag(name, tag)
        return reference.digest or known

    def _refuse_second_tag(self, name: str, tag: str) -> None:
        """One digest cannot be two versions of an image."""
        tags = self._tags.setdefault(name, set())
        tags.add(tag)
        if len(tags) > 1:
            raise _UndeterminedError(
                f"{name} is used with the tags {' and '.join(sorted(tags))}, and one digest is to be deployed.",
                "Use one tag in all manifests.",
            )


def _undetermined(key: ObjectKey, named: workloads.NamedImage, error: _UndeterminedError) -> Undetermined:
    return Undetermined(key=key, place=named.place, container=named.container, written=named.written, why=error.message)


def _unmet(objects: Iterable[dict[str, Json]], also_at: Iterable[Selector]) -> Iterator[str]:
    """A mistyped field would leave an image as it is, and nobody would know."""
    left = list(also_at)
    for manifest in objects:
        key = ObjectKey.of(manifest)
        left = [selector for selector in left if not (_selects(selector, key) and any(_texts(selector, manifest)))]
    yield from (f"alsoAt {selector} meets no text in git." for selector in left)


def _selects(selector: Selector, key: ObjectKey) -> bool:
    # Text inside text is not rewritten.
    return selector.embedded is None and selector.selects(group=key.group, kind=key.kind, name=key.name)


def _texts(selector: Selector, manifest: Mapping[str, Json]) -> Iterator[tuple[edit.Place, str]]:
    for place, value in edit.matches(manifest, selector.pointer):
        if isinstance(value, str) and value:
            yield place, value


def unmirrored(uses: Collection[Use]) -> tuple[str, ...]:
    """The images that no mirror brings to a site, as git writes them, sorted."""
    return tuple(sorted({use.written for use in uses if not use.mirrored}))
