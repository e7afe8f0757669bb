"""Differences that need no rule, and those that an overlay never excuses."""

from __future__ import annotations

import pytest

from drift import implied, survey
from lockstep.topology import kinds
from lockstep.values import Json
from tests.drift import golden

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def deployment(replicas: Json = 3, **container: Json) -> dict[str, Json]:
    """A Deployment of one container."""
    whole = {"name": "web", "image": f"registry.seoul.example/web@{DIGEST}", **container}
    spec = {"replicas": replicas, "template": {"spec": {"containers": [whole]}}}
    metadata = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def at_standby(**changes: Json) -> dict[str, Json]:
    """The same Deployment as the standby has it."""
    return deployment(**{"image": f"registry.sejong.example/dr/web@{DIGEST}", **changes})


def hot(**floor: str) -> kinds.Protection:
    """Protection of the tier hot."""
    return kinds.Protection.model_validate({"tier": "hot", "floor": floor}, strict=False)


def surveyed(
    git: Json, overlay: Json, primary: Json, standby: Json, protection: kinds.Protection | None = None
) -> survey.Survey:
    """A survey of one object on four sides; None where it is not."""
    git, overlay, primary, standby = ([side] if side else [] for side in (git, overlay, primary, standby))
    case = golden.Case(about="", git=(git, overlay), primary=primary, standby=standby, found=[], protection=protection)
    return case.survey()


def said(found: survey.Survey) -> list[tuple[str, str]]:
    """Verdict and the last word of the pointer."""
    return [(one.verdict.value, one.pointer.rpartition("/")[2]) for one in found.differences]


def declared(git: Json, overlay: Json, protection: kinds.Protection | None = None) -> list[tuple[str, str]]:
    """What is said when both sites are as git wants them."""
    return said(surveyed(git, overlay, git, overlay, protection))


def test_the_prefix_of_the_sites_needs_no_rule() -> None:
    """The same image below each site's imagePrefix, whether git says so or only the sites."""
    assert declared(deployment(), at_standby()) == []
    assert said(surveyed(None, None, deployment(), at_standby())) == []


def test_an_image_under_the_names_that_the_sites_give_it_is_one_image() -> None:
    """A site that calls it something else has no difference; another image under that name's neighbour has."""
    seoul = implied.SiteFacts(name="seoul", image_prefix="registry.seoul.example/prod")
    sejong = implied.SiteFacts(name="sejong", image_prefix="registry.sejong.example", renamed={"hsm": "vendor/hsm"})
    whole = implied.own_name(f"registry.seoul.example/prod/vendor/hsm@{DIGEST}", seoul)
    assert whole == f"vendor/hsm@{DIGEST}"
    assert implied.own_name(f"registry.sejong.example/hsm@{DIGEST}", sejong) == whole
    assert implied.own_name(f"registry.sejong.example/hsm2@{DIGEST}", sejong) != whole
    assert implied.own_name(f"elsewhere.example/hsm@{DIGEST}", sejong) == ""


def test_another_prefix_is_declared() -> None:
    """An overlay may say where images are, but that is to be looked at."""
    assert declared(deployment(), at_standby(image=f"quay.example/web@{DIGEST}")) == [("Declared", "image")]


@pytest.mark.parametrize(
    "image",
    [f"registry.sejong.example/dr/web@{OTHER}", "registry.sejong.example/dr/web:2", "registry.sejong.example/x:1"],
)
def test_another_image_is_never_excused_by_an_overlay(image: str) -> None:
    """Whatever git says, another image would start."""
    assert declared(deployment(), at_standby(image=image)) == [("StandbyDrift", "image")]


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ({"env": [{"name": "A", "value": "1"}]}, {"env": []}, [("StandbyDrift", "0")]),
        ({"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "A", "value": "2"}]}, [("Declared", "value")]),
        ({"env": []}, {"env": [{"name": "A", "value": "1"}]}, [("Declared", "0")]),
        ({"livenessProbe": {"tcpSocket": {"port": 80}}}, {}, [("StandbyDrift", "livenessProbe")]),
        (
            {"readinessProbe": {"tcpSocket": {"port": 80}}},
            {"readinessProbe": {"tcpSocket": {"port": 80}, "failureThreshold": 30}},
            [("StandbyDrift", "failureThreshold")],
        ),
        (
            {"resources": {"requests": {"cpu": "1"}}},
            {"resources": {"requests": {"cpu": "500m"}}},
            [("StandbyDrift", "cpu")],
        ),
        ({"resources": {"requests": {"cpu": "1"}}}, {}, [("StandbyDrift", "cpu")]),
        ({"resources": {"limits": {"cpu": "1"}}}, {}, [("Declared", "cpu")]),
        ({"resources": {"limits": {"cpu": "1"}}}, {"resources": {"limits": {"cpu": "2"}}}, [("Declared", "cpu")]),
        ({"args": ["--a"]}, {"args": ["--b"]}, [("Declared", "0")]),
        ({"replicas": 3}, {"replicas": 1}, [("StandbyDrift", "replicas")]),
        ({"replicas": 3}, {"replicas": 5}, [("Declared", "replicas")]),
    ],
)
def test_what_a_start_needs_is_never_excused_by_an_overlay(here: Json, there: Json, expected: Json) -> None:
    """A variable, a probe, resources, replicas; what is merely different is declared."""
    assert declared(deployment(**here), at_standby(**there)) == expected


