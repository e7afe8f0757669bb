"""Kustomizations: what is refused before Kustomize runs, and what the real one renders."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep import documents, errors
from lockstep.manifests import kustomization, render
from lockstep.manifests.checkout import Checkout
from tests.support import configured, trees

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


def _refuse(root: Path, folder: str = ".") -> None:
    tree = Checkout.at(root)
    kustomization.refuse(tree, tree.root / folder)


def _render(root: Path, path: str = ".") -> render.Rendering:
    source = configured.source(path=path, render="kustomize")
    return render.render(root, source, application="pay", namespace="pay", site="seoul")


REMOTE = [
    "https://github.com/kubernetes-sigs/kustomize//examples/multibases?ref=v1.0.6",
    "http://intranet.example/base.yaml",
    "HTTPS://intranet.example/base.yaml",
    "git::https://git.example/team/base.git",
    "git::ssh://git@git.example/team/base.git",
    "GIT::git@git.example:team/base.git",
    "ssh://git@git.example/team/base",
    "git@github.com:team/base.git",
    "deploy@git.example:base",
    "git.example:team/base.git",
    "github.com/team/base?ref=main",
    "github.com:team/base",
    "GitHub.com/team/base",
    "www.github.com/team/base",
    "gh:team/base",
    "file:///srv/git/base.git",
    "git::file:///srv/git/base.git",
    "s3::https://s3.amazonaws.com/bucket/base",
    "base?ref=main",
    "base?submodules=false&ref=main",
]


@pytest.mark.parametrize("url", REMOTE)
@pytest.mark.parametrize("field", ["resources", "bases", "components", "generators", "transformers", "crds"])
def test_what_would_be_fetched_is_refused_before_rendering(tmp_path: Path, field: str, url: str) -> None:
    """Every form that Kustomize takes for a URL, in every field that takes a path, with file, line and remedy."""
    trees.write(tmp_path, {"deploy/kustomization.yaml": f"namePrefix: x-\n{field}:\n- {url!r}\n"})
    with pytest.raises(errors.DocumentError) as raised:
        _refuse(tmp_path, "deploy")
    assert raised.value.message.startswith(f"deploy/kustomization.yaml:3:3: {field}[0]: {url!r} would be fetched")
    assert raised.value.remedy == "Commit a copy and name its path."


def test_a_folder_that_looks_like_a_url_does_not_make_it_local(tmp_path: Path) -> None:
    """Kustomize would clone the URL although the folder is there."""
    trees.write(tmp_path, {"kustomization.yaml": "resources: [github.com/team/base]"})
    trees.write(tmp_path / "github.com/team/base", {"kustomization.yaml": "resources: []"})
    with pytest.raises(errors.DocumentError, match="would be fetched"):
        _refuse(tmp_path)


def test_a_file_with_an_odd_name_that_is_there_is_read(tmp_path: Path) -> None:
    """Kustomize reads a file first, and so it may have any name without a scheme."""
    trees.write(tmp_path, {"kustomization.yaml": "resources: ['a@2:x.yaml']", "a@2:x.yaml": CONFIG % "a"})
    assert len(_render(tmp_path).objects) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Resources: ['https://x.example/a.yaml']",
        "patches: [{path: 'https://x.example/a.yaml'}]",
        "PATCHES: [{Path: 'https://x.example/a.yaml'}]",
        "patchesStrategicMerge: ['https://x.example/a.yaml']",
        "patchesJson6902: [{path: 'https://x.example/a.yaml'}]",
        "replacements: [{path: 'https://x.example/a.yaml'}]",
        "openapi: {path: 'https://x.example/a.yaml'}",
        "configurations: ['https://x.example/a.yaml']",
        "configMapGenerator: [{name: a, files: ['https://x.example/a.yaml']}]",
        "configMapGenerator: [{name: a, files: ['key=https://x.example/a.yaml']}]",
        "configMapGenerator: [{name: a, envs: ['https://x.example/a.env']}]",
        "secretGenerator: [{name: a, env: 'https://x.example/a.env'}]",
        "validators: ['https://x.example/a.yaml']",
    ],
)
def test_every_field_that_names_a_file_is_looked_at(tmp_path: Path, text: str) -> None:
    """Kustomize fetches any file whose name is a URL, and does not mind the case of a field's name."""
    trees.write(tmp_path, {"kustomization.yaml": text})
    with pytest.raises(errors.DocumentError, match="would be fetched"):
        _refuse(tmp_path)


