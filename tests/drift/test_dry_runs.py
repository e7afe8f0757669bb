"""A server is asked what it would make of what our rules call different; what it does not change is no drift."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift import answers, asking
from drift.answers import Answer, Answers, Question, Said
from drift.examine import Examiner
from drift.expected import Rules
from drift.judging import Context
from drift.sides import Sides
from lockstep import errors
from lockstep.store.database import Database
from lockstep.values import Json, ObjectKey, Verdict
from tests.drift import golden
from tests.drift.foreseeing import House, merged, said
from tests.drift.telling import Manifest

KEY = ObjectKey(group="", kind="ConfigMap", namespace="shop", name="a")


@pytest.fixture
def house(tmp_path: Path, file_database: Database) -> House:
    """Two sites with a server each."""
    return House.make(tmp_path, file_database)


def config(name: str = "a", **data: str) -> Manifest:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": data}


def deployment(**pod: Json) -> Manifest:
    """A Deployment."""
    container = {"name": "web", "image": "web:1"}
    spec = {"replicas": 2, "template": {"spec": {"containers": [container], **pod}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
    }


def policy(**data: str) -> Callable[[Manifest], Manifest]:
    """What a mutating admission policy makes of a ConfigMap."""
    return lambda manifest: {**manifest, "data": {**manifest["data"], **data}}


def coverage(found: dict[str, Json], site: str) -> dict[str, int]:
    """How many objects, by what became of the question about them."""
    return {name: count for name, count in found["sites"][site]["dryRun"].items() if name != "when" and count}


def test_what_a_server_makes_so_at_both_sites_is_explained(house: House) -> None:
    """Nobody drifted: an admission policy that our rules cannot know changes what git says, and it is told so."""
    house.commit(config(MODE="git"))
    for site, server in house.servers.items():
        server.admits = policy(MODE="policy")
        house.put(site, config(MODE="policy"))
    found = house.scan()
    assert (found.scan.verdict, found.rows) == (Verdict.IN_SYNC, ())
    (row,) = found.explained
    assert (row.people_path, row.method) == ("data.MODE", "rules and dry run")
    assert row.note == (
        "the server of seoul makes it so when git is applied; the server of sejong makes it so when git is applied"
    )
    assert coverage(dict(found.scan.coverage), "seoul") == {"asked": 1}
    assert house.asked() == [("sejong", "a"), ("seoul", "a")]


def test_what_only_one_server_makes_so_still_differs(house: House) -> None:
    """Each site is as its server wants git; that the two are not alike is told, as what is declared is."""
    house.commit(config(MODE="git"))
    house.servers["seoul"].admits = policy(MODE="policy")
    house.put("seoul", config(MODE="policy"))
    house.put("sejong", config(MODE="git"))
    (row,) = house.scan().rows
    assert row.verdict is Verdict.DECLARED
    assert row.values == {"gitPrimary": "git", "primary": "policy", "gitStandby": "git", "standby": "git"}
    assert "the server of seoul makes it so" in row.note
    assert house.asked() == [("seoul", "a")]


def test_a_change_by_hand_is_found_beside_what_the_server_makes_so(house: House) -> None:
    """Applying git would change it back: it is drift, with the method that spoke."""
    house.commit(config(MODE="git", LEVEL="info"))
    for site, server in house.servers.items():
        server.admits = policy(MODE="policy")
        house.put(site, config(MODE="policy", LEVEL="info"))
    house.put("seoul", config(MODE="policy", LEVEL="debug"))
    found = house.scan()
    assert said(found.rows) == [("PrimaryHotfix", "seoul", "a", "data.LEVEL")]
    assert found.rows[0].method == "rules and dry run"
    assert [row.people_path for row in found.explained] == ["data.MODE"]


@pytest.mark.parametrize(
    "change",
    [{"terminationGracePeriodSeconds": 60}, {"hostname": "by-hand"}],
    ids=["over-a-default", "added"],
)
def test_what_git_does_not_name_is_found_although_a_dry_run_leaves_it(house: House, change: Manifest) -> None:
    """A field of others stays when git is applied: that proves nothing, even where our rules know a default for it."""
    house.commit(deployment())
    house.put("sejong", deployment())
    house.put("seoul", deployment(**change))
    found = house.scan()
    (name,) = change
    assert said(found.rows) == [("PrimaryHotfix", "seoul", "web", f"spec.template.spec.{name}")]
    assert found.rows[0].method == "rules"
    assert house.asked() == []


@pytest.mark.parametrize(
    "error",
    [
        errors.FaultError("seoul failed: failed calling webhook."),
        errors.ForbiddenError("seoul does not allow it: exceeded quota."),
        errors.InvalidError("seoul calls it invalid."),
        errors.UnsupportedError("the webhook does not support dry run."),
        errors.UnreachableError("seoul did not answer in time."),
        errors.UnauthorisedError("seoul does not know us."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_dry_run_that_fails_is_unknown_and_resolves_nothing(house: House, error: errors.LockstepError) -> None:
    """The reason is told; what was open stays open until somebody can say."""
    house.commit(config(MODE="git"))
    house.put("sejong", config(MODE="git"))
    house.put("seoul", config(MODE="changed"))
    assert said(house.scan().rows) == [("PrimaryHotfix", "seoul", "a", "data.MODE")]
    house.servers["seoul"].refuses = error
    house.put("seoul", config(MODE="changed again"))
    found = house.scan()
    assert said(found.rows) == [("Unknown", "seoul", "a", "data.MODE")]
    assert found.scan.verdict is Verdict.UNKNOWN
    assert found.rows[0].note == f"the server-side dry run at seoul failed: {error.message.rstrip('.')}"
    assert coverage(dict(found.scan.coverage), "seoul") == {"failed": 1}
    assert sorted(one.verdict for one in house.world.findings()) == ["PrimaryHotfix", "Unknown"]
    house.servers["seoul"].refuses = None
    house.world.clock.pass_seconds(3600)
    house.scan()
    assert [one.verdict for one in house.world.findings()] == ["PrimaryHotfix"]


def test_what_cannot_be_changed_any_more_is_proved_to_differ(house: House) -> None:
    """A server that would refuse the change says by that what lives there is something else."""
    house.commit(config(MODE="git"))
    house.put("sejong", config(MODE="git"))
    house.put("seoul", config(MODE="changed"))
    house.servers["seoul"].refuses = errors.FixedError("data is immutable.", remedy="Correct the manifest.")
    found = house.scan()
    assert said(found.rows) == [("PrimaryHotfix", "seoul", "a", "data.MODE")]
    assert found.rows[0].note == "the server of seoul would refuse to change it: data is immutable"
    assert found.rows[0].method == "rules and dry run"


def test_where_we_may_not_ask_our_rules_alone_speak(house: House) -> None:
    """One question for a kind in a name space tells; nothing is Unknown for it."""
    house.commit(config("a", MODE="git"), config("b", MODE="git"))
    for name in "ab":
        house.put("sejong", config(name, MODE="git"))
        house.put("seoul", config(name, MODE="changed"))
    house.servers["seoul"].may = False
    for _ in range(2):
        found = house.scan()
        assert [row.verdict.value for row in found.rows] == ["PrimaryHotfix", "PrimaryHotfix"]
        assert {row.method for row in found.rows} == {"rules"}
        assert coverage(dict(found.scan.coverage), "seoul") == {"notPermitted": 2}
    assert house.asked() == []
    assert house.servers["seoul"].asked_rights == [("v1", "ConfigMap")]


def test_roles_that_give_more_than_we_have_prove_nothing(house: House) -> None:
    """Kubernetes refuses these to us and not to others: it is as if we might not ask."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    metadata = {"name": "all", "namespace": "shop"}
    rules = [[{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}] for verb in ("get", "list")]
    house.commit({**role, "metadata": metadata, "rules": rules[0]})
    house.put("sejong", {**role, "metadata": metadata, "rules": rules[0]})
    house.put("seoul", {**role, "metadata": metadata, "rules": rules[1]})
    house.servers["seoul"].refuses = errors.ForbiddenError("attempting to grant RBAC permissions not currently held.")
    found = house.scan()
    assert {(row.verdict.value, row.note) for row in found.rows} == {("PrimaryHotfix", "")}
    assert coverage(dict(found.scan.coverage), "seoul") == {"notPermitted": 1}


