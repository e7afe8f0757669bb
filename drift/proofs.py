"""Whether digests mean one image: proved, refuted, or nobody can say. Pure.

One image has several digests: that of its index, one of a manifest for each platform, and an id besides. A runtime
names any of them, so another digest alone proves nothing. What proves is which of them belong to one image, where
that is known; and that one reference was resolved twice, by runtimes that name what they resolved it to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Protocol, TypeAlias

from drift.image_ids import Ran, pin

SAME, ALONE, DIFFERENT, WRONG, NOT_COMPARABLE = "same", "alone", "different", "wrong", "notComparable"
"""The same runs at both sites, or what the spec pins; one image runs, and nobody knows of another site; one tag is two
images; what runs is not what the spec pins; nobody can say."""

Children: TypeAlias = Callable[[str], Mapping[str, str] | None]
"""The manifests and configurations (ids) below a digest, each with its platform (``os/architecture``, with its variant;
``""`` below a manifest of one image); None when nobody ever looked."""

# What says of no platform that it is for it, such as an attestation.
_FOR_NOBODY = "unknown/"
# What is below a manifest is for no platform in particular.
_ONE = ""
# More digests than these of one container are not held against each other one by one.
_MOST = 20


class Known(Protocol):
    """What is known of images beside what runs."""

    def children(self, digest: str) -> Mapping[str, str] | None:
        """What is below a digest, as ``Children`` says."""
        ...

    def name(self, site: str, image: str) -> str:
        """What a reference at a site is called at no site in particular; the reference when it is not the site's."""
        ...

    def held(self, site: str, image: str) -> str:
        """The digest that a site's registry has under such a name, by tag or pinned; ``""`` when nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is known of any image."""

    def children(self, _digest: str) -> None:
        """Nobody knows."""
        return

    def name(self, _site: str, image: str) -> str:
        """As it is written."""
        return image

    def held(self, _site: str, _image: str) -> str:
        """Nobody knows."""
        return ""


NOTHING: Known = Nothing()
"""Where nobody keeps anything about images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is proved of one container: one of the words above, and the sites where another image is or would be."""

    said: str
    wrong: tuple[str, ...] = ()


def alike(one: Ran, other: Ran, children: Children) -> bool | None:
    """Whether two digests mean one image; None when nobody can say.

    Args:
        one: What runs, what a spec pins, or what a registry has.
        other: The same.
        children: What is known of indexes.
    """
    if not (one.digest and other.digest):
        return None
    if one.digest == other.digest:
        return True
    mine, theirs = children(one.digest), children(other.digest)
    if other.digest in (mine or ()) or one.digest in (theirs or ()):
        return True
    if mine and theirs:
        return _overlap(mine, theirs)
    # What is nowhere below an image that somebody looked into is another image; so are two that one name was for.
    proved = mine is not None or theirs is not None or (one.resolved and other.resolved)
    return False if proved else None


def _overlap(mine: Mapping[str, str], theirs: Mapping[str, str]) -> bool | None:
    """Whether two images of which everything is known are one for each platform of both; None when for some."""
    ours, others = _by_platform(mine), _by_platform(theirs)
    if _ONE in ours or _ONE in others:
        return not mine.keys().isdisjoint(theirs)
    common = ours.keys() & others.keys()
    equal = sum(not ours[platform].isdisjoint(others[platform]) for platform in common)
    return None if 0 < equal < len(common) else equal > 0


def _by_platform(below: Mapping[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for digest, platform in below.items():
        if not platform.startswith(_FOR_NOBODY):
            found.setdefault(platform, set()).add(digest)
    return found


def proof(image: str, ran: Mapping[str, Collection[Ran]], *, held: Mapping[str, str], children: Children) -> Proof:
    """What everything that runs by one reference proves.

    Args:
        image: The reference.
        ran: What runs by it, by site.
        held: What the registries of sites have under its tag, by site.
        children: What is known of indexes.
    """
    pinned = pin(image)
    if pinned:
        return _of_pin(Ran(digest=pinned), ran, children)
    every = {one for runs in ran.values() for one in runs}
    found = [alike(*pair, children) for pair in combinations(islice(sorted(every), _MOST), 2)]
    stocked = {site: [alike(Ran(digest=digest), one, children) for one in every] for site, digest in held.items()}
    moved = [site for site, answers in stocked.items() if False in answers]
    if False in found or moved:
        return Proof(said=DIFFERENT, wrong=tuple(ran) if False in found else tuple(moved))
    # Of digests that were not all held against each other nobody knows that they are one image.
    if None in found or len(every) > _MOST or "" in {one.digest for one in every}:
        return Proof(said=NOT_COMPARABLE)
    elsewhere = {site for site, answers in stocked.items() if answers and all(answers)}
    return Proof(said=SAME if len({*ran, *elsewhere}) > 1 else ALONE)


def _of_pin(pinned: Ran, ran: Mapping[str, Iterable[Ran]], children: Children) -> Proof:
    found = {site: [alike(pinned, one, children) for one in runs] for site, runs in ran.items()}
    wrong = tuple(site for site, answers in found.items() if False in answers)
    if wrong:
        return Proof(said=WRONG, wrong=wrong)
    unproved = any(None in answers for answers in found.values())
    return Proof(said=NOT_COMPARABLE if unproved else SAME)
