"""A verdict is worth what its evidence is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from console import evidence, words
from lockstep.store.mirrors import Standing
from lockstep.store.views.drift import Finding, Scan
from lockstep.store.views.mirrors import Images
from lockstep.values import Health, Stance, Verdict
from tests.console.test_comparing import finding as known
from tests.support import bank

STALE = timedelta(minutes=15)
SCAN = Scan(
    application="ledger",
    pair="seoul-sejong",
    verdict=Verdict.IN_SYNC.value,
    revision=bank.COMMIT,
    stance="normal",
    coverage={},
    counts={},
    problem="",
    objects=42,
    started_at=bank.ago(minutes=1),
    ended_at=bank.ago(minutes=1),
    in_step_at=bank.ago(minutes=1),
)
MIRROR = Standing(
    repository="bank/pay",
    site="sejong",
    state="held",
    detail=[],
    head="",
    refs=1,
    checked_at=bank.ago(minutes=1),
    equal_at=bank.ago(hours=3),
    behind_since=bank.ago(minutes=12),
)


def of_ledger(*scans: Scan, now: datetime = bank.NOW) -> evidence.Protected:
    """What is known of the ledger's only pair."""
    known = evidence.protected(bank.configuration(), {"seoul-sejong": Stance.NORMAL}, scans, now=now, stale=STALE)
    return next(one for one in known if one.application.name == "ledger")


def finding(*, last_seen: datetime) -> Finding:
    """A difference of a Deployment of the ledger that was confirmed then."""
    return replace(known(), application="ledger", last_seen=last_seen)


def test_every_application_is_listed_for_every_pair_that_protects_it() -> None:
    """Also what was never compared, and pairs whose stance nobody knows."""
    known = evidence.protected(bank.configuration(), {}, [], now=bank.NOW, stale=STALE)
    assert [(one.application.name, one.pair.name) for one in known] == [
        ("pay", "seoul-sejong"),
        ("pay", "seoul-daegu"),
        ("ledger", "seoul-sejong"),
        ("notice", "seoul-sejong"),
    ]
    assert {one.stance for one in known} == {Stance.UNKNOWN}


def test_fresh_evidence_proves_its_verdict() -> None:
    """In sync a minute ago is in step."""
    one = of_ledger(SCAN)
    assert (one.proved, one.in_step, one.verdict) == ("InSync", True, words.VERDICTS[Verdict.IN_SYNC])


def test_stale_and_missing_evidence_proves_nothing() -> None:
    """Unknown is never equal: neither old evidence nor none is shown as in step."""
    old = of_ledger(SCAN, now=bank.NOW + timedelta(hours=1))
    never = of_ledger()
    assert [(one.proved, one.in_step) for one in (old, never)] == [("Unknown", False)] * 2
    assert (old.verdict, never.verdict) == (words.STALE, words.NEVER)


@pytest.mark.parametrize("verdict", [one for one in Verdict if one.rank < Verdict.DECLARED.rank])
def test_only_good_verdicts_are_in_step(verdict: Verdict) -> None:
    """Whatever is worse than declared is not in step, however fresh."""
    assert not of_ledger(replace(SCAN, verdict=verdict.value)).in_step


def test_only_fresh_evidence_that_saw_everything_is_known() -> None:
    """A comparison that could not see counts as unknown, like an old one and like none."""
    unseen = of_ledger(replace(SCAN, verdict="Unknown"))
    old = of_ledger(SCAN, now=bank.NOW + timedelta(hours=1))
    drifting = of_ledger(replace(SCAN, verdict="StandbyDrift"))
    assert [one.known for one in (unseen, old, of_ledger(), drifting, of_ledger(SCAN))] == [False] * 3 + [True] * 2


def test_sides_are_named_as_the_pair_faced_when_it_was_compared() -> None:
    """After a switch the standby is the truth: its values stand where the primary's stood."""
    switched = of_ledger(replace(SCAN, stance="switched")).faced
    assert (switched.truth, switched.follower) == ("sejong", "seoul")
    assert [one.faced.truth for one in (of_ledger(), of_ledger(replace(SCAN, stance="?")))] == ["seoul", "seoul"]


def test_only_a_site_of_which_nothing_was_read_has_no_values() -> None:
    """A site whose Secrets alone are forbidden still shows the rest; the side follows how the pair faced."""
    gap = [{"what": "Secrets", "why": "forbidden"}]
    whole = {"sites": {"sejong": {"method": "", "gaps": gap}, "seoul": {"method": "directory", "gaps": gap}}}
    one = finding(last_seen=bank.NOW)
    assert of_ledger(replace(SCAN, coverage=whole)).unread(one) == {"standby"}
    assert of_ledger(replace(SCAN, coverage=whole, stance="switched")).unread(one) == {"primary"}
    assert of_ledger(SCAN).unread(one) == of_ledger().unread(one) == frozenset()


