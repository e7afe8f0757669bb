"""The narrowest rule: it covers the difference that it was made for, and nothing else."""

from __future__ import annotations

from datetime import date

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drift import explain, rows, two_way
from drift.expected import Rules
from drift.implied import SiteFacts
from drift.rows import Row
from drift.survey import Survey
from lockstep import errors
from lockstep.topology.kinds import ExpectedDifference
from lockstep.values import Json, ObjectKey, Verdict
from tests.drift import golden
from tests.drift.test_two_way import config, inventory

TODAY = date(2026, 11, 22)
SITES = (
    SiteFacts(name="seoul", values={"host": "pay.seoul.example", "zone": "a"}),
    SiteFacts(name="sejong", values={"host": "dr.bank.example", "zone": "b"}),
)


def row(path: str = "spec.a", kind: str = "Ingress", pointer: str = "", **values: Json) -> Row:
    """A difference that is not in git."""
    return Row(
        pair="seoul-sejong",
        verdict=Verdict.DIVERGED,
        key=ObjectKey(group="networking.k8s.io", kind=kind, namespace="pay", name="pay"),
        site="seoul,sejong",
        path=pointer or "/" + path.replace(".", "/"),
        people_path=path,
        values=values,
    )


def proposed(found: Row, *, switched: bool = False) -> dict[str, Json]:
    """What is proposed, which a configuration takes as it is."""
    document = explain.propose(found, application="pay", facts=SITES, switched=switched, today=TODAY)
    ExpectedDifference.model_validate_json(orjson.dumps(document))
    spec: dict[str, Json] = document["spec"]
    return spec


def how(spec: dict[str, Json]) -> dict[str, Json]:
    """Which kind of rule it is."""
    return {name: spec[name] for name in ("perSite", "map", "onlyAt", "ignore") if name in spec}


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (("https://pay.seoul.example/x", "https://dr.bank.example/x"), {"perSite": "https://{host}/x"}),
        (("{pay.seoul.example}", "{dr.bank.example}"), {"perSite": "{{{host}}}"}),
        (("a.b", "c\\d"), {"map": [{"from": r"a\.b", "to": r"c\\d"}]}),
        ((1, 2), {"map": [{"from": "1", "to": "2"}]}),
        ((True, False), {"map": [{"from": "true", "to": "false"}]}),
        (({"a": 1}, {"a": 2}), {"ignore": True}),
        (("(hidden 1)", "(hidden 2)"), {"ignore": True}),
        (("hmac:1", "hmac:2"), {"ignore": True}),
        (("x", None), {"ignore": True}),
    ],
)
def test_the_kind_of_rule_follows_the_values(values: tuple[Json, Json], wanted: dict[str, Json]) -> None:
    """A site value is preferred; what cannot be seen whole can only be ignored."""
    assert how(proposed(row(primary=values[0], standby=values[1]))) == wanted


def test_what_is_at_one_site_only_is_said_to_belong_there() -> None:
    """A field or a whole object."""
    assert how(proposed(row(primary=1))) == {"onlyAt": ["seoul"]}
    assert how(proposed(row(standby=1))) == {"onlyAt": ["sejong"]}
    whole = Row(pair="p", verdict=Verdict.MISSING_AT_STANDBY, key=row().key, site="sejong", values={"primary": "x"})
    assert proposed(whole)["at"] == ["Ingress.networking.k8s.io/pay"]


def test_a_switched_pair_is_told_from_its_configured_primary() -> None:
    """Rules are written about the pair, however it faces."""
    assert how(proposed(row(primary="y", standby="x"), switched=True)) == {"map": [{"from": "x", "to": "y"}]}
    assert how(proposed(row(primary=1), switched=True)) == {"onlyAt": ["sejong"]}


def test_an_entry_of_a_list_is_named_by_what_it_is_called() -> None:
    """Places change; an entry without a name goes by its place, and a text is gone into."""
    container = row("spec.template.containers[web].image", pointer="/spec/template/containers/0/image", primary=1)
    assert proposed(container)["at"] == ["Ingress.networking.k8s.io/pay /spec/template/containers/web/image"]
    rule = row("spec.rules[0].host", pointer="/spec/rules/0/host", primary=1)
    assert proposed(rule)["at"] == ["Ingress.networking.k8s.io/pay /spec/rules/0/host"]
    inside = row('data["app.yaml"]#hosts[web].port', pointer="/data/app.yaml#/hosts/1/port", primary=1)
    assert proposed(inside)["at"] == ["Ingress.networking.k8s.io/pay /data/app.yaml#/hosts/1/port"]
    odd = row('metadata.annotations["a/b.c"]', pointer="/metadata/annotations/a~1b.c", primary=1)
    assert proposed(odd)["at"] == ["Ingress.networking.k8s.io/pay /metadata/annotations/a~1b.c"]


def test_a_live_field_against_its_own_git_is_never_explained() -> None:
    """Neither is what nobody has seen; the error says what to do."""
    fix = row(gitPrimary=3, primary=5, gitStandby=3, standby=3)
    with pytest.raises(errors.InputError, match="deploy again"):
        proposed(fix)
    declared = row(gitPrimary=3, primary=3, gitStandby=2, standby=2)
    assert how(proposed(declared)) == {"map": [{"from": "3", "to": "2"}]}
    unseen = Row(pair="p", verdict=Verdict.UNKNOWN, key=row().key, site="sejong")
    with pytest.raises(errors.InputError, match="Nobody has seen it"):
        proposed(unseen)


