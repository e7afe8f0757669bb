"""Whose an image is, and how a site gets it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lockstep.manifests import images, workloads
from lockstep.values import ImageReference, Json
from tests.support import configured

DIGEST, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
PREFIXES = ("registry.seoul.example/prod", "registry.sejong.example:5000")
DIGESTS = {"pay/api": DIGEST, "vendor/hsm": OTHER}


IMAGES = [
    {"name": "pay/api"},
    {"name": "vendor/hsm", "from": "docker.io/vendor/hsm", "alsoAt": "HsmProxy /spec/image"},
]


def _pod(*written: str) -> dict[str, Json]:
    containers = [{"name": f"c{index}", "image": image} for index, image in enumerate(written)]
    metadata = {"name": "api", "namespace": "pay"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}


def _rewrite(
    *objects: dict[str, Json], prefix: str = PREFIXES[1], digests: dict[str, str] = DIGESTS, **spec: Json
) -> images.Rewritten:
    application = configured.application(**{"images": IMAGES, **spec})
    return images.rewrite(objects, catalogue=images.Catalogue.of(application, PREFIXES), prefix=prefix, digests=digests)


@pytest.mark.parametrize(
    "written",
    [
        "pay/api",
        "pay/api:v7",
        f"pay/api@{DIGEST}",
        f"pay/api:v7@{DIGEST}",
        "docker.io/pay/api",
        "index.docker.io/pay/api:v7",
        "registry.seoul.example/prod/pay/api:v7",
        "Registry.Seoul.Example/prod/pay/api",
        f"registry.sejong.example:5000/pay/api@{DIGEST}",
    ],
)
def test_an_image_is_recognised_however_it_is_written(written: str) -> None:
    """Bare, with any site's prefix, as Docker Hub would have it; with tag, digest or both."""
    rewritten = _rewrite(_pod(written))
    assert rewritten.problems == ()
    (use,) = rewritten.uses
    assert (use.image, use.name, use.digest, use.mirrored) == (
        f"registry.sejong.example:5000/pay/api@{DIGEST}",
        "pay/api",
        DIGEST,
        True,
    )
    assert rewritten.objects[0]["spec"]["containers"][0]["image"] == use.image


@pytest.mark.parametrize("written", ["vendor/hsm:2", "registry.seoul.example/prod/third-party/hsm:2"])
def test_an_image_that_has_another_name_at_a_site_is_written_so_there(written: str) -> None:
    """By whichever name git knows it: the site gets the one that its registry has."""
    application = configured.application(images=IMAGES)
    renamed = [("registry.seoul.example/prod/third-party/hsm", "vendor/hsm")]
    rewritten = images.rewrite(
        [_pod(written)],
        catalogue=images.Catalogue.of(application, PREFIXES, renamed),
        prefix=PREFIXES[1],
        digests=DIGESTS,
        rename={"vendor/hsm": "hsm"},
    )
    (use,) = rewritten.uses
    assert (use.name, use.image) == ("vendor/hsm", f"registry.sejong.example:5000/hsm@{OTHER}")


@pytest.mark.parametrize(
    "written", ["vendor/hsm:2", "docker.io/vendor/hsm:2", "registry.seoul.example/prod/vendor/hsm"]
)
def test_an_image_from_elsewhere_is_recognised_by_where_it_comes_from(written: str) -> None:
    """``from`` is one more name of it."""
    (use,) = _rewrite(_pod(written)).uses
    assert use.image == f"registry.sejong.example:5000/vendor/hsm@{OTHER}"


@pytest.mark.parametrize("written", ["nginx", "docker.io/library/nginx", "library/nginx:1", "index.docker.io/nginx"])
def test_an_image_of_docker_hubs_library_has_many_names(written: str) -> None:
    """All of them are one image."""
    nginx = [{"name": "base/nginx", "from": "docker.io/library/nginx"}]
    (use,) = _rewrite(_pod(written), digests={"base/nginx": OTHER}, images=nginx).uses
    assert use.name == "base/nginx"


