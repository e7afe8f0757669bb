"""All objects of an application, with what could not be seen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from drift import inventory, survey
from drift.examine import Examiner
from drift.expected import Rules
from drift.judging import Context
from lockstep import clock, errors
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey, Verdict
from tests.drift import golden

SECRETS = ends.Gap(what="Secrets in shop", why="forbidden", group="", kind="Secret", namespace="shop")


def config(name: str, value: str = "1", **metadata: Json) -> dict[str, Json]:
    """A ConfigMap."""
    named = {"name": name, "namespace": "shop", **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": {"a": value}}


def secret(name: str) -> dict[str, Json]:
    """A Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "shop"},
        "data": {"a": "YQ=="},
    }


def reading(site: str, *manifests: Json, gaps: tuple[ends.Gap, ...] = ()) -> inventory.Reading:
    """What was read at a site."""
    found = ends.Inventory(objects=manifests, read_at=datetime(2026, 11, 22, tzinfo=UTC), method="test", gaps=gaps)
    return inventory.index(found, site=site, sealer=golden.SEALER)


def surveyed(primary: inventory.Reading, standby: inventory.Reading, *git: Json) -> survey.Survey:
    """A survey of two sites and one rendering."""
    desired = inventory.by_key(git, sealer=golden.SEALER)[0]
    context = Context(
        truth=golden.FACTS[0],
        follower=golden.FACTS[1],
        rules=Rules([golden.rule("unused", at=["ConfigMap /data/x"], ignore=True)], today=golden.TODAY),
    )
    return survey.survey(primary, standby, git=(desired, desired), examiner=Examiner(context=context))


def said(found: survey.Survey) -> list[tuple[str, str]]:
    """Verdict and name of each difference."""
    return [(one.verdict.value, one.key.name) for one in found.differences]


def test_what_was_not_seen_is_neither_equal_nor_missing() -> None:
    """A gap at the standby: nothing is said of what may be in it, and the whole is Unknown."""
    git = [config("a"), secret("b")]
    found = surveyed(reading("seoul", *git), reading("sejong", config("a"), gaps=(SECRETS,)), *git)
    assert said(found) == []
    assert found.verdict is Verdict.UNKNOWN
    assert found.blind == (survey.Blind(site="sejong", gap=SECRETS),)
    assert found.hides(ObjectKey(group="", kind="Secret", namespace="shop", name="b"))


def test_what_was_seen_is_compared_although_something_else_was_not() -> None:
    """A gap makes nobody blind for the rest, nor for what was read in spite of it."""
    git = [config("a"), secret("b")]
    changed = {**secret("b"), "data": {"a": "Yg=="}}
    found = surveyed(reading("seoul", *git), reading("sejong", config("a", "2"), changed, gaps=(SECRETS,)), *git)
    assert said(found) == [("StandbyDrift", "a"), ("StandbyDrift", "b")]
    assert found.verdict is Verdict.UNKNOWN


def test_a_site_that_does_not_answer_is_unknown_and_the_other_is_still_compared_with_git() -> None:
    """From the other side: the primary is gone, and what is wrong at the standby is said all the same."""

    class Silent:
        """A cluster that does not answer."""

        address = "https://seoul.example"
        writable = False
        runs = True

        def read(self, _selection: ends.Selection) -> ends.Inventory:
            raise errors.UnreachableError("seoul does not answer.", remedy="Wait.")

    nothing = ends.Selection(namespaces=frozenset({"shop"}))
    primary = inventory.read(Silent(), nothing, site="seoul", sealer=golden.SEALER, now=clock.SystemClock())  # type: ignore[arg-type] # only read is asked for
    assert primary.is_blind
    git = [config("a"), config("b")]
    found = surveyed(primary, reading("sejong", config("a", "2"), config("extra")), *git)
    assert said(found) == [("StandbyDrift", "a"), ("MissingAtStandby", "b")]
    assert found.verdict is Verdict.UNKNOWN
    assert "does not answer" in found.blind[0].gap.why
    # No value is put into the mouth of a site that said nothing.
    assert next((one.values.primary, one.values.standby) for one in found.differences) == ("(not read)", "2")


def test_a_gap_among_what_is_never_compared_matters_to_nobody() -> None:
    """Events of a cluster may stay unread."""
    gap = ends.Gap(what="Events", why="forbidden", group="", kind="Event")
    found = surveyed(reading("seoul", config("a"), gaps=(gap,)), reading("sejong", config("a")), config("a"))
    assert found.verdict is Verdict.IN_SYNC
    assert found.blind == ()


def test_a_rule_is_not_called_unused_by_somebody_who_has_not_seen_everything() -> None:
    """It may be needed for what is hidden."""
    seen = surveyed(reading("seoul", config("a")), reading("sejong", config("a")), config("a"))
    blind = surveyed(reading("seoul", config("a")), reading("sejong", config("a"), gaps=(SECRETS,)), config("a"))
    assert [problem.rule for problem in seen.rules] == ["unused"]
    assert blind.rules == ()


def test_an_object_that_git_names_is_never_excluded() -> None:
    """Neither by its kind, nor because something owns it, nor because another set claims it."""
    labels = {"applyset.kubernetes.io/part-of": "applyset-theirs-v1"}
    owned = config("owned", "2", ownerReferences=[{"uid": "a"}])
    git = [config("owned"), config("theirs"), config("kube-root-ca.crt")]
    standby = reading("sejong", owned, config("theirs", "2", labels=labels), config("kube-root-ca.crt", "2"))
    found = surveyed(reading("seoul", *git), standby, *git)
    assert said(found) == [("StandbyDrift", name) for name in ("kube-root-ca.crt", "owned", "theirs")]


