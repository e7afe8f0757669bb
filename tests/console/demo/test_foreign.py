"""Somebody's own manifests as the demo's application."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from console.demo import foreign


def write(folder: Path, files: dict[str, str]) -> Path:
    """Some files in a folder."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("path", "name"),
    [("boutique/base", "boutique"), ("My App!", "my-app"), ("한글", "app"), ("a/k8s", "a"), ("x" * 60, "x" * 40)],
)
def test_the_application_is_named_after_its_folder(tmp_path: Path, path: str, name: str) -> None:
    """A folder that is called like every other takes its parent's name, and any name becomes a label."""
    (tmp_path / path).mkdir(parents=True)
    assert foreign.name_of(tmp_path / path) == name


def test_a_kustomization_is_copied_with_everything_that_it_reaches(tmp_path: Path) -> None:
    """An overlay above which its base stands still renders in the clone."""
    source = write(
        tmp_path / "source",
        {
            "base/kustomization.yaml": "resources: [../common/map.yaml]",
            "common/map.yaml": "kind: ConfigMap",
            "overlays/prod/kustomization.yaml": "resources:\n- ../../base\n",
        },
    )
    work, config = tmp_path / "work", tmp_path / "config"
    work.mkdir()
    config.mkdir()
    foreign.adopt(source / "overlays" / "prod", work=work, config=config, name="prod")
    assert (work / "common" / "map.yaml").is_file()
    written = yaml.safe_load((config / "application.yaml").read_text(encoding="utf-8"))
    assert written["spec"]["source"]["path"] == "overlays/prod"
    assert written["spec"]["unmirrored"] == "warn"


def test_a_kustomization_that_reaches_far_up_is_refused(tmp_path: Path) -> None:
    """A mistyped path must not copy half of the machine."""
    app = write(tmp_path / "a/b/c/d/e/f/g/h", {"kustomization.yaml": f"resources: [{'../' * 8}]"})
    with pytest.raises(ValueError, match="too much to copy"):
        foreign.adopt(app, work=tmp_path / "work", config=tmp_path / "config", name="h")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message says which folder was meant."""
    with pytest.raises(ValueError, match="nowhere"):
        foreign.name_of(tmp_path / "nowhere")
