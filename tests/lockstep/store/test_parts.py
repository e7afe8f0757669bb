"""What images consist of is kept for as long as somebody may ask, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lockstep.store import images, parts
from lockstep.store.database import Database

INDEX, AMD, ARM, PLAIN = (f"sha256:{letter * 64}" for letter in "1234")
THEN = datetime(2026, 1, 1, tzinfo=UTC)


def _known(database: Database, *digests: str) -> dict[str, dict[str, str]]:
    with database.read() as connection:
        return parts.children_of(connection, digests)


def test_what_was_looked_into_is_told_and_what_was_not_is_unknown(database: Database) -> None:
    """An image of which nothing is named has no entries; one that nobody looked into is not in the answer at all."""
    with database.write() as connection:
        parts.record(connection, {INDEX: {AMD: "linux/amd64", ARM: "linux/arm64"}, PLAIN: {}}, at=THEN)
    assert _known(database, INDEX, PLAIN, AMD) == {INDEX: {AMD: "linux/amd64", ARM: "linux/arm64"}, PLAIN: {}}
    assert _known(database) == {}


def test_many_are_written_and_asked_for_at_once(database: Database) -> None:
    """More than one statement may bind, each once however often it is named."""
    many = {f"sha256:{number:064x}": {f"sha256:{number:063x}f": "linux/amd64"} for number in range(1_201)}
    for _ in range(2):
        with database.write() as connection:
            parts.record(connection, many, at=THEN)
    assert _known(database, *many, *many) == many
    with database.read() as connection:
        assert parts.known(connection, [*many, PLAIN]) == many.keys()


def test_what_no_site_has_any_more_goes_after_its_time_and_nothing_else_does(database: Database) -> None:
    """Named by a tag or by its digest it stays, however old; seen again it counts from then."""
    standing = {"repository": "pay/api", "site": "sejong", "state": "equal", "checked_at": THEN}
    with database.write() as connection:
        parts.record(connection, {INDEX: {}, AMD: {}, ARM: {}, PLAIN: {}}, at=THEN)
        tagged = images.Standing(**standing, reference="v1", digest=INDEX)  # type: ignore[arg-type]  # the names and types are those of its fields
        pinned = images.Standing(**standing, reference=AMD, digest="")  # type: ignore[arg-type]  # as above
        images.record(connection, [tagged, pinned])
        parts.record(connection, {ARM: {}}, at=THEN + timedelta(days=2))
    with database.write() as connection:
        assert parts.forget(connection, before=THEN + timedelta(days=1), most=10) == 1
    assert set(_known(database, INDEX, AMD, ARM, PLAIN)) == {INDEX, AMD, ARM}
    with database.write() as connection:
        assert parts.forget(connection, before=THEN + timedelta(days=3), most=0) == 0