def test_what_is_no_object_is_a_gap() -> None:
    """Nobody can look for a thing without a name, so nobody can say that everything was seen."""
    found = surveyed(reading("seoul", config("a")), reading("sejong", config("a"), {"kind": "Thing"}), config("a"))
    assert found.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("broken", [{"metadata": "text"}, {"data": [1]}, {"metadata": {"labels": 5}}, {"kind": 7}])
def test_broken_objects_break_nothing(broken: Json) -> None:
    """Wrong types at one site are a difference, or a gap; never an error."""
    found = surveyed(reading("seoul", config("a")), reading("sejong", {**config("a"), **broken}), config("a"))
    assert found.verdict is not Verdict.IN_SYNC


def _other(group: str, size: int = 1, version: str = "v1", kind: str = "Deployment") -> dict[str, Json]:
    """An object of a kind that another group may have too, under one id."""
    named = {"name": "web", "namespace": "shop", "uid": "the same"}
    return {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": named, "spec": {"replicas": size}}


def test_one_object_under_two_groups_that_nobody_knows_to_be_one_is_told_apart() -> None:
    """An aggregated API shows Deployments under its own group: a change there excuses none here, nor the reverse."""
    both = [_other("apps"), _other("fleet.example")]
    assert surveyed(reading("seoul", *both), reading("sejong", *both), both[0]).verdict is Verdict.IN_SYNC
    for changed in ("apps", "fleet.example"):
        standby = [_other(group, 2 if group == changed else 1) for group in ("apps", "fleet.example")]
        found = surveyed(reading("seoul", *both), reading("sejong", *standby), both[0])
        assert [(one.key.group, one.pointer) for one in found.differences] == [(changed, "/spec/replicas")]


def test_one_object_under_two_groups_of_which_one_is_known_to_have_moved_is_one() -> None:
    """Whichever of them a server tells last, what its own group says counts."""
    live = [_other("apps", 1), _other("extensions", 7)]
    for order in (live, live[::-1]):
        found = surveyed(reading("seoul", live[0]), reading("sejong", *order), live[0])
        assert (found.verdict, found.objects) == (Verdict.IN_SYNC, 1)


def test_custom_resources_that_two_sites_serve_in_two_versions_are_equal_only_where_nothing_else_differs() -> None:
    """What a conversion did to the rest is anybody's guess: Unknown, and never equal."""
    git = _other("shop.example", kind="Widget")
    older = _other("shop.example", version="v1beta1", kind="Widget")
    assert surveyed(reading("seoul", git), reading("sejong", older), git).verdict is Verdict.IN_SYNC
    changed = _other("shop.example", 2, version="v1beta1", kind="Widget")
    found = surveyed(reading("seoul", git), reading("sejong", changed), git)
    assert said(found) == [("Unknown", "web")]
    assert "which we cannot compare" in found.differences[0].note


def test_counts_and_the_worst_verdict_sum_up() -> None:
    """One number for each verdict, and the worst for the whole."""
    git = [config("a"), config("b"), config("c")]
    found = surveyed(reading("seoul", config("a", "2"), config("b"), config("c")), reading("sejong", *git[:2]), *git)
    assert found.counts == {"MissingAtStandby": 1, "PrimaryHotfix": 1, "explained": 0}
    assert found.verdict is Verdict.MISSING_AT_STANDBY
    assert found.objects == 3


def test_what_to_read_follows_from_what_git_renders() -> None:
    """Every name space that git names, every object without one, and the definitions of custom resources."""
    rendering = [
        config("a"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "namespace": "more"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}},
        {"apiVersion": "example.com/v1", "kind": "Policy", "metadata": {"name": "p", "namespace": "shop"}},
    ]
    keyed = {ObjectKey.of(one): one for one in rendering}
    selection = inventory.selection_of([keyed], namespace="shop")
    assert selection.namespaces == frozenset({"shop", "more"})
    assert {str(key) for key in selection.cluster_scoped or ()} == {
        "ClusterRole.rbac.authorization.k8s.io r",
        "CustomResourceDefinition.apiextensions.k8s.io policies.example.com",
    }


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("Gateway", "gateways"),
        ("Policy", "policies"),
        ("Ingress", "ingresses"),
        ("Batch", "batches"),
        ("Rate", "rates"),
    ],
)
def test_a_definition_is_looked_for_by_its_plural(kind: str, plural: str) -> None:
    """As controller-tools makes it."""
    assert inventory.definition_of("example.com", kind).name == f"{plural}.example.com"


def test_what_git_says_for_two_sites_is_told_apart_by_type() -> None:
    """``true`` for one site and ``1`` for the other is another value, which git declares; no site drifts from it."""
    sides = [config("a", value) for value in (True, 1)]  # type: ignore[arg-type] # as hostile files have it
    git = [inventory.by_key([side], sealer=golden.SEALER)[0] for side in sides]
    context = Context(truth=golden.FACTS[0], follower=golden.FACTS[1], rules=Rules([], today=golden.TODAY))
    found = survey.survey(
        reading("seoul", sides[0]),
        reading("busan", sides[1]),
        git=(git[0], git[1]),
        examiner=Examiner(context=context),
    )
    assert said(found) == [("Declared", "a")]
