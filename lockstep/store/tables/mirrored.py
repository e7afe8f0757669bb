"""How git repositories and images stand at each site."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table

from lockstep.store.columns import JsonText, Moment, Name, Prose
from lockstep.store.tables.base import identity, metadata

# What Lockstep last wrote to a site: the ledger by which a diverged ref and our own echo are known.
written_refs = Table(
    "written_refs",
    metadata,
    Column("repository", Name, primary_key=True),
    Column("site", Name, primary_key=True),
    Column("ref", Name, primary_key=True),
    Column("oid", Name, nullable=False),
    Column("written_at", Moment, nullable=False),
)

# What a person let go although a guard held it: one change of one ref, by its exact ids.
released_refs = Table(
    "released_refs",
    metadata,
    identity(),
    Column("repository", Name, nullable=False),
    Column("site", Name, nullable=False),
    Column("ref", Name, nullable=False),
    Column("old", Name, nullable=False),
    Column("new", Name, nullable=False),
    Column("by", Prose, nullable=False),
    Column("reason", Prose, nullable=False),
    Column("at", Moment, nullable=False),
    # When it was done, or when something else stood there: then it lets nothing go any more.
    Column("ended_at", Moment),
    sqlite_autoincrement=True,
)
Index("ix_released_refs_place", released_refs.c.repository, released_refs.c.site, released_refs.c.id)

# How each repository stands at each site.
git_mirrors = Table(
    "git_mirrors",
    metadata,
    Column("repository", Name, primary_key=True),
    Column("site", Name, primary_key=True),
    Column("state", Name, nullable=False),  # equal, behind, held, refused, unreachable, failed
    Column("detail", JsonText, nullable=False, default=list),
    Column("head", Name, nullable=False, default=""),
    Column("refs", Integer, nullable=False, default=0),
    Column("checked_at", Moment, nullable=False),
    # Since when it is equal to what the source has now, and since when (by the source's change) it is not.
    Column("equal_at", Moment),
    Column("behind_since", Moment),
    # From the push of the newest change that is here until it was verified here.
    Column("lag_seconds", Float),
)

# What the source of a repository last said, and when; the sweep and the triggers stand on it.
git_sources = Table(
    "git_sources",
    metadata,
    Column("repository", Name, primary_key=True),
    Column("head", Name, nullable=False, default=""),
    Column("refs", JsonText, nullable=False, default=dict),
    # Lines that name no ref as text, escaped: they cannot be mirrored, and are never equal.
    Column("unsound", JsonText, nullable=False, default=list),
    Column("checked_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("problem", Prose, nullable=False, default=""),
)

# How each tag or digest stands at each site.
image_mirrors = Table(
    "image_mirrors",
    metadata,
    Column("repository", Name, primary_key=True),
    Column("reference", Name, primary_key=True),
    Column("site", Name, primary_key=True),
    Column("digest", Name, nullable=False),
    Column("state", Name, nullable=False),  # equal, held, refused, unreachable, failed
    Column("detail", Prose, nullable=False, default=""),
    Column("bytes_sent", BigInteger, nullable=False, default=0),
    Column("checked_at", Moment, nullable=False),
    Column("verified_at", Moment),
    # When the newest change that is here was pushed, or the oldest that is not; and when it was first verified here.
    Column("pushed_at", Moment),
    Column("equal_at", Moment),
)

# What an image consists of, by the digest of its index or manifest; it never changes.
image_parts = Table(
    "image_parts",
    metadata,
    Column("digest", Name, primary_key=True),
    Column("parts", JsonText, nullable=False),  # digest -> platform
    Column("at", Moment, nullable=False),
)

# What is on its way now: told every few seconds while a long transfer lasts, gone when it ends.
transfers = Table(
    "transfers",
    metadata,
    Column("kind", Name, primary_key=True),  # git, images
    Column("repository", Name, primary_key=True),
    Column("site", Name, primary_key=True),  # "" for its source (git), for all sites (images)
    Column("stage", Name, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("told_at", Moment, nullable=False),
)
