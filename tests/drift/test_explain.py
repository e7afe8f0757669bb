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
