"""Expected differences."""

from __future__ import annotations

from datetime import date

import pytest

from drift import survey
from drift.expected import RuleProblem
from lockstep.topology import kinds
from lockstep.values import Json, Verdict
from tests.drift import golden
from tests.drift.golden import rule


def config(**data: Json) -> dict[str, Json]:
    """A ConfigMap with this data."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop"},
        "data": data,
    }


def compared(
    primary: list[dict[str, Json]],
    standby: list[dict[str, Json]],
    *rules: kinds.ExpectedDifference,
    git: list[dict[str, Json]] | None = None,
    git_standby: list[dict[str, Json]] | None = None,
    swapped: bool = False,
) -> survey.Survey:
    """A survey of two sites under some rules."""
    case = golden.Case(
        about="",
        git=(git or [], git_standby or git or []),
        primary=primary,
        standby=standby,
        found=[],
        rules=tuple(rules),
    )
    return case.survey(swapped=swapped)


def left(found: survey.Survey) -> list[tuple[str, str]]:
    """What the rules do not explain."""
    return [(difference.verdict.value, difference.pointer) for difference in found.differences]


AT = "ConfigMap/settings /data/A"


@pytest.mark.parametrize(
    ("spec", "primary", "standby", "explained"),
    [
        ({"ignore": True}, "a", "b", True),
        ({"perSite": "https://{host}/x"}, "https://shop.seoul.example/x", "https://shop.sejong.example/x", True),
        ({"perSite": "https://{host}/x"}, "https://shop.seoul.example/x", "https://shop.seoul.example.org/x", False),
        ({"map": [{"from": "(.*)-a", "to": r"\1-b"}]}, "web-a", "web-b", True),
        ({"map": [{"from": "(.*)-a", "to": r"\1-b"}]}, "web-a", "web-c", False),
        # The first that matches decides.
        ({"map": [{"from": "x", "to": "y"}, {"from": "web-.", "to": "z"}]}, "web-a", "z", True),
        ({"map": [{"from": "a", "to": "b"}]}, "aa", "bb", False),
        ({"mustDiffer": True}, "a", "b", True),
        ({"range": {"least": "2"}}, "9", "2", True),
        ({"range": {"least": "2"}}, "9", "1", False),
        ({"range": {"least": "50%", "most": "100%"}}, "4", "2", True),
        ({"range": {"least": "50%"}}, "5", "2", False),
        ({"range": {"most": "1Gi"[:1]}}, "text", "1", False),
        ({"range": {"least": "50%"}}, "2Gi", "1024Mi", True),
    ],
)
def test_a_rule_explains_what_it_describes(spec: Json, primary: str, standby: str, *, explained: bool) -> None:
    """And nothing else."""
    found = compared([config(A=primary)], [config(A=standby)], rule("one", at=[AT], **spec))
    assert left(found) == ([] if explained else [("Diverged", "/data/A")])
    assert len(found.explained) == explained
    assert found.rules == ()


def test_a_rule_says_where_an_object_is() -> None:
    """An object that is at the wrong site only is not explained."""
    here = rule("here", at=["ConfigMap/settings"], onlyAt=["seoul"])
    assert left(compared([config(A="1")], [], here)) == []
    assert left(compared([], [config(A="1")], here)) == [("MissingAtPrimary", "")]


def test_a_rule_says_where_a_field_is() -> None:
    """onlyAt, for one key."""
    here = rule("here", at=[AT], onlyAt=["sejong"])
    assert left(compared([config(B="1")], [config(A="1", B="1")], here)) == []
    assert left(compared([config(A="1", B="1")], [config(B="1")], here)) == [("PrimaryHotfix", "/data/A")]


def test_a_rule_never_explains_a_live_field_against_its_own_git() -> None:
    """Drift stays drift, however broadly a rule is written; what the overlay declares is explained."""
    wide = rule("wide", at=["ConfigMap/*  /data"], ignore=True)
    git, overlay = [config(A="1", B="1")], [config(A="1", B="2")]
    found = compared(git, [config(A="9", B="2")], wide, git=git, git_standby=overlay)
    assert left(found) == [("StandbyDrift", "/data/A")]
    assert [difference.pointer for difference in found.explained] == ["/data/B"]


def test_of_several_rules_the_narrowest_speaks_and_all_are_listed() -> None:
    """A broad one does not excuse what a narrow one refuses."""
    wide = rule("wide", at=["ConfigMap /data"], ignore=True)
    narrow = rule("narrow", at=[AT], map=[{"from": "a", "to": "b"}])
    found = compared([config(A="a", B="1")], [config(A="c", B="2")], wide, narrow)
    assert left(found) == [("Diverged", "/data/A")]
    (difference,) = found.differences
    assert [(opinion.rule, opinion.holds) for opinion in difference.opinions] == [("narrow", False), ("wide", True)]


def test_rules_hold_when_the_pair_is_switched() -> None:
    """They are written about the sites, not about who is the truth."""
    mapped = rule("mapped", at=[AT], map=[{"from": "(.*)-seoul", "to": r"\1-sejong"}])
    site = rule("site", at=["ConfigMap /data/B"], perSite="{host}")
    here = rule("here", at=["ConfigMap /data/C"], onlyAt=["seoul"])
    primary = [config(A="x-seoul", B="shop.seoul.example", C="1")]
    standby = [config(A="x-sejong", B="shop.sejong.example")]
    for swapped in (False, True):
        assert left(compared(primary, standby, mapped, site, here, swapped=swapped)) == []


def test_a_rule_reaches_into_a_text_or_stops_before_it() -> None:
    """By #/ it speaks of one field, without it of the text as a whole."""
    sides = [[config(**{"app.yaml": f"db:\n  host: db.{site}.example\n  pool: 5\n"})] for site in ("seoul", "sejong")]
    inside = rule(
        "inside", at=["ConfigMap /data/app.yaml#/db/host"], map=[{"from": "db.seoul(.*)", "to": r"db.sejong\1"}]
    )
    whole = rule("whole", at=["ConfigMap /data/app.yaml"], map=[{"from": r"(?s)(.*)seoul(.*)", "to": r"\1sejong\2"}])
    assert left(compared(sides[0], sides[1])) == [("Diverged", "/data/app.yaml#/db/host")]
    assert left(compared(sides[0], sides[1], inside)) == []
    assert left(compared(sides[0], sides[1], whole)) == []