@given(st.text(max_size=40), st.text(max_size=40), st.text("abc./", min_size=1, max_size=8))
def test_what_is_proposed_explains_the_difference_that_it_was_made_for(left: str, right: str, key: str) -> None:
    """Whatever the values are: with the rule the two ends are in step, and another value is not covered by it."""
    assume(left != right)
    key = key.replace("/", "")[:8] or "a"

    def diff(other: str, *rules: ExpectedDifference) -> Survey:
        ends = [inventory({**config("a", ""), "data": {key: value}}) for value in (left, other)]
        return two_way.diff(ends[0], ends[1], Rules(rules, today=TODAY), sealer=golden.SEALER, facts=SITES)

    found = diff(right)
    assume(found.differences)
    (one, *more) = rows.rows(found, pair="seoul-sejong", sites=("seoul", "sejong"))
    assume(not more and one.path.count("#") == 0)
    document = explain.propose(one, application="pay", facts=SITES, switched=False, today=TODAY)
    rule = ExpectedDifference.model_validate_json(orjson.dumps(document))
    again = diff(right, rule)
    assert (again.differences, len(again.explained)) == ((), 1)
    assert "ignore" in document["spec"] or diff(f"{right} and more", rule).differences


def workload(**wishes: Json) -> dict[str, Json]:
    """A Deployment of two containers."""
    known: dict[str, Json] = {
        "image": "web:1",
        "env": [],
        "args": ["--a"],
        "port": 80,
        "replicas": 3,
        "order": "ab",
    } | wishes
    containers = [
        {"name": "log", "image": "log:1"},
        {
            "name": "web",
            "image": known["image"],
            "args": known["args"],
            "env": [{"name": "ZONE", "value": "x"}, *known["env"]],
            "ports": [{"containerPort": known["port"], "name": "http"}, {"containerPort": 9000}],
        },
    ]
    first = [{"name": name, "image": f"{name}:{known['replicas']}"} for name in known["order"]]
    pod = {"initContainers": first, "containers": containers}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    spec = {"replicas": known["replicas"], "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
    }


def made(kind: str, name: str, version: str = "v1", **parts: Json) -> dict[str, Json]:
    """An object."""
    metadata = {"name": name, "namespace": "shop", "annotations": parts.pop("annotations", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def ingress(host: str, other: str) -> dict[str, Json]:
    """An Ingress of two hosts, in a list without names."""
    rules = [{"host": host}, {"host": other}]
    return made("Ingress", "web", "networking.k8s.io/v1", spec={"rules": rules}, annotations={"a/b.c": host})


LEFT = (
    workload(),
    made("ConfigMap", "app", data={"app.yaml": "db: {host: a, port: 1}\nhosts: [{name: x, n: 1}]\n", "mode": "fast"}),
    made("Secret", "keys", data={"a": "YQ==", "b": "Yg=="}),
    ingress("pay.seoul.example", "static"),
    made("Service", "web", spec={"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]}),
    made("ConfigMap", "only-here", data={"a": "1"}),
)
RIGHT = (
    workload(
        image="web:2", env=[{"name": "EXTRA", "value": "1"}], args=["--b", "--c"], port=8080, replicas=2, order="ba"
    ),
    made("ConfigMap", "app", data={"app.yaml": "db: {host: b, port: 2}\nhosts: [{name: x, n: 2}]\n", "mode": "slow"}),
    made("Secret", "keys", data={"a": "eA==", "b": "eQ=="}),
    ingress("dr.bank.example", "other"),
    made("Service", "web", spec={"ports": [{"port": 80, "name": "a"}, {"port": 82, "name": "b"}]}),
)


def told(*rules: ExpectedDifference) -> dict[tuple[ObjectKey, str], Row]:
    """What still differs between the two ends under some rules."""
    found = two_way.diff(
        inventory(*LEFT), inventory(*RIGHT), Rules(rules, today=TODAY), sealer=golden.SEALER, facts=SITES
    )
    listed = rows.rows(found, pair="seoul-sejong", sites=("seoul", "sejong"))
    return {(one.key, one.people_path): one for one in listed}


def rule_for(one: Row, number: int) -> ExpectedDifference:
    """What is proposed for a difference, under a name of its own."""
    document = explain.propose(one, application="pay", facts=SITES, switched=False, today=TODAY)
    document["metadata"]["name"] = f"rule-{number}"
    return ExpectedDifference.model_validate_json(orjson.dumps(document))


EVERY = told()
PLACES = sorted(EVERY)


def test_there_are_differences_of_many_kinds() -> None:
    """Fields, entries of lists with and without names, keys inside a text, keys of a Secret, a whole object."""
    assert len(PLACES) >= 15
    assert {key.kind for key, _ in PLACES} == {"Deployment", "ConfigMap", "Secret", "Ingress", "Service"}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].kind}-{place[0].name}-{place[1]}")
def test_accepting_a_proposal_silences_exactly_the_difference_that_it_was_made_for(
    place: tuple[ObjectKey, str],
) -> None:
    """Nothing else of the same object, of the same list or of the same text, and nothing elsewhere."""
    assert set(told(rule_for(EVERY[place], 1))) == set(EVERY) - {place}


@given(st.sets(st.sampled_from(PLACES)))
def test_accepting_some_proposals_silences_exactly_those(chosen: set[tuple[ObjectKey, str]]) -> None:
    """No two of them contradict each other, whichever they are."""
    rules = [rule_for(EVERY[place], number) for number, place in enumerate(sorted(chosen))]
    assert set(told(*rules)) == set(EVERY) - chosen