def test_nobody_is_asked_twice_about_what_did_not_change(house: House) -> None:
    """Another rendering, another resource version, or another day is another question."""
    house.commit(config("a", MODE="git"), config("b", MODE="git"))
    for name in "ab":
        house.put("sejong", config(name, MODE="git"))
        house.put("seoul", config(name, MODE="changed"))
    first = house.scan()
    assert house.asked() == [("seoul", "a"), ("seoul", "b")]
    again = house.scan()
    assert (again.rows, house.asked()) == (first.rows, [])
    house.put("seoul", config("a", MODE="changed again"))
    house.scan()
    assert house.asked() == [("seoul", "a")]
    house.commit(config("a", MODE="git"), config("b", MODE="newer"))
    house.scan()
    assert house.asked() == [("sejong", "b"), ("seoul", "b")]
    house.world.clock.pass_seconds(86_401)
    house.scan()
    assert house.asked() == [("sejong", "b"), ("seoul", "a"), ("seoul", "b")]


def test_equal_objects_are_never_asked_about(house: House) -> None:
    """Nor those that a rule explains, or that are missing."""
    house.commit(config("a", MODE="git"), config("gone", MODE="git"), deployment())
    for site in house.servers:
        house.put(site, config("a", MODE="git"), deployment())
    house.scan()
    assert house.asked() == []
    assert not any(server.asked_rights for server in house.servers.values())


