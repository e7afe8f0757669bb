"""Images that are held until somebody whom a mirror trusts has signed them.

What a site has already is not taken away; what is to be brought is asked about each time, so that an image which is
signed later goes through at the next look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from lockstep import errors, values
from lockstep.store import parts
from lockstep.topology import kinds
from sync import beside, keys, signatures
from sync.claims import Signer
from sync.sources import Doors, Mirroring
from sync.stock import Shelf

# A manifest that more indexes name is asked about with the first of them.
_MOST_INDEXES = 16

Why: TypeAlias = Callable[[str], str]
"""Says of an image, by digest, why it must not be brought; empty when it may. Raises LockstepError: nobody knows."""


def unsigned(context: Mirroring, one: kinds.ImageMirror, source: Shelf) -> Why:
    """What a mirror wants to be signed, at its source. Keys and roots are read when they are first needed."""
    if one.spec.signed is None:
        return lambda _digest: ""
    known: list[Signer] = []

    def why(digest: str) -> str:
        given = list(known) or signers(context.doors, one)
        known[:] = given
        # Who signed an index has signed what it names.
        for named in (digest, *_containing(context, digest)):
            if signatures.is_signed(source.store, source.repository, named, given):
                return ""
        return f"{digest} has no valid signature by {' or '.join(signer.name for signer in given)}."

    return why


def signers(doors: Doors, one: kinds.ImageMirror) -> list[Signer]:
    """Whom a mirror trusts.

    Raises:
        LockstepError: A key or a trusted root cannot be read, or is none.
    """
    given: list[Signer] = [keys.read(name, pem) for name, pem in doors.signers(one).items()]
    identities = one.spec.signed.keyless if one.spec.signed else ()
    if identities:
        from sync import keyless  # what verifies them takes a third of a second to import

        given += [keyless.read(named, root=doors.trusted_root(named)) for named in identities]
    return given


def _containing(context: Mirroring, digest: str) -> Iterator[str]:
    """The indexes that are known to name a manifest; asked for only when it is not signed itself."""
    with context.database.read() as connection:
        found = parts.parents_of(connection, digest)
    yield from found[:_MOST_INDEXES]


def held(
    unsigned: Why, pending: Mapping[tuple[str, str], str], *, looks: int
) -> dict[tuple[str, str], errors.LockstepError]:
    """Of what is to be brought, by site and reference, with its digest: what must not be, and why.

    What is kept about an image under a tag of its own, a signature for one, goes where the image may go.
    """
    subjects = {key: values.companion_of(key[1]) or root for key, root in pending.items()}
    asked = sorted(set(subjects.values()))
    whys = beside.answers(lambda digest: _why_not(unsigned, digest), asked, looks=looks)
    said = dict(zip(asked, whys, strict=True))
    return {key: error for key, digest in subjects.items() if (error := said[digest]) is not None}


def _why_not(unsigned: Why, digest: str) -> errors.LockstepError | None:
    try:
        why = unsigned(digest)
    except errors.LockstepError as error:
        return error
    return errors.HeldError(why, remedy="It goes at the next look after somebody has signed it.") if why else None