@pytest.mark.parametrize("name", ["helmCharts", "helmChartInflationGenerator", "helmGlobals", "HelmCharts"])
def test_charts_inside_a_kustomization_are_refused(tmp_path: Path, name: str) -> None:
    """Helm would be run, and would fetch."""
    trees.write(tmp_path, {"kustomization.yaml": f"{name}: [{{name: redis, repo: 'https://charts.example'}}]"})
    with pytest.raises(errors.DocumentError, match="would run Helm"):
        _refuse(tmp_path)


EXEC = (
    "apiVersion: acme.dev/v1\nkind: Run\nmetadata:\n  name: x\n  annotations:\n"
    "    config.kubernetes.io/function: |\n      exec: {path: ./run.sh}\n"
)
CONTAINER = EXEC.replace("exec: {path: ./run.sh}", "container: {image: registry.example/run}")
CHART = "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\n"
FETCH = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: x}\nfiles: ['https://x.example/a']\n"


@pytest.mark.parametrize("text", [EXEC, CONTAINER, CHART, EXEC.replace("acme.dev/v1", "builtin")])
@pytest.mark.parametrize("field", ["generators", "transformers", "validators"])
def test_a_plugin_that_would_run_a_program_is_refused(tmp_path: Path, field: str, text: str) -> None:
    """Written in a file or in place."""
    trees.write(tmp_path, {"a/kustomization.yaml": f"{field}: [run.yaml]", "a/run.yaml": text})
    with pytest.raises(errors.DocumentError, match=r"^a/run\.yaml:1: the plugin .* would run a program"):
        _refuse(tmp_path, "a")
    inline = documents.dump({field: [text]})
    trees.write(tmp_path, {"b/kustomization.yaml": inline})
    with pytest.raises(errors.DocumentError, match=r"^b/kustomization\.yaml:2: the plugin .* would run a program"):
        _refuse(tmp_path, "b")


def test_a_built_in_plugin_that_would_fetch_is_refused(tmp_path: Path) -> None:
    """Built-in generators take URLs for files too."""
    trees.write(tmp_path, {"kustomization.yaml": "generators: [g.yaml]", "g.yaml": FETCH})
    with pytest.raises(errors.DocumentError, match="would be fetched"):
        _refuse(tmp_path)


def test_a_plugin_in_a_folder_is_refused_by_kustomize_itself(tmp_path: Path) -> None:
    """The second wall: what was not recognised as a plugin is not run either."""
    trees.write(
        tmp_path,
        {
            "kustomization.yaml": "resources: [a.yaml]\ntransformers: [plugins]",
            "a.yaml": CONFIG % "a",
            "plugins/kustomization.yaml": "resources: [run.yaml]",
            "plugins/run.yaml": EXEC.replace("./run.sh", "/bin/true"),
        },
    )
    with pytest.raises(errors.InputError, match="external plugins disabled"):
        _render(tmp_path)


@pytest.mark.parametrize("field", ["resources", "components", "generators", "configurations"])
def test_a_path_out_of_the_repository_is_refused(tmp_path: Path, field: str) -> None:
    """By dots, by its root, or by a link."""
    trees.write(tmp_path, {"outside/kustomization.yaml": "resources: []", "outside/a.yaml": CONFIG % "a"})
    for entry, says in (
        ("../../outside", "leads out of the repository"),
        (str(tmp_path / "outside"), "absolute path"),
        ("linked", "leads out of the repository"),
    ):
        root = trees.write(tmp_path / "repository", {"deploy/kustomization.yaml": f"{field}: ['{entry}']"})
        if not (root / "deploy/linked").is_symlink():
            (root / "deploy/linked").symlink_to("../../outside")
        with pytest.raises(errors.InputError, match=says):
            _refuse(root, "deploy")


def test_a_base_is_looked_at_as_closely_as_its_overlay(tmp_path: Path) -> None:
    """The URL may hide two folders away; bases that stand on each other end."""
    trees.write(
        tmp_path,
        {
            "overlays/dr/kustomization.yaml": "resources: [../../base]",
            "base/kustomization.yml": "components: [../part]",
            "part/Kustomization": "kind: Component\nresources: [../overlays/dr, 'https://x.example/a.yaml']",
        },
    )
    with pytest.raises(errors.DocumentError, match=r"^part/Kustomization:2"):
        _refuse(tmp_path, "overlays/dr")


