"""What images consist of: by which digests a runtime may name what is pinned by one.

A manifest pins the digest of an index, or of one manifest. What a node reports may be that digest, the manifest of its
platform, or the image's id, which is the digest of its configuration. What belongs to what is written down when an
image is mirrored or verified; it follows from the digest and never changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection, Text, cast, delete, select, union

from lockstep.store import database
from lockstep.store.tables import image_mirrors, image_parts

# A statement may bind 32,766 values on SQLite (SQLITE_MAX_VARIABLE_NUMBER); a row has three.
_ROWS = 500


def record(connection: Connection, parts: Mapping[str, Mapping[str, str]], *, at: datetime) -> None:
    """Write down what images consist of.

    Args:
        connection: A transaction that may write.
        parts: By the digest of the whole: every manifest below it and every configuration, by digest, with the platform
            (``os/architecture`` or ``os/architecture/variant``; ``""`` where nothing says it).
        at: When this was seen.
    """
    rows = [{"digest": digest, "parts": dict(found), "at": at} for digest, found in parts.items()]
    for start in range(0, len(rows), _ROWS):
        statement = database.insert(connection, image_parts).values(rows[start : start + _ROWS])
        connection.execute(
            statement.on_conflict_do_update(index_elements=["digest"], set_={"at": statement.excluded.at})
        )


def children_of(connection: Connection, digests: Collection[str]) -> dict[str, dict[str, str]]:
    """What each of some images consists of, as ``record`` took it.

    An image that is not in the answer was never looked into: nobody knows what it consists of. One that consists of
    nothing that a runtime would name has no entries.
    """
    found: dict[str, dict[str, str]] = {}
    for some in _in_steps(digests):
        statement = select(image_parts.c.digest, image_parts.c.parts).where(image_parts.c.digest.in_(some))
        found.update({row.digest: row.parts for row in connection.execute(statement)})
    return found


def known(connection: Connection, digests: Collection[str]) -> set[str]:
    """Those of some images that were looked into."""
    found: set[str] = set()
    for some in _in_steps(digests):
        found.update(connection.execute(select(image_parts.c.digest).where(image_parts.c.digest.in_(some))).scalars())
    return found


def parents_of(connection: Connection, digest: str) -> list[str]:
    """The images that are known to contain a manifest, sorted. Looks through all that is known: for rare questions."""
    # A digest has no character that LIKE or JSON would take for something else.
    contains = cast(image_parts.c.parts, Text).like(f'%"{digest}":%')
    return sorted(connection.execute(select(image_parts.c.digest).where(contains)).scalars())


def forget(connection: Connection, *, before: datetime, most: int) -> int:
    """Drop what was last seen before a moment, of images that no site is recorded with any more; how many, at most."""
    # One listing of what is named, which the database keeps sorted, and not a search for each image.
    named = union(select(image_mirrors.c.digest), select(image_mirrors.c.reference))
    old = select(image_parts.c.digest).where(image_parts.c.at < before, image_parts.c.digest.not_in(named)).limit(most)
    gone = delete(image_parts).where(image_parts.c.digest.in_(old)).returning(image_parts.c.digest)
    return len(connection.execute(gone).all())


def _in_steps(digests: Collection[str]) -> Iterator[list[str]]:
    """So many that one statement can name them."""
    asked = sorted(set(digests))
    for start in range(0, len(asked), _ROWS):
        yield asked[start : start + _ROWS]
