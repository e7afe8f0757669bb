"""What gathering needs from outside, beside what comparing needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from drift.checks.facts import Mirror, Stock, Tagged
from drift.doors import Scanning
from lockstep.manifests import desired
from lockstep.values import ObjectKey


class Looks(Protocol):
    """Looks at what other rooms keep equal. Nothing is written by any of it."""

    def mirrors(self, repository: str) -> Sequence[Mirror]:
        """How a git repository stands at each of its sites, now.

        Raises:
            LockstepError: Its source does not say what they should have.
        """
        ...

    def stock(self, site: str, repository: str, digest: str) -> Stock:
        """What a site's registry has of an image, every blob asked for.

        Raises:
            LockstepError: It does not say.
        """
        ...

    def tags(self, repository: str) -> Sequence[Tagged]:
        """How the tags of an image repository stand at each of its sites, now; nothing where no mirror brings it.

        Raises:
            LockstepError: Its source does not say what they should be.
        """
        ...

    def opens(self, site: str, secret: ObjectKey, *, repository: str, digest: str) -> str:
        """What a site's registry says to a pull secret of its cluster: empty where it lets it in, else why not.

        Raises:
            LockstepError: It does not say.
        """
        ...

    def rehearse(self, site: str, wanted: desired.Desired, *, warm: bool) -> Mapping[str, str]:
        """What a site's server says to a dry run of each object: nothing for what it would admit.

        ``warm``: of the ground, and of every workload as the Pod that it would become.

        Raises:
            LockstepError: It does not say.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """Everything that gathering needs."""

    scanning: Scanning
    looks: Looks
