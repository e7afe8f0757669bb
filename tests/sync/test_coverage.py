"""Which git repositories are mirrored, from where, and to which sites."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lockstep.topology.model import Topology
from sync import coverage
from tests.support.topologies import topology

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
FORGE = {"url": "https://forge.example/{repository}.git"}


def _topology(*mirrors: tuple[str, dict[str, Any]], application: str = "") -> Topology:
    pay = {"source": {"repository": application}, "namespace": "pay", "protection": {"a-b": {"tier": "hot"}}}
    used = [("Application", "pay", pay)] if application else []
    return topology(*used, *(("GitMirror", name, {"source": FORGE, **spec}) for name, spec in mirrors))


def test_a_repository_that_no_mirror_names_is_not_mirrored() -> None:
    """Whatever an event says."""
    configured = _topology(("bank", {"repositories": ["bank/*"], "sites": ["seoul"]}))
    assert coverage.coverage_of(configured, "vendor/x") is None
    assert coverage.repositories(configured, ["vendor/x"]) == []


def test_mirrors_of_one_source_add_up_their_sites_and_the_first_holds_its_guards() -> None:
    """In the order in which they are written."""
    configured = _topology(
        ("bank", {"repositories": ["bank/*"], "sites": ["seoul", "sejong"]}),
        ("more", {"repositories": ["bank/p*"], "sites": ["sejong", "daegu"], "notes": True}),
    )
    covered = coverage.coverage_of(configured, "bank/pay")
    assert covered is not None
    assert {site: mirror.name for site, mirror in covered.sites.items()} == {
        "seoul": "bank",
        "sejong": "bank",
        "daegu": "more",
    }
    assert (covered.mirror.name, covered.mirrors, covered.notes) == ("bank", ("bank", "more"), True)


def test_a_mirror_that_names_a_repository_exactly_has_it_alone() -> None:
    """A pattern is for the others."""
    configured = _topology(
        ("all", {"repositories": ["bank/*"], "sites": ["seoul"]}),
        ("one", {"repositories": ["bank/pay"], "sites": ["daegu"]}),
    )
    covered = coverage.coverage_of(configured, "bank/pay")
    assert covered is not None
    assert list(covered.sites) == ["daegu"]


def test_what_is_mirrored_is_named_used_or_was_seen() -> None:
    """A pattern alone names nothing: events and applications do."""
    configured = _topology(
        ("bank", {"repositories": ["bank/*", "vendor/chart"], "sites": ["seoul"]}), application="bank/pay"
    )
    assert coverage.repositories(configured, ["bank/event", "gone/x"]) == ["bank/event", "bank/pay", "vendor/chart"]


def test_a_repository_is_due_as_often_as_its_most_impatient_mirror_says() -> None:
    """And at once when it was never asked."""
    configured = _topology(
        ("slow", {"repositories": ["bank/*"], "sites": ["seoul"], "interval": "1h"}),
        ("fast", {"repositories": ["bank/*"], "sites": ["daegu"], "interval": "1m"}),
        application="bank/pay",
    )
    assert coverage.due(configured, {}, NOW) == ["bank/pay"]
    assert coverage.due(configured, {"bank/pay": NOW - timedelta(seconds=59)}, NOW) == []
    assert coverage.due(configured, {"bank/pay": NOW - timedelta(seconds=60)}, NOW) == ["bank/pay"]