def test_entries_of_lists_are_named_by_place_or_by_name() -> None:
    """containers/0, containers/web and containers/* are the same one."""
    sides = [
        [
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "shop"},
                "spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}},
            }
        ]
        for image in ("a/web:1", "b/web:1")
    ]
    for entry in ("0", "web", "*"):
        at = f"Deployment /spec/template/spec/containers/{entry}/image"
        assert left(compared(sides[0], sides[1], rule("one", at=[at], ignore=True))) == []
    assert left(
        compared(sides[0], sides[1], rule("one", at=["Deployment /spec/template/spec/containers/log"], ignore=True))
    )


def test_values_that_must_differ_and_do_not_are_found() -> None:
    """The standby that still has the primary's database is found although everything is equal."""
    differ = rule("differ", at=[AT], mustDiffer=True, reason="each site has its own database")
    found = compared([config(A="db-seoul")], [config(A="db-seoul")], differ, git=[config(A="db-seoul")])
    assert left(found) == [("StandbyDrift", "/data/A")]
    assert found.differences[0].note == "against the rule differ: each site has its own database"
    assert found.rules == ()


@pytest.mark.parametrize(
    ("value", "verdict"),
    [("shop.seoul.example", Verdict.STANDBY_DRIFT), ("shop.sejong.example", Verdict.PRIMARY_HOTFIX)],
)
def test_the_site_that_has_the_other_sites_value_is_the_one_to_mend(value: str, verdict: Verdict) -> None:
    """The rule says what each site has to have, also when both have the same."""
    found = compared([config(A=value)], [config(A=value)], rule("site", at=[AT], perSite="{host}"))
    assert left(found) == [(verdict.value, "/data/A")]


def test_nothing_is_said_of_the_value_of_a_secret() -> None:
    """It can be ignored or have to differ; a rule that would have to look at it does not hold."""
    sides = [
        [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "shop"}, "data": {"a": value}}]
        for value in ("YQ==", "Yg==")
    ]
    assert left(compared(sides[0], sides[1], rule("one", at=["Secret /data/a"], map=[{"from": ".*", "to": "b"}])))
    assert left(compared(sides[0], sides[1], rule("one", at=["Secret /data/a"], mustDiffer=True))) == []


def test_a_rule_that_has_expired_explains_nothing_and_is_reported() -> None:
    """On its last day it still counts."""
    sides = [config(A="a")], [config(A="b")]
    today = compared(sides[0], sides[1], rule("one", at=[AT], ignore=True, expires=golden.TODAY))
    assert (left(today), today.rules) == ([], ())
    late = compared(sides[0], sides[1], rule("one", at=[AT], ignore=True, expires=date(2026, 11, 21)))
    assert left(late) == [("Diverged", "/data/A")]
    message = "It expired on 2026-11-21. platform renews it or takes it out."
    assert late.rules == (RuleProblem(rule="one", problem="expired", message=message),)


def test_a_rule_that_covers_nothing_is_reported() -> None:
    """Also when the field it names is there and equal."""
    found = compared([config(A="a")], [config(A="a")], rule("one", at=[AT], ignore=True))
    assert [(problem.rule, problem.problem) for problem in found.rules] == [("one", "unused")]


def test_an_expression_without_end_is_given_up_on_and_reported() -> None:
    """It explains nothing, and the comparison goes on."""
    slow = rule("slow", at=[AT], map=[{"from": "(a|aa)+", "to": "b"}])
    found = compared([config(A="a" * 300 + "!", B="1")], [config(A="b", B="2")], slow)
    assert left(found) == [("Diverged", "/data/A"), ("Diverged", "/data/B")]
    assert [(problem.rule, problem.problem) for problem in found.rules] == [("slow", "slow")]


def test_two_rules_as_narrow_that_say_otherwise_explain_nothing() -> None:
    """Only a scan can tell that both are about the same field; both are named, and neither hides it."""
    rules = (
        rule("first", at=["ConfigMap/set* /data/A"], ignore=True),
        rule("second", at=["ConfigMap/*ings /data/A"], map=[{"from": "a", "to": "c"}]),
    )
    found = compared([config(A="a")], [config(A="b")], *rules)
    assert left(found) == [("Diverged", "/data/A")]
    assert [(one.rule, one.problem) for one in found.rules] == [("first", "contradicted"), ("second", "contradicted")]
    assert "than second, which is as narrow" in found.rules[0].message
    agreed = compared([config(A="a")], [config(A="c")], *rules)
    assert (left(agreed), agreed.rules) == ([], ())


def test_a_narrower_rule_speaks_whatever_a_wider_one_says() -> None:
    """That is no contradiction."""
    wide = rule("wide", at=["ConfigMap /data/A"], mustDiffer=True)
    found = compared([config(A="a")], [config(A="b")], wide, rule("narrow", at=[AT], map=[{"from": "a", "to": "c"}]))
    assert left(found) == [("Diverged", "/data/A")]
    assert found.rules == ()
