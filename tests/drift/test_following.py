"""A comparison that follows what its sites tell says what a comparison of everything says."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drift import scan
from drift.scanned import Scanned
from lockstep import work
from lockstep.store import tables
from lockstep.store.database import Database, open_database
from lockstep.store.migrate import upgrade
from lockstep.values import Json, ObjectKey
from tests.drift.telling import SITES, Manifest, Watch, World

_RULES: dict[str, Manifest] = {
    "modes": {"at": ["ConfigMap/a /data/MODE"], "ignore": True},
    "hosts": {"at": ["ConfigMap/b /data/MODE"], "perSite": "{host}"},
    "apart": {"at": ["ConfigMap /data/ID"], "mustDiffer": True},
    "replicas": {"at": ["Deployment /spec/replicas"], "range": {"least": "50%"}},
    "over": {"at": ["ConfigMap /data"], "ignore": True, "expires": "2020-01-01"},
    "here": {"at": ["ConfigMap/b"], "onlyAt": ["seoul"]},
}
RULES = tuple(
    ("ExpectedDifference", name, {"reason": "meant", "owner": "us", "expires": "2027-01-01", **spec})
    for name, spec in _RULES.items()
)
DEFINITION = ObjectKey(
    group="apiextensions.k8s.io", kind="CustomResourceDefinition", namespace="", name="things.example.com"
)


def _object(kind: str, name: str, api_version: str = "v1", **body: Json) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **body}


def _deployment(name: str, replicas: int, **metadata: Json) -> Manifest:
    template = {"spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    made = _object("Deployment", name, "apps/v1", spec={"replicas": replicas, "template": template})
    made["metadata"] |= metadata
    return made


def _scaler(name: str, target: str, most: int) -> Manifest:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    spec = {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": most}
    return _object("HorizontalPodAutoscaler", name, "autoscaling/v2", spec=spec)


def _owned(kind: str, name: str, owner: tuple[str, str], api_version: str, **body: Json) -> Manifest:
    """What another object made."""
    made = _object(kind, name, api_version, **body)
    made["metadata"]["ownerReferences"] = [
        {"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1], "controller": True}
    ]
    return made


def _definition(default: int) -> Manifest:
    schema = {"properties": {"spec": {"properties": {"size": {"type": "integer", "default": default}}}}}
    versions = [{"name": "v1", "served": True, "schema": {"openAPIV3Schema": schema}}]
    names = {"kind": "Thing", "plural": "things"}
    made = _object(DEFINITION.kind, DEFINITION.name, "apiextensions.k8s.io/v1")
    made["metadata"].pop("namespace")
    return {**made, "spec": {"group": "example.com", "names": names, "versions": versions}}


_FAILING = {
    "phase": "Running",
    "containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "no"}}}],
}


def _running(name: str, letter: str) -> Manifest:
    """A Pod that says what it runs."""
    status = {"name": "web", "imageID": f"web@sha256:{letter * 64}", "containerID": "containerd://1"}
    spec = {"containers": [{"name": "web", "image": "web:1"}]}
    return _owned("Pod", name, ("ReplicaSet", "rs"), "v1", spec=spec, status={"containerStatuses": [status]})


# One object several times over, and what depends on another one, hides behind another one, or is no part of it.
OBJECTS: tuple[Manifest, ...] = (
    *(_object("ConfigMap", name, data={"MODE": mode, "ID": mode[0]}) for name in "ab" for mode in ("x", "y")),
    _object("ConfigMap", "b", data={"MODE": "shop.seoul.example", "ID": "s"}),
    *(_object("Secret", "keys", data={"a": value}) for value in ("YQ==", "Yg==")),
    *(_deployment("web", replicas) for replicas in (1, 2, 3, 9)),
    _deployment("web", 3, annotations={"deployment.kubernetes.io/revision": "7"}),
    _deployment("web", 3, labels={"applyset.kubernetes.io/part-of": "applyset-theirs-v1"}),
    _deployment("api", 4, ownerReferences=[{"uid": "u"}]),
    _deployment("api", 5),
    *(_scaler(name, target, most) for name, target, most in (("s", "web", 3), ("t", "web", 9), ("s", "api", 5))),
    _object("Ingress", "edge", "networking.k8s.io/v1", spec={"ingressClassName": "new"}),
    _object("Ingress", "edge", "extensions/v1beta1", spec={"ingressClassName": "old"}),
    *(_object("Thing", "thing", "example.com/v1", spec=spec) for spec in ({}, {"size": 1}, {"size": 2})),
    *(_definition(default) for default in (1, 2)),
    _object("ServiceAccount", "default"),
    {**_deployment("web", 3), "status": {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}},
    {
        **_deployment("api", 5),
        "status": {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]},
    },
    *(_owned("ReplicaSet", "rs", ("Deployment", owner), "apps/v1") for owner in ("web", "api")),
    *(_owned("Pod", "pod", ("ReplicaSet", "rs"), "v1", status=status) for status in (_FAILING, {"phase": "Failed"})),
    _owned("Pod", "other", ("ReplicaSet", "rs"), "v1", status=_FAILING),
    *(_running("other", digest) for digest in "ab"),
    _running("pod", "a"),
)
_REPLICAS = _owned("ReplicaSet", "rs", ("Deployment", "web"), "apps/v1")
KEYS = sorted({ObjectKey.of(one) for one in OBJECTS})
KINDS = [("", "ConfigMap"), ("apps", "Deployment"), ("autoscaling", "HorizontalPodAutoscaler")]

_site = st.sampled_from(SITES)
_steps = st.one_of(
    st.tuples(st.just("put"), _site, st.sampled_from(OBJECTS)),
    st.tuples(st.just("put at both"), st.none(), st.sampled_from(OBJECTS)),
    st.tuples(st.just("delete"), _site, st.sampled_from(KEYS)),
    st.tuples(st.just("commit"), st.none(), st.lists(st.sampled_from(OBJECTS), max_size=6)),
    st.tuples(st.just("silence"), _site, st.sampled_from(KINDS)),
    st.tuples(st.just("deploy"), _site, st.none()),
    st.tuples(st.just("compare"), st.none(), st.booleans()),
)


def _take(world: World, step: tuple[str, str | None, Json]) -> None:
    """Let one thing happen."""
    what, site, given_ = step
    match what:
        case "put":
            world.put(str(site), given_)
        case "put at both":
            for one in SITES:
                world.put(one, given_)
        case "delete":
            world.delete(str(site), given_)
        case "commit":
            world.git.commits[f"commit-{len(world.git.commits)}"] = copy.deepcopy(given_)
        case "silence":
            world.watched.clusters[str(site)].watch.silent ^= {given_}
        case "deploy":
            _deployed(world, str(site))
        case "compare":
            world.told(lost=given_)


def _deployed(world: World, site: str) -> None:
    with world.scanning.database.write() as connection:
        count = len(connection.execute(tables.deployments.select()).all())
        now, head = world.clock.now(), list(world.git.commits)[-1]
        connection.execute(
            tables.deployments.insert().values(
                application="shop",
                site=site,
                revision=head,
                state="done",
                run=f"run-{count}",
                started_at=now,
                ended_at=now,
            )
        )


def _said_by(found: Scanned) -> tuple[Json, Json]:
    rows = {row.to_seen().fingerprint("shop", "seoul-sejong"): row.to_seen() for row in (*found.rows, *found.rules)}
    said = {
        fingerprint: (one.verdict.value, one.path, one.managed, one.values, one.cause, one.severity)
        for fingerprint, one in rows.items()
    }
    scan, coverage = found.scan, {**found.scan.coverage, "explained": found.scan.explained}
    summed = (scan.verdict.value, scan.revision, scan.counts, scan.problem, scan.objects, _covered(coverage))
    return said, summed


def _said_in(world: World) -> tuple[Json, Json]:
    stored = world.stored()
    said = {
        one.fingerprint: (one.verdict, one.path, one.managed, one.values, one.cause, one.severity)
        for one in world.findings()
        # What lies in a gap is told as it was before.
        if one.last_seen == stored.ended_at
    }
    summed = (stored.verdict, stored.revision, stored.counts, stored.problem, stored.objects, _covered(stored.coverage))
    return said, summed


def _covered(coverage: Json) -> Json:
    sites = coverage.get("sites", {}).items()
    return {**coverage, "sites": {site: {**read, "readAt": "", "method": ""} for site, read in sites}}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """One that all examples use, one after another."""
    made = open_database(f"sqlite:///{tmp_path_factory.mktemp('following')}/state.db")
    upgrade(made)
    return made


def _fresh(database: Database, *rules: tuple[str, str, Manifest]) -> World:
    with database.write() as connection:
        for table in (tables.findings, tables.scans, tables.deployments):
            connection.execute(table.delete())
    return World.make(Path("/configuration"), database, *rules)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(OBJECTS), max_size=8), st.lists(_steps, max_size=25))
def test_what_is_stored_of_changes_is_what_a_comparison_of_everything_says(
    database: Database, deployed: list[Manifest], steps: list[tuple[str, str | None, Json]]
) -> None:
    """Whatever comes, changes and goes at either site and in git, falls silent, or is compared and then not stored."""
    world = _fresh(database, *RULES)
    _take(world, ("commit", None, deployed))
    for one in deployed:
        _take(world, ("put at both", None, one))
    world.told()
    for step in steps:
        _take(world, step)
    world.told()
    assert _said_in(world) == _said_by(world.whole())


@pytest.fixture
def world(database: Database) -> World:
    """Everything is in step, and was compared."""
    made = _fresh(database)
    objects = (OBJECTS[0], OBJECTS[5], OBJECTS[8])
    made.git.commits["second"] = copy.deepcopy(list(objects))
    for site in SITES:
        for one in objects:
            made.put(site, one)
    made.told()
    assert made.findings() == []
    return made


def test_a_change_reads_nothing_again(world: World) -> None:
    """One object is examined, and what is said of it stored; then it is resolved."""
    reads = world.reads
    world.put("sejong", {**OBJECTS[0], "data": {"MODE": "x", "ID": "other"}})
    assert world.told()
    assert [(one.name, one.verdict, one.path) for one in world.findings()] == [("a", "StandbyDrift", "/data/ID")]
    assert world.stored().verdict == "StandbyDrift"
    world.put("sejong", OBJECTS[0])
    assert world.told()
    assert (world.findings(), world.stored().verdict, world.reads) == ([], "InSync", reads)


def test_an_autoscaler_changes_what_is_said_of_what_it_holds(world: World) -> None:
    """Three replicas are no difference where it may make them, and are one again when it is gone."""
    by_hand = _deployment("web", 3)
    world.put("seoul", by_hand)
    world.told()
    assert [one.path for one in world.findings()] == ["/spec/replicas"]
    scaler = _scaler("s", "web", 3)
    for site in SITES:
        world.put(site, scaler)
    world.told()
    assert [one.path for one in world.findings()] == []
    world.delete("seoul", ObjectKey.of(scaler))
    world.told()
    assert {one.path for one in world.findings()} == {"", "/spec/replicas"}


def test_what_a_pod_suffers_from_is_stored_with_the_change_that_told_of_it(world: World) -> None:
    """Health is followed as differences are, through the objects between a Pod and its Deployment."""
    for one in (_owned("Pod", "pod", ("ReplicaSet", "rs"), "v1", status=_FAILING), _REPLICAS):
        world.put("sejong", one)
        world.told()
    assert (world.stored().verdict, world.stored().coverage["health"]["sejong"]) == ("InSync", "Degraded")
    world.delete("sejong", ObjectKey.of(_REPLICAS))
    assert world.told()
    assert world.stored().coverage["health"]["sejong"] != "Degraded"


def test_which_images_run_is_stored_with_the_change_that_told_of_it(world: World) -> None:
    """Nobody can say which of two images is the right one; mended, nothing is left of it."""
    for site, letter in zip(SITES, "ab", strict=True):
        world.put(site, _REPLICAS)
        world.put(site, _running("pod", letter))
        assert world.told()
    (told,) = world.stored().coverage["running"]["different"]
    assert (told["kind"], told["name"], told["image"]) == ("Deployment", "web", "web:1")
    assert [(one.verdict, one.people_path) for one in world.findings()] == [
        ("Diverged", "spec.template.spec.containers[web].image")
    ]
    world.put("sejong", _running("pod", "a"))
    assert world.told()
    assert world.stored().coverage["running"]["different"] == []
    assert (world.findings(), world.stored().verdict) == ([], "InSync")


def test_a_change_of_which_nothing_is_to_be_said_stores_nothing(world: World) -> None:
    """What a controller notes on an object is no difference, and no news."""
    before = world.stored()
    noted = copy.deepcopy(OBJECTS[8])
    noted["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "8"}
    world.put("seoul", noted)
    assert not world.told()
    assert world.stored() == before


def test_a_kind_that_falls_silent_is_unknown_until_it_is_heard_of_again(world: World) -> None:
    """What was equal a moment ago is not equal any longer, and is again only when it was seen."""
    world.watched.clusters["sejong"].watch.silent.add(("", "ConfigMap"))
    world.told()
    assert world.stored().verdict == "Unknown"
    # It went away while nobody heard of it.
    key = ObjectKey.of(OBJECTS[0])
    del world.watched.clusters["sejong"].watch.objects_[key]
    world.told()
    assert world.stored().verdict == "Unknown"
    world.watched.clusters["sejong"].watch.silent.clear()
    world.told()
    assert [(one.verdict, one.name) for one in world.findings() if one.name != "*"] == [("MissingAtStandby", "a")]
    assert world.stored().verdict == "MissingAtStandby"


def test_a_watch_that_began_anew_is_read_whole(world: World) -> None:
    """Nobody knows what it missed."""
    cluster = world.watched.clusters["sejong"]
    cluster.watch = Watch({key: one for key, one in cluster.watch.objects_.items() if key.kind != "Secret"})
    reads = world.reads
    world.told()
    assert [(one.verdict, one.kind) for one in world.findings()] == [("MissingAtStandby", "Secret")]
    assert world.reads == reads + 2


def test_what_was_not_committed_is_stored_with_the_next_change(world: World) -> None:
    """A comparison that lost its job has told nobody."""
    world.put("sejong", {**OBJECTS[0], "data": {"MODE": "x", "ID": "other"}})
    world.told(lost=True)
    assert world.findings() == []
    assert world.told()
    assert [one.path for one in world.findings()] == ["/data/ID"]


def test_a_comparison_on_schedule_is_followed_from_then_on(world: World) -> None:
    """It lists both sites, and what was told before it began is known."""
    world.put("sejong", {**OBJECTS[0], "data": {"MODE": "x", "ID": "other"}})
    reads = world.reads
    world.told(scheduled=True)
    assert (len(world.findings()), world.reads) == (1, reads + 2)
    world.put("sejong", OBJECTS[0])
    world.told()
    assert (world.findings(), world.reads) == ([], reads + 2)


def test_nobody_who_does_not_know_what_git_wants_says_that_something_is_equal(world: World) -> None:
    """Everything is compared anew when it is known again."""
    world.git.broken = "The branch is gone."
    world.told()
    assert world.stored().verdict == "Unknown"
    world.git.broken = ""
    world.told()
    assert (world.stored().verdict, world.findings()) == ("InSync", [])


def test_the_longer_everything_takes_the_rarer_it_is_compared_and_what_is_stored_stays_fresh(tmp_path: Path) -> None:
    """Two seconds of every hundred; the sweeps between ask what the watches know, and read nothing."""
    made = open_database(f"sqlite:///{tmp_path / 'own.db'}")
    upgrade(made)
    world = World.make(tmp_path, made)
    world.watched.clusters["seoul"].meanwhile = lambda: world.clock.pass_seconds(2)

    def swept() -> list[work.Job]:
        claim = work.Claim(id=1, kind=work.Kind.SWEEP_DRIFT, payload={}, fence="f", attempt=1, crashes=0)
        outcome = scan.handle_sweep(world.scanning, claim)
        assert isinstance(outcome, work.Done)
        return list(outcome.then)

    assert swept() == [work.scan("shop")]
    world.told(scheduled=True)
    reads = world.reads
    assert swept() == [work.scan("shop", told=True)]
    assert not world.told()
    world.clock.pass_seconds(60)
    assert world.told()
    assert (world.stored().ended_at, world.reads) == (world.clock.now(), reads)
    world.clock.pass_seconds(60)
    assert swept() == [work.scan("shop")]
    made.close()


def test_a_change_that_a_watch_never_told_of_is_found_when_everything_is_compared(world: World) -> None:
    """A server whose bookmarks lie loses changes; what is listed on schedule does not come from its watch."""
    key = ObjectKey.of(OBJECTS[0])
    changed = {**OBJECTS[0], "data": {"MODE": "x", "ID": "other"}}
    world.watched.clusters["sejong"].unheard[key] = changed
    world.told()
    assert world.findings() == []
    world.told(scheduled=True)
    assert [one.path for one in world.findings()] == ["/data/ID"]
