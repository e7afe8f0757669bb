"""What one site is to have of an application."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.manifests import applyset, desired
from lockstep.topology import direction, kinds
from lockstep.values import Json, Tier
from tests.lockstep.manifests import goldens
from tests.support import configured

SITES = {name: configured.site(name) for name in ("seoul", "sejong")}
DIGEST = f"sha256:{'1' * 64}"


@pytest.mark.parametrize("case", goldens.cases())
def test_a_golden_folder_gives_each_site_what_is_expected(case: str) -> None:
    """Rendered by the real tools, placed, pinned, stamped and floored, to the letter."""
    for file, text in goldens.texts(case):
        assert file.read_text() == text, f"see python -m {goldens.__name__}"


def _deployment(name: str = "api", **metadata: Json) -> dict[str, Json]:
    containers = [{"name": "api", "image": "pay/api"}]
    spec = {"replicas": 4, "template": {"spec": {"containers": containers}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, **metadata}, "spec": spec}


def _place(tier: str | None, site: str = "sejong") -> direction.Place:
    protection = configured.protection(tier=tier) if tier else None
    role = direction.Role.FOLLOWER if tier else direction.Role.TRUTH
    return direction.Place(site=site, role=role, protection=protection)


def _desired(
    *raw: dict[str, Json], tier: str | None = None, digests: dict[str, str] | None = None, **spec: Json
) -> desired.Desired:
    application = configured.application(**{"images": [{"name": "pay/api"}], **spec})
    known = {"pay/api": DIGEST} if digests is None else digests
    return desired.desired(raw, application=application, place=_place(tier), sites=SITES, digests=known)


@pytest.mark.parametrize(("tier", "replicas"), [(None, 4), ("active", 4), ("warm", 4), ("hot", 1)])
def test_only_a_hot_standby_runs_less_and_its_archive_does_not(tier: str | None, replicas: int) -> None:
    """The full size is kept beside what is deployed, whatever the tier."""
    finished = _desired(_deployment(), tier=tier)
    assert finished.objects[0]["spec"]["replicas"] == replicas
    assert finished.full[0]["spec"]["replicas"] == 4
    assert bool(finished.lowered) == (tier == "hot")


def test_what_has_problems_is_refused_with_all_of_them() -> None:
    """One error names every image that nobody knows a digest of."""
    finished = _desired(_deployment("a"), _deployment("b"), digests={})
    with pytest.raises(errors.InputError) as raised:
        finished.require_sound()
    assert "Deployment.apps pay/a, container api: no digest of pay/api:latest" in raised.value.message
    assert "Deployment.apps pay/b, container api: no digest of pay/api:latest" in raised.value.message
    _desired(_deployment()).require_sound()


def test_the_digests_that_a_site_must_have_are_told() -> None:
    """Those of the application's own images; a deploy waits for them."""
    assert _desired(_deployment("a"), _deployment("b")).digests == {"pay/api": (DIGEST,)}


def test_a_label_of_a_set_in_git_is_a_problem() -> None:
    """The specification of ApplySets has tools refuse it, and so is an object in the place of the set's parent."""
    labelled = _deployment(labels={applyset.PART_OF: "applyset-x-v1"})
    (problem,) = _desired(labelled).problems
    assert problem.where == "label applyset.kubernetes.io/part-of"
    parent = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "lockstep.pay"}}
    (problem,) = _desired(parent).problems
    assert problem.message == "Lockstep keeps its record here."


@pytest.mark.parametrize(
    ("metadata", "note"),
    [
        ({"annotations": {"argocd.argoproj.io/hook": "PreSync"}}, "Deployment api is a hook (argocd.argoproj.io/hook)"),
        ({"annotations": {"helm.sh/hook": "test"}, "name": None, "generateName": "t-"}, "Deployment t- is a hook"),
        ({"name": None, "generateName": "t-"}, "Deployment t-* gets a new name each time"),
    ],
)
def test_hooks_and_made_up_names_are_left_out_and_said(metadata: dict[str, Json], note: str) -> None:
    """They are no lasting part of an application."""
    finished = _desired(_deployment(**metadata), _deployment("kept"))
    assert [manifest["metadata"]["name"] for manifest in finished.objects] == ["kept"]
    assert finished.notes[0].startswith(note)


def test_a_kind_that_a_cluster_calls_cluster_scoped_loses_its_namespace() -> None:
    """What discovery or another application's definitions say counts too."""
    issuer = {"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": {"name": "x", "namespace": "y"}}
    finished = desired.desired(
        [issuer],
        application=configured.application(),
        place=_place(None),
        sites=SITES,
        digests={},
        cluster_scoped=frozenset({("cert-manager.io", "ClusterIssuer")}),
    )
    assert "namespace" not in finished.objects[0]["metadata"]


@given(st.sampled_from([None, *(tier.value for tier in Tier)]), st.sampled_from(["seoul", "sejong"]))
def test_nothing_that_is_given_is_changed(tier: str | None, site: str) -> None:
    """One rendering serves many sites."""
    raw = [_deployment("a"), _deployment("b", namespace="other", labels=None)]
    before = copy.deepcopy(raw)
    application = configured.application(images=[{"name": "pay/api"}])
    for _ in range(2):
        desired.desired(
            raw, application=application, place=_place(tier, site), sites=SITES, digests={"pay/api": DIGEST}
        )
    assert raw == before


def test_prefixes_are_those_of_the_sites_that_have_a_registry() -> None:
    """Sorted, each once."""
    bare = kinds.Site.model_validate_json(
        '{"apiVersion": "lockstep.dev/v1alpha1", "kind": "Site", "metadata": {"name": "x"},'
        ' "spec": {"cluster": {"directory": "x"}}}'
    )
    assert desired.prefixes([*SITES.values(), bare]) == ("registry.sejong.example/prod", "registry.seoul.example/prod")


_WORDS = st.sampled_from(
    [
        "spec",
        "template",
        "containers",
        "initContainers",
        "volumes",
        "image",
        "reference",
        "name",
        "replicas",
        "minReplicas",
        "maxReplicas",
        "suspend",
        "scaleTargetRef",
        "kind",
        "apiVersion",
        "group",
        "scope",
        "names",
        "jobTemplate",
        "metadata",
        "labels",
    ]
)
_JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["", "Deployment", "api", "pay/api", "a b", "Cluster"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=20,
)
_KINDS = st.sampled_from(
    [
        ("apps/v1", "Deployment"),
        ("v1", "Pod"),
        ("batch/v1", "CronJob"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("acme.dev/v1", "Widget"),
    ]
)


@given(st.lists(st.tuples(_KINDS, _JUNK, _JUNK), max_size=4), st.sampled_from(["hot", "warm", None]))
def test_nonsense_in_git_is_carried_through_and_breaks_nothing(
    junk: list[tuple[tuple[str, str], Json, Json]], tier: str | None
) -> None:
    """What an object holds may have any shape: the API server refuses it, not we by falling over."""
    raw = [
        {"apiVersion": version, "kind": kind, "metadata": {"name": f"x{index}"}, "spec": spec, "template": template}
        for index, ((version, kind), spec, template) in enumerate(junk)
    ]
    finished = _desired(*raw, tier=tier, unmirrored="warn")
    assert len(finished.objects) == len(raw)
