"""A folder of files, each document an object."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.manifests import render
from lockstep.values import Json
from tests.support import configured, trees

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


def _render(root: Path, *, site: str = "seoul", **source: Json) -> render.Rendering:
    described = configured.source(**source)
    return render.render(root, described, application="pay", namespace="pay", site=site)


def _names(rendering: render.Rendering) -> list[str]:
    return [manifest["metadata"]["name"] for manifest in rendering.objects]


def test_every_manifest_is_found_in_stable_order(tmp_path: Path) -> None:
    """YAML and JSON, several documents, folders below: by path, then by order in the file."""
    trees.write(
        tmp_path,
        {
            "b.yaml": CONFIG % "b1" + "---\n" + CONFIG % "b2" + "---\n# nothing\n",
            "a/x.yml": CONFIG % "ax",
            "c.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}',
            "README.md": "not a manifest",
            ".hidden.yaml": "nonsense: [",
            ".github/workflow.yaml": "nonsense: [",
        },
    )
    rendering = _render(tmp_path)
    assert _names(rendering) == ["ax", "b1", "b2", "c"]
    assert rendering.method == "plain"
    assert rendering.notes == ()


def test_what_belongs_to_somebody_else_is_left_out_and_said(tmp_path: Path) -> None:
    """Overlays, kustomizations, charts, linked folders and Lockstep's own documents are no manifests of this folder."""
    trees.write(
        tmp_path,
        {
            "deploy/a.yaml": CONFIG % "a",
            "deploy/sites/sejong/a.yaml": CONFIG % "overlay",
            "deploy/extra/kustomization.yml": "resources: []",
            "deploy/chart/Chart.yaml": "name: c",
            "deploy/site.yaml": "apiVersion: lockstep.dev/v1alpha1\nkind: Site\nmetadata: {name: x}\n",
        },
    )
    (tmp_path / "deploy/linked").symlink_to("extra", target_is_directory=True)
    rendering = _render(tmp_path, path="deploy", overlays={"sejong": "deploy/sites/sejong"})
    assert _names(rendering) == ["a"]
    assert rendering.notes == (
        "deploy/chart holds a chart of its own: left out.",
        "deploy/extra holds a kustomization of its own: left out.",
        "deploy/linked is a link to a folder: left out.",
        "deploy/site.yaml holds Lockstep's own configuration: left out.",
    )


def test_the_overlay_of_a_site_is_rendered_instead(tmp_path: Path) -> None:
    """A site with an overlay gets that folder and nothing else; the others get the path."""
    trees.write(tmp_path, {"base/a.yaml": CONFIG % "a", "dr/a.yaml": CONFIG % "dr"})
    overlays = {"sejong": "dr"}
    assert _names(_render(tmp_path, site="sejong", path="base", overlays=overlays)) == ["dr"]
    assert _names(_render(tmp_path, site="seoul", path="base", overlays=overlays)) == ["a"]


def test_lists_are_unfolded(tmp_path: Path) -> None:
    """A List, a typed list whose items do not say what they are, and a list in a list are their items."""
    trees.write(
        tmp_path,
        {
            "a.yaml": (
                "apiVersion: v1\nkind: List\nitems:\n"
                "- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"
                "- apiVersion: apps/v1\n  kind: DeploymentList\n  items:\n  - metadata: {name: b}\n"
                "- {apiVersion: v1, kind: ConfigMapList, items: null}\n"
                "- {apiVersion: acme.dev/v1, kind: AllowList, metadata: {name: c}, spec: {}}\n"
            )
        },
    )
    rendering = _render(tmp_path)
    assert [(manifest["kind"], manifest["metadata"]["name"]) for manifest in rendering.objects] == [
        ("ConfigMap", "a"),
        ("Deployment", "b"),
        ("AllowList", "c"),
    ]
    assert rendering.objects[1]["apiVersion"] == "apps/v1"


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("replicas: 3\n", "a.yaml:1", "no apiVersion"),
        ("- a\n- b\n", "a.yaml:1", "not a Kubernetes object"),
        ("apiVersion: v1\nmetadata: {name: x}\n", "a.yaml:1", "no kind"),
        ("apiVersion: v1\nkind: ../../etc\nmetadata: {name: x}\n", "a.yaml:2", "kind is '../../etc'"),
        ("apiVersion: a/b/v1\nkind: X\nmetadata: {name: x}\n", "a.yaml:1", "apiVersion is 'a/b/v1'"),
        ("apiVersion: v1\nkind: ConfigMap\n", "a.yaml:1", "no metadata"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels: {}\n", "a.yaml:3", "no metadata.name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 1e3\n", "a.yaml:4", "not text"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ''\n", "a.yaml:4", "is empty"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  annotations:\n    wave: 1\n",
            "a.yaml:6",
            "the value of wave is 1",
        ),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: [a]}\n", "a.yaml:3", "not a mapping"),
        ("apiVersion: v1\nkind: List\nitems: {}\n", "a.yaml:3", "not a list"),
        ("apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n", "a.yaml:4", "no apiVersion"),
        ("a: [\n", "a.yaml:2", "not YAML"),
        ("a: &a [*a]\n", "a.yaml:1", "inside what it repeats"),
    ],
)
def test_a_document_that_is_no_object_is_an_error_with_its_place(
    tmp_path: Path, text: str, place: str, says: str
) -> None:
    """File, line, what is wrong, and what to do."""
    trees.write(tmp_path, {"a.yaml": text})
    with pytest.raises(errors.DocumentError) as raised:
        _render(tmp_path)
    assert raised.value.message.startswith(place)
    assert says in raised.value.message
    assert raised.value.remedy


