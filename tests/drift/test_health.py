"""How what an application runs at a site is, beside what differs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift import health, redact, scan
from drift.health import Observations, Vitals
from drift.inventory import Reading
from lockstep.sites import archive, ends
from lockstep.store.database import Database
from lockstep.values import Health, Json, ObjectKey, Verdict
from tests.drift import world as worlds
from tests.drift.world import World, config, deployment
from tests.support.clusters import MemoryCluster

PAY = "pay"
BACKOFF = {"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}
CRASHING = {"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}


def key(kind: str, name: str) -> ObjectKey:
    """The key of an object in the name space."""
    groups = {"Deployment": "apps", "ReplicaSet": "apps", "Job": "batch", "CronJob": "batch", "Bank": "acme.dev"}
    return ObjectKey(group=groups.get(kind, ""), kind=kind, namespace=PAY, name=name)


def live(kind: str, name: str, *, status: Json = None, spec: Json = None, owner: str = "") -> dict[str, Json]:
    """An object as a server has it; ``owner`` is ``Kind/name``."""
    group = key(kind, name).group
    metadata: dict[str, Json] = {"name": name, "namespace": PAY}
    if owner:
        owned_by, _, owner_name = owner.partition("/")
        above = key(owned_by, owner_name).group
        reference = {"apiVersion": f"{above}/v1" if above else "v1", "kind": owned_by, "name": owner_name}
        metadata["ownerReferences"] = [{**reference, "controller": True, "uid": "1"}]
    return {
        "apiVersion": f"{group}/v1" if group else "v1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec or {},
        "status": status or {},
    }


def vitals(*objects: dict[str, Json], standby: bool = False) -> Vitals:
    """How these objects are, of which everything that nobody owns is the application's."""
    seen = Observations(belongs=lambda _, one: "ownerReferences" not in one["metadata"], standby=standby)
    for one in objects:
        seen.see(ObjectKey.of(one), one)
    return seen.vitals()


def told(found: Vitals) -> list[tuple[str, str, str]]:
    """Name, health and why of what is not well."""
    return [(one.key.name, one.health.value, one.why) for one in found.unwell]


WAITING = {"replicas": 1, "updatedReplicas": 1}
UP = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1}


@pytest.mark.parametrize("pod", [BACKOFF, CRASHING])
def test_what_a_pod_suffers_from_is_said_of_the_object_that_owns_it(pod: Json) -> None:
    """Through the ReplicaSet between them, with the reason; the Pod itself is nobody's concern."""
    reason = pod["containerStatuses"][0]["state"]["waiting"]["reason"]
    found = vitals(
        live("Deployment", "web", status=WAITING),
        live("ReplicaSet", "web-1", status={}, owner="Deployment/web"),
        live("Pod", "web-1-x", status=pod, owner="ReplicaSet/web-1"),
        live("ConfigMap", "settings"),
    )
    assert (found.health, found.judged, found.ailing) == (Health.DEGRADED, 1, 1)
    why = f"has 0 of 1 replicas available; Pod web-1-x: cannot start web: {reason}"
    assert told(found) == [("web", "Degraded", why)]


def test_a_custom_resource_is_as_what_it_owns() -> None:
    """An operator's object that says nothing of itself has the health of the Pods far below it."""
    found = vitals(
        live("Bank", "ledger"),
        live("Deployment", "ledger", status=WAITING, owner="Bank/ledger"),
        live("ReplicaSet", "ledger-1", owner="Deployment/ledger"),
        live("Pod", "ledger-1-x", status=CRASHING, owner="ReplicaSet/ledger-1"),
    )
    assert told(found) == [("ledger", "Degraded", "Pod ledger-1-x: cannot start web: CrashLoopBackOff")]


def test_tries_that_are_over_say_nothing_of_their_owner() -> None:
    """A Pod that was evicted, one that is going, a Job that failed last week: their owners say how they are now."""
    going = live("Pod", "web-2", status=CRASHING, owner="Deployment/web")
    going["metadata"]["deletionTimestamp"] = "2026-11-01T00:00:00Z"
    found = vitals(
        live("Deployment", "web", status=UP),
        live("Pod", "web-1", status={"phase": "Failed", "reason": "Evicted"}, owner="Deployment/web"),
        going,
        live("CronJob", "settle"),
        live("Job", "settle-1", status={"conditions": [{"type": "Failed", "status": "True"}]}, owner="CronJob/settle"),
    )
    assert (found.health, found.judged, found.ailing) == (Health.HEALTHY, 2, 0)


