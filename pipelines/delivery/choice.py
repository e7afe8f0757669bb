"""Which digest each image of an application is deployed with. Pure.

Git often names an image by a tag, or by nothing: what it means is decided once, before anything is deployed,
and written down with the deployment. What the run itself built and pushed comes first; a digest that git names
stays; a tag means what the truth's registry says now; a name without a tag means what was deployed last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lockstep.manifests.images import Wanted

LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Digests by ``name`` or ``name:tag``, and the images whose digest nobody knows."""

    digests: Mapping[str, str]
    unknown: tuple[str, ...]


def choose(
    wanted: Sequence[Wanted],
    *,
    built: Mapping[str, str],
    deployed: Mapping[str, str],
    resolve: Callable[[str, str], str],
) -> Choice:
    """Choose a digest for every image.

    Args:
        wanted: What git names.
        built: What this run pushed, by name.
        deployed: What the last deployment had, by ``name`` or ``name:tag``.
        resolve: What a tag of a repository means at the truth's registry, ``""`` when it has none.
    """
    digests: dict[str, str] = {}
    unknown = []
    for image in wanted:
        if image.digest:
            continue
        key = f"{image.name}:{image.tag}"
        if image.name in built:
            digests[image.name] = built[image.name]
        elif found := _known(image, key, deployed, resolve):
            digests[key] = found
        else:
            unknown.append(key)
    return Choice(digests=digests, unknown=tuple(sorted(unknown)))


def _known(image: Wanted, key: str, deployed: Mapping[str, str], resolve: Callable[[str, str], str]) -> str:
    if image.tag == LATEST:
        # Nobody named a version: what runs stays, until a run builds another.
        return deployed.get(key) or deployed.get(image.name) or resolve(image.name, image.tag)
    return resolve(image.name, image.tag) or deployed.get(key, "")