def test_a_kind_that_could_not_be_read_at_a_site_has_no_values_there() -> None:
    """What an object had before is not what it has; what was read in spite of a gap, and other kinds, are shown."""
    gap = {"what": "deployments in pay", "why": "500", "group": "apps", "kind": "Deployment", "namespace": "pay"}
    some = {"sites": {"sejong": {"method": "list", "gaps": [gap]}, "seoul": {"method": "list", "gaps": []}}}
    unread = of_ledger(replace(SCAN, coverage=some)).unread
    before = SCAN.ended_at - timedelta(minutes=5)
    assert unread(finding(last_seen=before)) == {"standby"}
    assert unread(finding(last_seen=SCAN.ended_at)) == frozenset()
    assert unread(replace(finding(last_seen=before), group="", kind="ConfigMap")) == frozenset()


def test_evidence_of_the_future_is_no_evidence() -> None:
    """A clock was wrong when it was written, or is now: nobody can say how old it is. Seconds apart are nothing."""
    assert of_ledger(SCAN, now=SCAN.ended_at - timedelta(hours=3)).proved == "Unknown"
    assert of_ledger(SCAN, now=SCAN.ended_at - timedelta(seconds=5)).proved == SCAN.verdict


def test_a_site_was_read_as_its_newest_comparison_says() -> None:
    """An older comparison that could read it does not hide that the newer one could not."""
    gap = {"what": "everything at sejong", "why": "it did not answer"}
    fine, failed = ({"sites": {"sejong": {"objects": 3, "gaps": gaps}}} for gaps in ([], [gap]))
    pay = replace(SCAN, application="pay", coverage=fine, ended_at=bank.ago(minutes=3))
    known = evidence.protected(
        bank.configuration(), {}, [replace(SCAN, coverage=failed), pay], now=bank.NOW, stale=STALE
    )
    assert [found.why for found in evidence.readings(known)["sejong"].gaps] == ["it did not answer"]


def test_a_lag_that_nobody_knows_is_not_zero() -> None:
    """Behind since a moment, equal, or not equal since nobody knows when."""
    assert MIRROR.lag(bank.NOW) == timedelta(minutes=12)
    assert replace(MIRROR, state="equal", behind_since=None).lag(bank.NOW) == timedelta(0)
    assert replace(MIRROR, state="unreachable", behind_since=None).lag(bank.NOW) is None


def test_images_are_equal_when_all_are() -> None:
    """One tag that is not makes the site unequal; none at all is waiting."""
    known = Images(
        repository="pay/api",
        site="sejong",
        references=2,
        equal=2,
        bytes_sent=0,
        checked_at=bank.NOW,
        verified_at=None,
    )
    assert evidence.images_state([known]) == "equal"
    assert evidence.images_state([known, replace(known, equal=1)]) == "unequal"
    assert evidence.images_state([known, replace(known, equal=1, silent=1)]) == "unreachable"
    assert evidence.images_state([]) == "waiting"


def test_health_is_the_worse_of_both_sites_and_unknown_when_nobody_said() -> None:
    """Two equal crash loops are not well; nothing said, nonsense said and stale evidence are unknown."""
    told = {"health": {"seoul": "Healthy", "sejong": "Degraded", "daegu": "Fine"}}
    assert of_ledger(replace(SCAN, coverage=told)).health is Health.DEGRADED
    shapes: list[Any] = [{}, [], None, {"health": []}, {"health": {"seoul": 7}}]
    for coverage in shapes:
        assert of_ledger(replace(SCAN, coverage=coverage)).health is Health.UNKNOWN
    assert of_ledger(replace(SCAN, coverage=told), now=bank.NOW + timedelta(hours=1)).health is Health.UNKNOWN


def test_health_is_told_for_each_site() -> None:
    """The truth first; of a site that nobody spoke of it is unknown, and so is all of it by old evidence."""
    told = {"health": {"seoul": "Healthy"}, "vitals": bank.VITALS["Degraded"], "running": bank.RUNNING}
    one = of_ledger(replace(SCAN, coverage=told))
    assert one.healths == {"seoul": Health.HEALTHY, "sejong": Health.UNKNOWN}
    assert [(site, vitals.ailing) for site, vitals in one.vitals.items()] == [("seoul", 0), ("sejong", 1)]
    old = of_ledger(replace(SCAN, coverage=told), now=bank.NOW + timedelta(hours=1))
    assert [each.image for each in one.running.different] == ["proxy:1"]
    assert (set(old.healths.values()), old.vitals, old.running.containers) == ({Health.UNKNOWN}, {}, 0)
