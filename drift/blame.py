"""Looks up who changed what: by hand, at the site that deviates, one look an object, and not without end; or in git."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from drift import causes
from drift.causes import Cause
from drift.examine import Difference
from drift.inventory import Reading
from drift.normalise import reading as parts
from drift.survey import Survey
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey, Verdict

Committed: TypeAlias = Callable[[], ends.Commit | None]
"""The last commit that changed what overlays declare; None when nobody can say."""
Lookup: TypeAlias = Callable[[str, ObjectKey, str], dict[str, Json] | None]
"""One object of a site by key and ``apiVersion``, with its ``managedFields``; None when nobody can say."""

# Each look is a call to the site. A storm of differences has one cause mostly, and the first ones tell it.
_MOST_LOOKS = 50
_AT_TRUTH = (Verdict.PRIMARY_HOTFIX, Verdict.DIVERGED, Verdict.EDITED_AT_BOTH, Verdict.MISSING_AT_STANDBY)
_AT_FOLLOWER = (Verdict.STANDBY_DRIFT, Verdict.DIVERGED, Verdict.EDITED_AT_BOTH, Verdict.MISSING_AT_PRIMARY)


def declared(found: Survey, committed: Committed) -> Survey:
    """A survey whose declared differences name the commit that last changed what declares them, and its author."""
    if not any(one.verdict is Verdict.DECLARED for one in found.differences):
        return found
    commit = committed()
    if commit is None:
        return found
    at = commit.committed_at.isoformat(timespec="seconds")
    cause = {"by": commit.author, "kind": f"commit {commit.oid[:12]}", "at": at}
    return replace(
        found,
        differences=tuple(
            replace(one, cause=cause) if one.verdict is Verdict.DECLARED else one for one in found.differences
        ),
    )


def blamed(found: Survey, sites: tuple[str, str], readings: Sequence[Reading], lookup: Lookup) -> Survey:
    """A survey whose differences say who set them, where that is known.

    Args:
        found: The survey.
        sites: The truth and the follower.
        readings: What was read of both.
        lookup: Asks a site for one object.
    """
    looks = _Looks(lookup=lookup, readings=dict(zip(sites, readings, strict=True)))
    return replace(found, differences=tuple(_blamed(one, sites, looks) for one in found.differences))


@dataclass(slots=True, kw_only=True)
class _Looks:
    """Objects that were looked up, each once."""

    lookup: Lookup
    readings: dict[str, Reading]
    _found: dict[tuple[str, ObjectKey], dict[str, Json] | None] = field(default_factory=dict)

    def at(self, site: str, key: ObjectKey) -> dict[str, Json] | None:
        read = self.readings[site].objects.get(key)
        if read is None or parts.at(read, "metadata", "managedFields"):
            return read
        if (site, key) not in self._found:
            if len(self._found) >= _MOST_LOOKS:
                return None
            self._found[site, key] = self.lookup(site, key, parts.text(read, "apiVersion"))
        return self._found[site, key]


def _blamed(one: Difference, sites: tuple[str, str], looks: _Looks) -> Difference:
    """The difference with its cause. An object that git wants was not made by whoever made it: it is missing there."""
    if not one.steps and one.managed:
        return one
    found: list[Cause] = []
    for site, verdicts in zip(sites, (_AT_TRUTH, _AT_FOLLOWER), strict=True):
        manifest = looks.at(site, one.key) if one.verdict in verdicts else None
        if manifest is not None:
            found.append(causes.of_field(manifest, one.steps) if one.steps else causes.of_object(manifest))
    newest = max(found, key=lambda cause: cause.get("at", ""), default=causes.NOBODY)
    return replace(one, cause=newest) if newest else one
