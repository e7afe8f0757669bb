"""A hot fix as a patch: git takes it, comments stay, and no secret is in it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lockstep import documents, errors
from lockstep.manifests import edit
from lockstep.topology import kinds, selectors
from lockstep.values import Json, ObjectKey
from pipelines.healing import patching
from pipelines.healing.patching import Hotfix
from tests.support import configured

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = ObjectKey(group="apps", kind="Deployment", namespace="pay", name="api")
MANIFEST = """\
# Do not touch on Fridays.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 3  # as agreed
  template:
    spec:
      containers:
      - name: api
        image: pay/api:1
        env:
        - {name: MODE, value: fast}
        - name: DB_PASSWORD
          value: plain
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app}
data:
  app.yaml: |
    limits:
      daily: 5
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with one file."""
    made = tmp_path / "tree"
    (made / "deploy").mkdir(parents=True)
    (made / "deploy" / "all.yaml").write_text(MANIFEST)
    git(made, "init", "-q")
    git(made, "add", "-A")
    git(made, "commit", "-qm", "first")
    return made


def git(tree: Path, *arguments: str, stdin: str = "") -> str:
    """Run git."""
    who = ["-c", "user.name=kim", "-c", "user.email=kim@bank.example"]
    done = subprocess.run(["git", *who, *arguments], cwd=tree, input=stdin, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def application(**source: Json) -> kinds.Application:
    """An application of the folder ``deploy``."""
    return configured.application("pay", source={"repository": "bank/pay", "path": "deploy", **source})


def live(place: edit.Place, value: Json, *, position: int = 0) -> dict[str, Json]:
    """An object of git as it is at the primary, with one field changed."""
    manifest = documents.read(MANIFEST.encode(), file="f")[position].value
    made: dict[str, Json] = edit.replaced(manifest, place, value)
    return made


def fix(pointer: str, place: edit.Place, value: Json) -> Hotfix:
    """A hot fix of the Deployment."""
    return Hotfix(key=KEY, pointer=pointer, live=live(place, value))


def test_git_takes_the_patch_and_renders_what_the_primary_runs(tree: Path) -> None:
    """One line of the file changes; its comments stay; author, date and subject are those that were given."""
    hotfix = fix("/spec/replicas", ("spec", "replicas"), 5)
    changed = patching.change_files(tree, application(), site="seoul", hotfix=hotfix)
    git(tree, "checkout", "-q", ".")
    text = patching.mail([changed], subject="Take over\nit", author="kim <kim@x>", revision="c" * 40, at=NOW)
    git(tree, "am", "-q", stdin=text)
    assert git(tree, "log", "-1", "--format=%an|%ae|%s|%ad", "--date=iso-strict").strip() == (
        "kim|kim@x|Take over it|2026-11-23T09:00:00+00:00"
    )
    assert git(tree, "show", "--format=", "--numstat").split() == ["1", "1", "deploy/all.yaml"]
    assert "  replicas: 5  # as agreed\n" in (tree / "deploy" / "all.yaml").read_text()


def test_a_field_that_somebody_added_or_took_away_is_brought_to_git(tree: Path) -> None:
    """Both directions."""
    added = fix("/spec/paused", ("spec", "paused"), True)
    assert "+  paused: true" in patching.mail(
        [patching.change_files(tree, application(), site="seoul", hotfix=added)],
        subject="s", author="a <a@b>", revision="c" * 40, at=NOW,
    )  # fmt: skip
    gone = live((), documents.read(MANIFEST.encode(), file="f")[0].value)
    del gone["spec"]["replicas"]
    git(tree, "checkout", "-q", ".")
    changed = patching.change_files(
        tree, application(), site="seoul", hotfix=Hotfix(key=KEY, pointer="/spec/replicas", live=gone)
    )
    assert "replicas" not in changed.after


def test_text_inside_a_config_map_is_taken_whole(tree: Path) -> None:
    """The pointer goes on inside the YAML; the file has the text."""
    key = ObjectKey(group="", kind="ConfigMap", namespace="pay", name="app")
    there = live(("data", "app.yaml"), "limits:\n  daily: 7\n", position=1)
    hotfix = Hotfix(key=key, pointer="/data/app.yaml#/limits/daily", live=there)
    assert "      daily: 7\n" in patching.change_files(tree, application(), site="seoul", hotfix=hotfix).after


ENV = ("spec", "template", "spec", "containers", 0, "env", 1, "value")


@pytest.mark.parametrize(
    ("place", "value"),
    [(ENV, "hunter2"), (("spec", "apiToken"), "abcdef"), (("spec", "url"), "https://kim:hunter2@db/")],
)
def test_what_may_hold_a_secret_is_refused(tree: Path, place: edit.Place, value: Json) -> None:
    """By the name of a variable, of a field, or a password in a URL; the error does not say it."""
    hotfix = fix(selectors.write_pointer(place), place, value)
    with pytest.raises(errors.UnsupportedError, match="may hold a secret") as refused:
        patching.change_files(tree, application(), site="seoul", hotfix=hotfix)
    assert str(value) not in str(refused.value)


def test_a_secret_is_never_written(tree: Path) -> None:
    """Whatever of it was changed."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "eA=="}}
    key = ObjectKey(group="", kind="Secret", namespace="pay", name="s")
    with pytest.raises(errors.UnsupportedError, match="Secret"):
        patching.change_of(Hotfix(key=key, pointer="/data/a", live=secret), secret)