def test_a_comparison_asks_about_so_many_objects_at_the_most(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is told by our rules and counted; the next comparison asks about them."""
    monkeypatch.setattr(asking, "MOST", 10)
    names = [f"c{number:02}" for number in range(14)]
    house.commit(*(config(name, MODE="git") for name in names))
    house.put("sejong", *(config(name, MODE="git") for name in names))
    house.put("seoul", *(config(name, MODE="changed") for name in names))
    found = house.scan()
    assert coverage(dict(found.scan.coverage), "seoul") == {"asked": 10, "left": 4}
    assert [row.method for row in found.rows] == ["rules and dry run"] * 10 + ["rules"] * 4
    assert [name for _, name in house.asked()] == names[:10]
    assert coverage(dict(house.scan().scan.coverage), "seoul") == {"asked": 14}
    assert [name for _, name in house.asked()] == names[10:]


def test_a_site_that_does_not_answer_is_left_alone_for_a_while(house: House) -> None:
    """One question is enough to know; all that it could have spoken of is Unknown."""
    names = [f"c{number:02}" for number in range(30)]
    house.commit(*(config(name, MODE="git") for name in names))
    house.put("sejong", *(config(name, MODE="git") for name in names))
    house.put("seoul", *(config(name, MODE="changed") for name in names))
    house.servers["seoul"].refuses = errors.UnreachableError("seoul did not answer in time.")
    found = house.scan()
    assert {row.verdict.value for row in found.rows} == {"Unknown"}
    # Those that were on their way when the first one came back.
    assert len(house.asked()) <= 8
    house.world.clock.pass_seconds(5)
    house.scan()
    assert house.asked() == []


def test_a_secret_is_shown_to_its_server_only(house: House) -> None:
    """The server gets what git has; no value, and nothing that the server says of it, is kept or told."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "shop"}}
    house.commit({**secret, "data": {"password": "Z2l0"}})
    house.put("sejong", {**secret, "data": {"password": "Z2l0"}})
    house.put("seoul", {**secret, "data": {"password": "Y2hhbmdlZA=="}})
    found = house.scan()
    assert said(found.rows) == [("PrimaryHotfix", "seoul", "keys", "data.password")]
    assert house.servers["seoul"].asked[0]["data"] == {"password": "Z2l0"}
    house.servers["seoul"].refuses = errors.ForbiddenError("admission denied: Z2l0 is too short.")
    house.put("seoul", {**secret, "data": {"password": "YWdhaW4="}})
    again = house.scan()
    assert "is not shown" in again.rows[0].note
    kept = [one.after for _, one in house.world.scanning.answers._kept.values()]
    assert any(kept)
    for one in (*found.rows, *again.rows, *kept, *house.world.findings()):
        assert not any(value in str(one) for value in ("Z2l0", "Y2hhbmdlZA", "YWdhaW4"))


def test_a_site_that_is_never_to_be_asked_is_not(house: House) -> None:
    """``serverSideDryRun: never`` stands in its cluster; our rules alone speak, and it is told."""
    topology = house.world.scanning.topology()
    seoul = topology.sites["seoul"]
    assert seoul.spec.cluster is not None
    cluster = seoul.spec.cluster.model_copy(
        update={"server_side_dry_run": "never", "directory": None, "in_cluster": True}
    )
    site = seoul.model_copy(update={"spec": seoul.spec.model_copy(update={"cluster": cluster})})
    never = replace(topology, sites={**topology.sites, "seoul": site})
    house.world.scanning = replace(house.world.scanning, topology=lambda: never)
    house.commit(config(MODE="git"))
    house.put("sejong", config(MODE="git"))
    house.put("seoul", config(MODE="changed"))
    found = house.scan()
    assert said(found.rows) == [("PrimaryHotfix", "seoul", "a", "data.MODE")]
    assert found.scan.coverage["sites"]["seoul"]["dryRun"]["when"] == "never"
    assert coverage(dict(found.scan.coverage), "seoul") == {"left": 1}
    assert (house.asked(), house.servers["seoul"].asked_rights) == ([], [])


def test_a_change_that_a_watch_tells_of_is_asked_about_once(house: House) -> None:
    """And what is said then is what a comparison of everything says; what did not change is not asked about."""
    house.commit(config("a", MODE="git"), config("b", MODE="git"))
    for site, server in house.servers.items():
        server.admits = policy(MODE="policy")
        house.put(site, config("a", MODE="policy"), config("b", MODE="policy"))
    assert house.world.told()
    assert house.asked() == [("sejong", "a"), ("sejong", "b"), ("seoul", "a"), ("seoul", "b")]
    house.put("seoul", config("a", MODE="hand"))
    assert house.world.told()
    assert house.asked() == [("seoul", "a")]
    assert [(one.verdict, one.name) for one in house.world.findings()] == [("PrimaryHotfix", "a")]
    assert house.world.stored().coverage["sites"]["seoul"]["dryRun"]["asked"] == 2
    house.put("seoul", config("a", MODE="hand"))
    assert not house.world.told()
    assert house.asked() == [("seoul", "a")]
    assert house.world.whole().rows[0].verdict is Verdict.PRIMARY_HOTFIX
    assert house.asked() == []


def test_answers_are_forgotten_when_there_are_too_many() -> None:
    """The oldest go first, by number and by size."""

    def question(number: int) -> Question:
        return Question(site="seoul", key=KEY, rendering=b"", version=str(number))

    few = Answers(most=2)
    for number in range(3):
        few.put(question(number), Answer(said=Said.ASKED, packed=b"x"))
    assert [few.find(question(number)) is not None for number in range(3)] == [False, True, True]
    small = Answers(most_bytes=10)
    for number in range(3):
        small.put(question(number), Answer(said=Said.ASKED, packed=b"x" * 5))
    assert [small.find(question(number)) is not None for number in range(3)] == [False, True, True]


VALUES = st.sampled_from(["1", "2", "3"])
DATA = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@given(git=st.tuples(DATA, DATA), live=st.tuples(DATA, DATA), policies=st.tuples(DATA, DATA))
def test_a_dry_run_explains_only_what_a_server_makes_so(
    git: tuple[dict[str, str], dict[str, str]],
    live: tuple[dict[str, str], dict[str, str]],
    policies: tuple[dict[str, str], dict[str, str]],
) -> None:
    """What the rules call equal stays equal; what git would change back is told, and so is what sites do not share."""
    wanted, there = ([config(**one) for one in both] for both in (git, live))
    sides: Sides[Manifest | None] = Sides(wanted[0], there[0], wanted[1], there[1])
    after = [policy(**made)(merged(there[side], wanted[side])) for side, made in enumerate(policies)]

    def foresight(side: int, _key: ObjectKey, _wanted: Manifest, _live: Manifest) -> Answer:
        return Answer.made(after[side])

    context = Context(truth=golden.FACTS[0], follower=golden.FACTS[1], rules=Rules([], today=golden.TODAY))
    by_rules = {one.path: one.verdict for one in Examiner(context=context).examine(KEY, copy.deepcopy(sides))}
    found = {one.path: one.verdict for one in Examiner(context=context, foresight=foresight).examine(KEY, sides)}
    assert found.keys() <= by_rules.keys()
    for name in "abc":
        path = f"data.{name}"
        if found.get(path, Verdict.IN_SYNC) is Verdict.IN_SYNC and path in by_rules:
            assert live[0].get(name) == live[1].get(name)
            for side in (0, 1):
                if name in git[side] and live[side].get(name) != git[side][name]:
                    assert after[side]["data"][name] == live[side].get(name)


def test_an_answer_keeps_the_object_and_not_who_set_what() -> None:
    """It is packed, and unpacked the same."""
    made = config(MODE="x")
    made["metadata"]["managedFields"] = [{"manager": "lockstep"}]
    assert Answer.made(made).after == config(MODE="x")
    assert answers.Answer(said=Said.FAILED, why="no").after is None
