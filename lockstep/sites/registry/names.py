"""How repositories are called at one registry: below a prefix, and some under another name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lockstep import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """``prefix`` stands before every name there; ``renamed`` maps our names to those there, without the prefix.

    ``library`` is the folder of images that have none (Docker Hub).
    """

    prefix: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    library: str = ""

    def there(self, repository: str) -> str:
        """What the registry calls one of our repositories.

        Raises:
            RefusedError: Another one of ours has that name there: both would be written over each other.
        """
        other = next((mine for mine, theirs in self.renamed.items() if theirs == repository), repository)
        if other != repository and repository not in self.renamed:
            raise errors.RefusedError(
                f"{other} is called {repository} there, so {repository} itself has no name left.",
                remedy="Give one of them another name in `rename`.",
            )
        name = self.renamed.get(repository, repository)
        if self.library and "/" not in name and not self.prefix:
            name = f"{self.library}/{name}"
        return f"{self.prefix}/{name}" if self.prefix else name

    def inside(self, there: str) -> str:
        """What we call a repository of the registry; empty when it is none of ours."""
        if self.prefix and not there.startswith(f"{self.prefix}/"):
            return ""
        name = there.removeprefix(f"{self.prefix}/") if self.prefix else there
        ours = {theirs: mine for mine, theirs in self.renamed.items()}
        if name in ours:
            return ours[name]
        return "" if name in self.renamed else name
