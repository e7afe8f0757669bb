"""What the store knows of images: how sites call them, what their registries have, which digests belong to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from drift import implied
from drift.implied import SiteFacts
from lockstep import errors
from lockstep.store import images, parts
from lockstep.store.database import Database
from lockstep.values import ImageReference

_LATEST = "latest"
_EQUAL = "equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """What is known of the images of an application, as it was when it was first asked for.

    ``sites`` are the truth and the follower, ``stocked`` what their registries were last seen to have: digests by site,
    name and reference.
    """

    database: Database
    sites: tuple[SiteFacts, SiteFacts]
    stocked: Mapping[tuple[str, str, str], str]
    _below: dict[str, Mapping[str, str] | None] = field(default_factory=dict)

    @classmethod
    def of(cls, database: Database, sites: tuple[SiteFacts, SiteFacts], names: Sequence[str]) -> Shelves:
        """Look up what is known.

        Args:
            database: Where it is kept.
            sites: The truth and the follower.
            names: The images of the application.
        """
        with database.read() as connection:
            standings = [one for name in names for one in images.standings(connection, name)]
        here = {site.name for site in sites}
        stocked = {
            (one.site, one.repository, one.reference): one.digest
            for one in standings
            # What is not equal to its source now is nobody's word on what is there.
            if one.state == _EQUAL and one.digest and one.site in here
        }
        stocked |= {(site, name, digest): digest for (site, name, _), digest in stocked.items()}
        return cls(database=database, sites=sites, stocked=stocked)

    def children(self, digest: str) -> Mapping[str, str] | None:
        """What is below a digest; None when nobody ever looked into it."""
        if digest not in self._below:
            with self.database.read() as connection:
                self._below[digest] = parts.children_of(connection, [digest]).get(digest)
        return self._below[digest]

    def name(self, site: str, image: str) -> str:
        """A reference at a site, without the site's own prefix and renaming."""
        facts = next((one for one in self.sites if one.name == site), None)
        return (implied.own_name(image, facts) if facts is not None else "") or image

    def held(self, site: str, image: str) -> str:
        """The digest that a site's registry has under a tag, or that is pinned and there."""
        try:
            reference = ImageReference.parse(image)
        except errors.InputError:
            return ""
        return self.stocked.get((site, reference.name, reference.digest or reference.tag or _LATEST), "")