def test_one_object_written_twice_names_both_places(tmp_path: Path) -> None:
    """Also when one of them leaves out the namespace that the other one says, and in another version."""
    trees.write(
        tmp_path,
        {
            "a.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\n",
            "b.yaml": "\n\napiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: api, namespace: pay}\n",
        },
    )
    with pytest.raises(errors.InputError, match=r"Deployment pay/api is written twice: a\.yaml:1 and b\.yaml:3"):
        _render(tmp_path)


def test_objects_that_only_look_alike_are_not_duplicates(tmp_path: Path) -> None:
    """Another group, another namespace, or a name that the server makes up."""
    trees.write(
        tmp_path,
        {
            "a.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: api}\n",
            "b.yaml": "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: api}\n",
            "c.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: other}\n",
            "d.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}\n",
            "e.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}\n",
        },
    )
    assert len(_render(tmp_path).objects) == 5


def test_a_link_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    """A stranger's repository must not read this machine's files."""
    (tmp_path / "secret.yaml").write_text(CONFIG % "secret")
    repository = trees.write(tmp_path / "repository", {"a.yaml": CONFIG % "a"})
    (repository / "b.yaml").symlink_to("../secret.yaml")
    with pytest.raises(errors.InputError, match=r"b\.yaml leads out of the repository"):
        _render(repository)


def test_a_path_that_is_a_link_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    """The folder itself may be the link."""
    trees.write(tmp_path / "outside", {"a.yaml": CONFIG % "a"})
    repository = trees.write(tmp_path / "repository", {"a.yaml": CONFIG % "a"})
    (repository / "deploy").symlink_to("../outside", target_is_directory=True)
    with pytest.raises(errors.InputError, match="deploy leads out of the repository"):
        _render(repository, path="deploy")


def test_a_link_inside_the_repository_is_read(tmp_path: Path) -> None:
    """Sharing a file by a link is common, and harmless inside."""
    trees.write(tmp_path, {"shared/a.yaml": CONFIG % "a", "deploy/b.yaml": CONFIG % "b"})
    (tmp_path / "deploy/a.yaml").symlink_to("../shared/a.yaml")
    assert _names(_render(tmp_path, path="deploy")) == ["a", "b"]


@pytest.mark.parametrize("path", ["gone", "a.yaml"])
def test_a_path_that_is_no_folder_is_said_with_its_field(tmp_path: Path, path: str) -> None:
    """The field of the configuration stands in the error."""
    trees.write(tmp_path, {"a.yaml": CONFIG % "a"})
    with pytest.raises(errors.NotFoundError, match=r"^source\.path: "):
        _render(tmp_path, path=path)


def test_a_rendering_without_objects_is_refused(tmp_path: Path) -> None:
    """Deploying nothing would delete everything."""
    trees.write(tmp_path, {"README.md": "moved"})
    with pytest.raises(errors.InputError, match="no object at all"):
        _render(tmp_path)


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe with the name of a manifest would keep its reader waiting."""
    os.mkfifo(tmp_path / "c.yaml")
    with pytest.raises(errors.DocumentError, match="not a regular file"):
        _render(tmp_path)


def test_names_of_every_script_and_binary_data_survive(tmp_path: Path) -> None:
    """Unicode keys and values, and binaryData, come through as they are written."""
    trees.write(
        tmp_path,
        {
            "설정.yaml": (
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: greeting\n  annotations: {owner: 김철수}\n"
                'data: {"인사": "안녕 🌏"}\nbinaryData: {logo: iVBORw0KGgo=}\n'
            ),
            "role.yaml": (
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:결제'}\n"
            ),
        },
    )
    role, config = _render(tmp_path).objects
    assert role["metadata"]["name"] == "system:결제"
    assert config["data"] == {"인사": "안녕 🌏"}
    assert config["binaryData"] == {"logo": "iVBORw0KGgo="}


def test_ten_thousand_objects_are_rendered(tmp_path: Path) -> None:
    """In one file or in many, and each of them is there."""
    for number in range(20):
        texts = [CONFIG % f"c{number}-{index}" for index in range(500)]
        trees.write(tmp_path, {f"{number}.yaml": "---\n".join(texts)})
    assert len(set(_names(_render(tmp_path)))) == 10_000