def test_an_application_is_as_its_worst_object_and_the_worst_come_first() -> None:
    """However many there are, they are all counted, and only so many listed."""
    many = [live("Pod", f"p{number:03}", status={"phase": "Failed", "message": "no"}) for number in range(120)]
    found = vitals(*many, live("Deployment", "web", status=WAITING), live("Service", "web"))
    assert (found.health, found.judged, found.ailing, len(found.unwell)) == (Health.DEGRADED, 122, 121, 50)
    assert {one.health for one in found.unwell} == {Health.DEGRADED}


def test_owners_in_a_circle_end() -> None:
    """Anybody with the right may write such references."""
    seen = Observations(belongs=lambda *_: True, standby=False)
    for one in (
        live("Deployment", "a", status=WAITING, owner="Deployment/b"),
        live("Deployment", "b", status=WAITING, owner="Deployment/a"),
    ):
        seen.see(ObjectKey.of(one), one)
    assert [one.key.name for one in seen.vitals().unwell] == ["a", "b"]


def test_a_password_in_what_a_controller_quotes_is_not_shown() -> None:
    """Nor is more of it than anybody reads."""
    message = "pulling https://kim:hunter2@registry.example/pay: 401 " + "x" * 1000
    (one,) = vitals(live("Pod", "p", status={"phase": "Failed", "message": message})).unwell
    assert "hunter2" not in one.why
    assert len(one.why) < 400


def test_what_changes_is_seen_anew_and_alone() -> None:
    """An object that is gone is forgotten, and so is what it made its owner suffer from."""
    seen = Observations(belongs=lambda _, one: "ownerReferences" not in one["metadata"], standby=False)
    pod = live("Pod", "web-1", status=CRASHING, owner="Deployment/web")
    for one in (live("Deployment", "web", status=UP), pod):
        seen.see(ObjectKey.of(one), one)
    assert seen.vitals().health is Health.DEGRADED
    seen.see(ObjectKey.of(pod), None)
    assert seen.vitals() == Vitals(health=Health.HEALTHY, judged=1)


def test_what_is_stored_is_what_is_told() -> None:
    """Vitals survive the way through JSON."""
    found = vitals(live("Deployment", "web", status=WAITING), live("Pod", "p", status=CRASHING))
    assert Vitals.from_json(found.to_json()) == found


def _reading(*objects: dict[str, Json], gaps: tuple[ends.Gap, ...] = ()) -> Reading:
    return Reading(site="seoul", objects={ObjectKey.of(one): one for one in objects}, gaps=gaps)


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (ends.Gap(what="everything at seoul", why="it did not answer"), Health.UNKNOWN),
        (ends.Gap(what="pods in pay", why="forbidden", group="", kind="Pod"), Health.UNKNOWN),
        (ends.Gap(what="banks in pay", why="broken", group="acme.dev", kind="Bank"), Health.UNKNOWN),
        (ends.Gap(what="secrets in pay", why="forbidden", group="", kind="Secret"), Health.HEALTHY),
    ],
)
def test_what_could_not_be_read_is_unknown_where_it_could_be_unwell(gap: ends.Gap, expected: Health) -> None:
    """A Secret has no health, so health does not suffer where Secrets may not be read."""
    found = health.of_site(
        _reading(live("Deployment", "web", status=UP), gaps=(gap,)),
        {key("Deployment", "web")},
        belongs=lambda *_: True,
        standby=False,
    )
    assert found.health is expected
    assert (gap.why in found.why) is (expected is Health.UNKNOWN)