@pytest.mark.parametrize(
    "written",
    ["other/api", "registry.seoul.example/pay/api", "registry.seoul.example/prod/pay/api/x", "api", "quay.io/pay/api"],
)
def test_what_only_looks_alike_is_not_the_applications(written: str) -> None:
    """Another folder, another registry: refused by default, and listed where the application says so."""
    (problem,) = _rewrite(_pod(written)).problems
    assert str(problem) == (
        f"Pod pay/api, container c0: {written} is not mirrored."
        " Name it in the application's images and mirror it, or set unmirrored: warn."
    )
    listed = _rewrite(_pod(written), unmirrored="warn")
    assert listed.problems == ()
    assert images.unmirrored(listed.uses) == (written,)
    assert listed.objects == (_pod(written),)


def test_every_place_of_a_pod_that_names_an_image_is_found() -> None:
    """Containers of all sorts and volumes that are images, in every kind that holds the spec of a Pod."""
    spec = {
        "initContainers": [{"name": "i", "image": "a"}],
        "containers": [{"name": "c", "image": "b"}, {"name": "none"}, "nonsense"],
        "ephemeralContainers": [{"name": "e", "image": "c"}],
        "volumes": [{"name": "v", "image": {"reference": "d"}}, {"name": "w", "emptyDir": {}}],
    }
    wrapped = {"spec": {"template": {"spec": spec}}}
    for api_version, kind, body in (
        ("v1", "Pod", {"spec": spec}),
        ("v1", "PodTemplate", {"template": {"spec": spec}}),
        ("v1", "ReplicationController", wrapped),
        ("apps/v1", "Deployment", wrapped),
        ("apps/v1", "StatefulSet", wrapped),
        ("apps/v1", "DaemonSet", wrapped),
        ("apps/v1", "ReplicaSet", wrapped),
        ("batch/v1", "Job", wrapped),
        ("batch/v1", "CronJob", {"spec": {"jobTemplate": wrapped}}),
        ("extensions/v1beta1", "Deployment", wrapped),
        ("argoproj.io/v1alpha1", "Rollout", wrapped),
        ("serving.knative.dev/v1", "Service", wrapped),
        ("acme.dev/v1", "Bundle", {"spec": {"parts": [{"pod": spec}]}}),
    ):
        found = workloads.images({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **body})
        assert [(named.container, named.written) for named in found] == [
            ("c", "b"),
            ("i", "a"),
            ("e", "c"),
            ("volume v", "d"),
        ]


def test_what_only_describes_containers_names_no_image() -> None:
    """A ConfigMap and a definition of a custom resource may hold the same words."""
    spec = {"containers": [{"name": "c", "image": "a"}]}
    for api_version, kind in (
        ("v1", "ConfigMap"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("v1", "Service"),
    ):
        manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}
        assert list(workloads.images(manifest)) == []


def test_a_field_of_a_custom_resource_is_rewritten_too() -> None:
    """The setting alsoAt names it; one that meets nothing is said."""
    proxy = {
        "apiVersion": "vendor.dev/v1",
        "kind": "HsmProxy",
        "metadata": {"name": "p"},
        "spec": {"image": "vendor/hsm"},
    }
    rewritten = _rewrite(proxy)
    assert rewritten.objects[0]["spec"]["image"] == f"registry.sejong.example:5000/vendor/hsm@{OTHER}"
    assert rewritten.uses[0].container == "field /spec/image"
    assert rewritten.notes == ()
    assert proxy["spec"] == {"image": "vendor/hsm"}
    assert _rewrite(_pod("pay/api")).notes == ("alsoAt HsmProxy /spec/image meets no text in git.",)


@pytest.mark.parametrize(
    ("written", "digests", "says"),
    [
        (["pay/api:v7"], {}, "no digest of pay/api:v7 is known"),
        (["pay/api"], {}, "no digest of pay/api:latest is known"),
        (
            [f"pay/api@{OTHER}"],
            {"pay/api": DIGEST},
            f"pay/api@{OTHER} is pinned in git, and {DIGEST} is to be deployed",
        ),
        (["pay/api:v7", "pay/api:v8"], {"pay/api": DIGEST}, "used with the tags v7 and v8"),
        (["pay/API"], {"pay/api": DIGEST}, "'pay/API' is not an image reference"),
        (["pay/api:"], {"pay/api": DIGEST}, "is not an image reference"),
    ],
)
def test_a_digest_that_nobody_can_be_sure_of_is_a_problem(
    written: list[str], digests: dict[str, str], says: str
) -> None:
    """Unknown, contradicted, or one for two versions: nothing is guessed."""
    (problem,) = _rewrite(_pod(*written), digests=digests).problems
    assert says in problem.message
    assert problem.remedy