@pytest.mark.parametrize("signed", [{"acceptedBy": "dr-manager"}, {}])
def test_a_person_may_excuse_what_an_overlay_may_not(signed: dict[str, Json]) -> None:
    """By a rule with a name under it; one that nobody has accepted does not excuse more than an overlay does."""
    case = golden.Case(
        about="",
        git=([deployment()], [at_standby(replicas=1)]),
        primary=[deployment()],
        standby=[at_standby(replicas=1)],
        found=[],
        rules=(golden.rule("small", at=["Deployment/web /spec/replicas"], range={"least": "1"}, **signed),),
    )
    assert said(case.survey()) == ([] if signed else [("StandbyDrift", "replicas")])


@pytest.mark.parametrize("there", [{"a": "MQ=="}, {}])
def test_a_key_of_a_secret_that_an_overlay_leaves_out_is_never_excused(there: Json) -> None:
    """What starts at the standby would not find it."""

    def secret(data: Json) -> dict[str, Json]:
        metadata = {"name": "x", "namespace": "shop"}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}

    here = secret({"a": "MQ==", "b": "Mg=="})
    assert ("StandbyDrift", "b") in declared(here, secret(there))
    assert declared(secret(there), here)[-1] == ("Declared", "b")


@pytest.mark.parametrize(
    ("live", "expected"),
    [(1, []), (2, []), (3, []), (0, [("StandbyDrift", "replicas")]), (4, [("StandbyDrift", "replicas")])],
)
def test_between_the_floor_and_the_primarys_count_is_in_step(live: int, expected: Json) -> None:
    """A standby that is being scaled up for a drill is not drifting; below its floor it is."""
    found = surveyed(deployment(), at_standby(replicas=1), deployment(), at_standby(replicas=live), hot())
    assert said(found) == expected


def test_the_floor_that_is_configured_holds() -> None:
    """An overlay that goes below it is not excused, whatever the floor of git's rendering would be."""
    assert declared(deployment(), at_standby(replicas=2), hot(Deployment="2")) == []
    assert declared(deployment(), at_standby(replicas=1), hot(Deployment="2")) == [("StandbyDrift", "replicas")]


def test_the_floor_holds_for_what_lives_outside_git() -> None:
    """The sites are compared with each other."""
    assert said(surveyed(None, None, deployment(), at_standby(replicas=1), hot())) == []
    assert said(surveyed(None, None, deployment(), at_standby(replicas=0), hot())) == [("Diverged", "replicas")]


def test_cron_jobs_wait_at_a_standby() -> None:
    """Suspended by the rendering they are in step; one that somebody woke is not."""

    def cron(*, suspend: bool) -> dict[str, Json]:
        metadata = {"name": "settle", "namespace": "shop"}
        return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": {"suspend": suspend}}

    awake, waits = cron(suspend=False), cron(suspend=True)
    assert declared(awake, waits, hot()) == []
    assert said(surveyed(awake, waits, awake, awake, hot())) == [("StandbyDrift", "suspend")]


def config(**data: str) -> dict[str, Json]:
    """A ConfigMap with this data."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop"}, "data": data}


@pytest.mark.parametrize(
    ("here", "there", "implied"),
    [
        ("https://shop.seoul.example/a", "https://shop.sejong.example/a", True),
        ("https://shop.seoul.example/a", "https://shop.sejong.example/b", False),
        ("a.shop.seoul.example.org", "a.shop.sejong.example.org", True),
        ("xshop.seoul.example", "xshop.sejong.example", False),
        ("registry.seoul.example/web", "registry.sejong.example/dr/web", True),
        ("seoul", "sejong", False),
    ],
)
def test_site_values_need_no_rule(here: str, there: str, *, implied: bool) -> None:
    """A text in which one site's values are replaced by the other's is the same text."""
    assert declared(config(A=here), config(A=there)) == ([] if implied else [("Declared", "A")])