def test_a_site_at_which_nothing_is_there_is_missing() -> None:
    """One missing object is a difference, and said as one; an application of nothing is well."""
    web, api = key("Deployment", "web"), key("Deployment", "api")
    there = _reading(live("Deployment", "web", status=UP))
    assert health.of_site(_reading(), {web}, belongs=lambda *_: True, standby=True).health is Health.MISSING
    assert health.of_site(there, {web, api}, belongs=lambda *_: True, standby=True).health is Health.HEALTHY
    assert health.of_site(_reading(), (), belongs=lambda *_: True, standby=True).health is Health.HEALTHY


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)


@given(status=_ANYTHING, spec=_ANYTHING, owners=_ANYTHING, kind=st.sampled_from(["Deployment", "Pod", "Job", "Bank"]))
def test_no_status_breaks_it(status: Json, spec: Json, owners: Json, kind: str) -> None:
    """Whoever may write a status may write anything."""
    strange = {**live(kind, "x"), "status": status, "spec": spec}
    strange["metadata"]["ownerReferences"] = owners
    seen = Observations(belongs=lambda *_: True, standby=True)
    seen.see(ObjectKey.of(strange), strange)
    assert seen.vitals().health in Health


@dataclass(slots=True)
class Running:
    """Sites whose clusters run what they have."""

    clusters: dict[str, MemoryCluster] = field(default_factory=dict)

    def cluster(self, site: str) -> MemoryCluster:
        """A site's cluster."""
        return self.clusters[site]

    def archive(self, _site: str) -> archive.Archive | None:
        """There is none."""


def test_two_equal_crash_loops_are_in_step_and_not_well(tmp_path: Path, file_database: Database) -> None:
    """The verdict is one axis and health the other; both are stored, by site, with the reason."""
    world = World.make(tmp_path / "sites", file_database)
    world.commit("one", deployment(), config(MODE="fast"))
    running = Running()
    for site in ("seoul", "sejong"):
        world.deploy(site)
        cluster = running.clusters[site] = MemoryCluster(runs=True)
        for manifest in world.cluster(site).read(ends.EVERYTHING).objects:
            cluster.apply(manifest)
        pod = live("Pod", "web-1", status=CRASHING, owner="Deployment/web")
        pod["metadata"]["namespace"] = "shop"
        cluster.apply(pod)
    context = replace(world.scanning, sites=running, sealer=redact.Sealer(b"k"))
    pair = world.scanning.topology().pairs[worlds.PAIR]
    found = scan.scan(context, world.shop, pair).scan
    assert found.verdict is Verdict.IN_SYNC
    assert found.coverage["health"] == {"seoul": "Degraded", "sejong": "Degraded"}
    for site in ("seoul", "sejong"):
        (one,) = found.coverage["vitals"][site]["unwell"]
        assert (one["kind"], one["name"]) == ("Deployment", "web")
        assert one["why"].endswith("Pod web-1: cannot start web: CrashLoopBackOff")


_POOL = [
    *(live("Deployment", name, status=status) for name in "ab" for status in (UP, WAITING)),
    *(live("ReplicaSet", "rs", owner=owner) for owner in ("Deployment/a", "Deployment/b", "Pod/p")),
    live("ReplicaSet", "rs"),
    *(live("Pod", "p", status=status, owner="ReplicaSet/rs") for status in (CRASHING, BACKOFF, {"phase": "Running"})),
    live("Pod", "q", status=CRASHING, owner="Deployment/a"),
    live("Deployment", "a", status=WAITING, owner="ReplicaSet/rs"),
]


@given(st.lists(st.tuples(st.sampled_from(_POOL), st.booleans(), st.booleans()), max_size=20))
def test_what_was_seen_one_by_one_is_what_is_seen_at_once(changes: list[tuple[dict[str, Json], bool, bool]]) -> None:
    """Whatever comes, changes, moves to another owner and goes, asked for in between or not."""
    seen = Observations(belongs=lambda _, one: "ownerReferences" not in one["metadata"], standby=False)
    there: dict[ObjectKey, dict[str, Json]] = {}
    for one, gone, asked in changes:
        there.pop(ObjectKey.of(one), None)
        if not gone:
            there[ObjectKey.of(one)] = one
        seen.see(ObjectKey.of(one), None if gone else one)
        if asked:
            seen.vitals()
    assert seen.vitals() == vitals(*there.values())