def test_a_file_that_is_not_there_is_said_with_the_line_that_names_it(tmp_path: Path) -> None:
    """Which kustomization, which line, which entry."""
    trees.write(tmp_path, {"deploy/kustomization.yaml": "resources:\n- a.yaml\n", "b.yaml": CONFIG % "b"})
    with pytest.raises(
        errors.NotFoundError, match=r"deploy/kustomization\.yaml:2 resources\[0\]: there is no deploy/a"
    ):
        _refuse(tmp_path, "deploy")


def test_a_kustomization_that_is_a_link_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    """The file that Kustomize reads first may be the link."""
    (tmp_path / "kustomization.yaml").write_text("resources: []")
    root = trees.write(tmp_path / "repository", {"a.yaml": CONFIG % "a"})
    (root / "kustomization.yaml").symlink_to("../kustomization.yaml")
    with pytest.raises(errors.InputError, match="leads out of the repository"):
        _refuse(root)


def test_an_overlay_is_rendered_by_the_real_kustomize(tmp_path: Path) -> None:
    """Base, component, patch, generator, prefix and a built-in transformer, as kubectl renders them."""
    trees.write(
        tmp_path,
        {
            "base/kustomization.yaml": "resources: [api.yaml]\nconfigMapGenerator: [{name: settings, files: [a=a]}]",
            "base/a": "port=80\n",
            "base/api.yaml": (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  replicas: 3\n  template:\n"
                "    spec:\n      containers:\n"
                "      - {name: api, image: pay/api, envFrom: [{configMapRef: {name: settings}}]}\n"
            ),
            "dr/kustomization.yaml": (
                "resources: [../base]\ncomponents: [../part]\nnamespace: pay\n"
                "images: [{name: pay/api, newTag: v7}]\n"
                "patches: [{path: small.yaml}]\n"
                "transformers:\n- |\n  apiVersion: builtin\n  kind: PrefixTransformer\n  metadata: {name: p}\n"
                "  prefix: dr-\n  fieldSpecs: [{path: metadata/name}]\n"
            ),
            "dr/small.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {replicas: 1}\n",
            "part/kustomization.yaml": "kind: Component\nresources: [s.yaml]",
            "part/s.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: api}\nspec: {ports: [{port: 80}]}\n",
        },
    )
    rendering = _render(tmp_path, "dr")
    found = {manifest["kind"]: manifest for manifest in rendering.objects}
    deployment = found["Deployment"]
    assert set(found) == {"ConfigMap", "Deployment", "Service"}
    assert deployment["metadata"] == {"name": "dr-api", "namespace": "pay"}
    assert deployment["spec"]["replicas"] == 1
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "pay/api:v7"
    assert container["envFrom"] == [{"configMapRef": {"name": found["ConfigMap"]["metadata"]["name"]}}]
    assert found["ConfigMap"]["data"] == {"a": "port=80\n"}
    assert (rendering.method, rendering.folder) == ("kustomize", "dr")


def test_what_kustomize_complains_of_is_said_with_paths_of_the_repository(tmp_path: Path) -> None:
    """No path of this machine, no prefix that every program writes."""
    trees.write(tmp_path, {"deploy/kustomization.yaml": "resources: [a.yaml]", "deploy/a.yaml": "kind: X\n"})
    with pytest.raises(errors.InputError) as raised:
        _render(tmp_path, "deploy")
    assert raised.value.message.startswith("Kustomize cannot render deploy: ")
    assert str(tmp_path) not in raised.value.message
    assert "error:" not in raised.value.message


def test_a_file_beside_the_base_is_refused_by_kustomize_itself(tmp_path: Path) -> None:
    """The second wall: files outside a kustomization's own folder are not read."""
    trees.write(tmp_path, {"deploy/kustomization.yaml": "resources: [../a.yaml]", "a.yaml": CONFIG % "a"})
    with pytest.raises(errors.InputError, match=r"Kustomize cannot render deploy: .*security"):
        _render(tmp_path, "deploy")
