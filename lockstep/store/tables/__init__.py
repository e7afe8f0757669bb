"""The tables of the store. The engine's own are in ``lockstep.engine.tables``, on the same metadata.

A change here comes with a migration in ``lockstep/store/migrations``; a test compares the two. Predicates of
partial indexes are literals: a bound parameter fails once psycopg prepares the statement.
"""

from lockstep.store.tables.base import BIG, identity, metadata
from lockstep.store.tables.compared import explained, findings, healing_stops, healings, preflights, scans
from lockstep.store.tables.house import instances, keys, stances
from lockstep.store.tables.mirrored import (
    git_mirrors,
    git_sources,
    image_mirrors,
    image_parts,
    released_refs,
    transfers,
    written_refs,
)
from lockstep.store.tables.posted import deliveries, hooks, pushed, triggered
from lockstep.store.tables.run import approvals, decisions, deployments, logs, runs, steps, tasks
from lockstep.store.tables.told import beliefs, channels, digests, messages

__all__ = [
    "BIG",
    "approvals",
    "beliefs",
    "channels",
    "decisions",
    "deliveries",
    "deployments",
    "digests",
    "explained",
    "findings",
    "git_mirrors",
    "git_sources",
    "healing_stops",
    "healings",
    "hooks",
    "identity",
    "image_mirrors",
    "image_parts",
    "instances",
    "keys",
    "logs",
    "messages",
    "metadata",
    "preflights",
    "pushed",
    "released_refs",
    "runs",
    "scans",
    "stances",
    "steps",
    "tasks",
    "transfers",
    "triggered",
    "written_refs",
]