def test_two_versions_of_an_image_need_a_digest_each() -> None:
    """Digests by name and tag go before those by name; a digest in git needs none."""
    digests = {"pay/api:v7": DIGEST, "pay/api": OTHER}
    rewritten = _rewrite(_pod("pay/api:v7", "pay/api:v8", "pay/api"), digests={**digests, "pay/api:v8": OTHER})
    assert rewritten.problems == ()
    assert [use.digest for use in rewritten.uses] == [DIGEST, OTHER, OTHER]
    assert _rewrite(_pod(f"pay/api@{OTHER}"), digests={}).uses[0].digest == OTHER


def test_an_image_that_could_be_two_is_a_problem() -> None:
    """Two images of the application under one name cannot be told apart."""
    both = [{"name": "pay/api"}, {"name": "mirror/api", "from": "docker.io/pay/api"}]
    (problem,) = _rewrite(_pod("pay/api"), images=both).problems
    assert problem.message == "pay/api could be pay/api or mirror/api."


def test_a_site_without_a_registry_mirrors_nothing() -> None:
    """The image stays as it is written; a strict application is not deployed there."""
    (problem,) = _rewrite(_pod("pay/api"), prefix="").problems
    assert "this site has no registry" in problem.message
    lenient = _rewrite(_pod("pay/api"), prefix="", unmirrored="warn")
    assert lenient.problems == ()
    assert (lenient.uses[0].image, lenient.uses[0].mirrored) == ("pay/api", False)


def test_what_has_to_be_resolved_is_asked_before() -> None:
    """Each of the application's images once, with its tag or the digest that git gives."""
    catalogue = images.Catalogue.of(configured.application(images=IMAGES), PREFIXES)
    pods = [_pod("pay/api:v7", "nginx", "pay/API"), _pod("docker.io/vendor/hsm", f"vendor/hsm@{OTHER}", "pay/api:v7")]
    assert images.wanted(pods, catalogue) == (
        images.Wanted(name="pay/api", tag="v7", digest=""),
        images.Wanted(name="vendor/hsm", tag="", digest=OTHER),
        images.Wanted(name="vendor/hsm", tag="latest", digest=""),
    )


_PARTS = st.sampled_from(["pay/api", "nginx", "vendor/hsm", "registry.seoul.example/prod/pay/api", "localhost/pay/api"])
_TAGS = st.sampled_from(["", ":v7", f"@{DIGEST}", f":v7@{DIGEST}"])


@given(st.lists(st.builds(str.__add__, _PARTS, _TAGS), max_size=5), st.sampled_from(PREFIXES))
def test_rewriting_twice_is_rewriting_once(written: list[str], prefix: str) -> None:
    """What a site got is recognised at every site, and what was given is not changed."""
    digests = {"pay/api": DIGEST, "vendor/hsm": DIGEST}
    catalogue = images.Catalogue.of(configured.application(images=IMAGES, unmirrored="warn"), PREFIXES)
    pods = [_pod(image) for image in written]
    once = images.rewrite(pods, catalogue=catalogue, prefix=prefix, digests=digests)
    assume(not once.problems)
    assert pods == [_pod(image) for image in written]
    for again in PREFIXES:
        twice = images.rewrite(once.objects, catalogue=catalogue, prefix=again, digests=digests)
        direct = images.rewrite(pods, catalogue=catalogue, prefix=again, digests=digests)
        assert twice.objects == direct.objects


def test_a_full_name_is_written_out() -> None:
    """As distribution/reference normalises names."""
    assert images.full_name(ImageReference.parse("nginx:1")) == "docker.io/library/nginx"
    assert images.full_name(ImageReference.parse("localhost/nginx")) == "localhost/nginx"
