"""Asks the source of a repository, and brings what is new here, once."""

from __future__ import annotations

from lockstep import crash, errors
from lockstep.sites import ends
from sync import movements, refs

# A source may be pushed to again while it is fetched from; it is asked anew this often.
_TRIES = 3


def fetch(
    remote: ends.GitRemote, cache: ends.GitCache, *, options: refs.Options, heard: movements.Heard | None = None
) -> ends.Advertised:
    """Ask a source and make our own copy hold what it says; nothing is transferred when it does already.

    Args:
        remote: The source.
        cache: Our own copy. It is left as it is when the source has no refs at all: that may be a mistake.
        options: Which refs are mirrored.
        heard: Is told how far it is.

    Returns:
        What the source says, without the refs that are not mirrored.

    Raises:
        NotFoundError: There is no such repository.
        LockstepError: As ``ends.GitRemote.advertised`` and ``ends.GitCache.fetch``.
    """
    for _ in range(_TRIES - 1):
        try:
            return _once(remote, cache, options, heard)
        except errors.ConflictError:  # it moved: what it says now is what counts
            continue
    return _once(remote, cache, options, heard)


def ask(remote: ends.GitRemote, *, options: refs.Options) -> ends.Advertised:
    """What a source says, without the refs that are not mirrored; nothing is transferred.

    Raises:
        NotFoundError: There is no such repository.
        LockstepError: As ``ends.GitRemote.advertised``.
    """
    seen = remote.advertised()
    if seen is None:
        raise errors.NotFoundError(
            f"{remote.address} is not there.",
            remedy="Make it, mend the mirror, or check its credentials: forges hide what we may not see.",
        )
    return ends.Advertised(head=seen.head, refs=options.covered(seen.refs), unsound=seen.unsound)


def _once(
    remote: ends.GitRemote, cache: ends.GitCache, options: refs.Options, heard: movements.Heard | None
) -> ends.Advertised:
    seen = ask(remote, options=options)
    if seen.refs and cache.staged() != seen.refs:
        cache.fetch(remote, seen.refs, heard=heard)
        crash.reach(crash.Point.IN_FETCH)
    return seen
