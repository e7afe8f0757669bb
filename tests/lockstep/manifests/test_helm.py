"""Charts, with a scripted helm on the PATH: what it is asked, what it may see, and how its answer is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep import errors
from lockstep.manifests import render
from tests.support import configured, trees

FAKE = """#!/bin/sh
echo "apiVersion: v1"
echo "kind: ConfigMap"
echo "metadata: {name: said}"
echo "data:"
echo "  arguments: '$*'"
echo "  plugins: '$HELM_PLUGINS'"
echo "  proxy: '$HTTPS_PROXY'"
echo "  secret: '$LOCKSTEP_TEST_SECRET'"
"""
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: pay\nversion: 1.0.0\n",
    "chart/values.yaml": "replicas: 1\n",
    "chart/templates/a.yaml": "{{ .Values.replicas }}\n",
    "sites/sejong.yaml": "replicas: 7\n",
    "common.yaml": "replicas: 5\n",
}


def _render(root: Path, *, site: str = "seoul") -> render.Rendering:
    source = configured.source(
        path="chart", helm={"values": ["common.yaml"], "siteValues": {"sejong": "sites/sejong.yaml"}}
    )
    return render.render(root, source, application="pay-app", namespace="pay", site=site)


@pytest.fixture
def fake_helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A helm on the PATH that writes what it was asked as a ConfigMap."""
    program = trees.write(tmp_path / "bin", {"helm": FAKE}) / "helm"
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("LOCKSTEP_TEST_SECRET", "hunter2")
    return program


def test_without_helm_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is guessed from a chart that cannot be rendered."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.MissingToolError, match=r"chart is a Helm chart.*Install helm"):
        _render(trees.write(tmp_path, CHART))


def test_a_chart_is_rendered_with_release_namespace_and_values(tmp_path: Path, fake_helm: Path) -> None:
    """The values of the site come last; helm gets no home, no plugins, no network and no secret of ours."""
    root = trees.write(tmp_path / "repository", CHART)
    said = _render(root, site="sejong").objects[0]["data"]
    assert said["arguments"] == (
        f"template pay-app {root}/chart --namespace pay --include-crds"
        f" --values {root}/common.yaml --values {root}/sites/sejong.yaml"
    )
    assert "lockstep-render-" in said["plugins"]
    assert said["proxy"] == "http://127.0.0.1:9"
    assert said["secret"] == ""


def test_a_chart_with_a_link_out_of_the_repository_is_refused(tmp_path: Path, fake_helm: Path) -> None:
    """Helm follows links wherever they lead."""
    root = trees.write(tmp_path / "repository", CHART)
    (root / "chart/templates/b.yaml").symlink_to("/etc/hostname")
    with pytest.raises(errors.InputError, match=r"chart/templates/b\.yaml leads out of the repository"):
        _render(root)


def test_what_helm_complains_of_is_said_with_paths_of_the_repository(tmp_path: Path, fake_helm: Path) -> None:
    """Its own words, without its prefix and without paths of this machine."""
    root = trees.write(tmp_path / "repository", CHART)
    fake_helm.write_text(f'#!/bin/sh\necho "Error: {root}/chart/templates/a.yaml: no such function" >&2\nexit 1\n')
    with pytest.raises(errors.InputError) as raised:
        _render(root)
    assert raised.value.message == "Helm cannot render chart: chart/templates/a.yaml: no such function."


def test_a_chart_that_needs_too_much_memory_is_said_in_one_sentence(tmp_path: Path, fake_helm: Path) -> None:
    """Go's runtime tells a long story about it."""
    fake_helm.write_text('#!/bin/sh\necho "fatal error: out of memory\n\ngoroutine 1 [running]:" >&2\nexit 2\n')
    with pytest.raises(errors.InputError, match=r"^Helm cannot render chart: it needs more than 2048 MiB\."):
        _render(trees.write(tmp_path / "repository", CHART))


def test_a_chart_that_writes_too_much_is_refused(tmp_path: Path, fake_helm: Path) -> None:
    """Endless output is cut off."""
    fake_helm.write_text("#!/bin/sh\nexec /usr/bin/yes\n")
    with pytest.raises(errors.InputError, match="it writes more than 128 MiB"):
        _render(trees.write(tmp_path / "repository", CHART))