def test_an_entry_of_a_list_is_known_by_its_name(tree: Path) -> None:
    """When the lists are in another order nobody guesses."""
    hotfix = fix("/spec/template/spec/containers/0/image", ("spec", "template", "spec", "containers", 0, "image"), "b")
    assert "image: b" in patching.change_files(tree, application(), site="seoul", hotfix=hotfix).after
    git(tree, "checkout", "-q", ".")
    hotfix.live["spec"]["template"]["spec"]["containers"].insert(0, {"name": "sidecar", "image": "s"})
    with pytest.raises(errors.UnsupportedError, match="entry"):
        patching.change_files(tree, application(), site="seoul", hotfix=hotfix)


def added(name: str, *, path: str = "", **entry: Json) -> Hotfix:
    """The hot fix of ``kubectl set env``: one variable more."""
    place = ("spec", "template", "spec", "containers", 0, "env")
    known = edit.at(documents.read(MANIFEST.encode(), file="f")[0].value, place)
    there = live(place, [{"name": name, **entry}, *known])
    label = path or f"spec.template.spec.containers[api].env[{name}]"
    return Hotfix(key=KEY, pointer="/spec/template/spec/containers/0/env/0", live=there, people_path=label)


def test_a_variable_that_somebody_added_is_appended_in_git(tree: Path) -> None:
    """Wherever the server keeps it in its list; comments and the other entries stay."""
    changed = patching.change_files(tree, application(), site="seoul", hotfix=added("LEVEL", value="debug"))
    assert changed.after == MANIFEST.replace(
        "          value: plain\n", "          value: plain\n        - name: LEVEL\n          value: debug\n"
    )


def test_a_variable_is_appended_through_a_kustomization_or_not_at_all(tree: Path) -> None:
    """The base is changed where the rendering then says it; where an overlay says it already nobody guesses."""
    (tree / "deploy" / "kustomization.yaml").write_text("resources: [all.yaml]\n")
    hotfix = added("LEVEL", value="debug")
    assert "name: LEVEL" in patching.change_files(tree, application(), site="seoul", hotfix=hotfix).after
    git(tree, "checkout", "-q", "deploy/all.yaml")
    patch = '[{"op":"add","path":"/spec/template/spec/containers/0/env","value":[{"name":"ONLY","value":"1"}]}]'
    (tree / "deploy" / "kustomization.yaml").write_text(
        f"resources: [all.yaml]\npatches: [{{target: {{kind: Deployment}}, patch: '{patch}'}}]\n"
    )
    with pytest.raises(errors.UnsupportedError, match="no file says it"):
        patching.change_files(tree, application(), site="seoul", hotfix=hotfix)
    assert (tree / "deploy" / "all.yaml").read_text() == MANIFEST


@pytest.mark.parametrize(
    ("hotfix", "why"),
    [
        (added("API_TOKEN", value="hunter2"), "secret"),
        (added("LEVEL", value="debug", path="spec.template.spec.containers[api].env[MODE]"), "entry"),
    ],
)
def test_an_entry_that_may_be_a_secret_or_another_one_is_refused(tree: Path, hotfix: Hotfix, why: str) -> None:
    """A finding about an entry that is gone must not add the one that stands in its place."""
    with pytest.raises(errors.UnsupportedError, match=why) as refused:
        patching.change_files(tree, application(), site="seoul", hotfix=hotfix)
    assert "hunter2" not in str(refused.value)


def test_what_another_file_decides_becomes_a_patch_of_the_kustomization(tree: Path) -> None:
    """Changing the base would change nothing: the rendering says so, and a strategic merge patch is written."""
    (tree / "deploy" / "kustomization.yaml").write_text("resources: [all.yaml]\nreplicas: [{name: api, count: 9}]\n")
    hotfix = fix("/spec/replicas", ("spec", "replicas"), 5)
    with pytest.raises(errors.UnsupportedError):
        patching.change_files(tree, application(render="kustomize"), site="seoul", hotfix=hotfix)
    assert (tree / "deploy" / "all.yaml").read_text() == MANIFEST
    made = patching.rendered(tree, application(render="kustomize"), site="seoul", key=KEY)
    assert made is not None
    (patch,) = documents.read(patching.merge_patch(made, patching.change_of(hotfix, made)).encode(), file="p")
    assert patch.value == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api"},
        "spec": {"replicas": 5},
    }
