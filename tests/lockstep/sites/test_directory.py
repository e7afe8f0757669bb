"""A directory as a cluster: what is written, what is read back, and what a person's hand may do to it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockstep import documents, errors
from lockstep.sites.directory import DirectoryCluster
from lockstep.sites.ends import Change, Gap, Inventory, Selection
from lockstep.values import Json, ObjectKey
from tests.support import trees

PAY = Selection(namespaces=frozenset({"pay"}), cluster_scoped=None)


def _config(name: str = "settings", namespace: str = "pay", **data: str) -> dict[str, Json]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def _role(name: str) -> dict[str, Json]:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}}


def _read(root: Path, selection: Selection = PAY) -> Inventory:
    return DirectoryCluster(root=root).read(selection)


def _gap(root: Path) -> Gap:
    (gap,) = _read(root).gaps
    return gap


def test_an_object_gets_a_file_that_says_exactly_what_its_manifest_says(tmp_path: Path) -> None:
    """What it is first, then everything by name; text that could be taken for something else in quotes."""
    manifest = {
        "kind": "Deployment",
        "spec": {"template": {"spec": {"containers": [{"name": "api", "image": "pay/api"}]}}, "replicas": 2},
        "metadata": {"namespace": "pay", "name": "api", "annotations": {"wave": "1", "on": "yes"}},
        "apiVersion": "apps/v1",
    }
    assert DirectoryCluster(root=tmp_path).apply(manifest).change is Change.CREATED
    assert (tmp_path / "pay/Deployment.apps/api.yaml").read_text() == (
        "apiVersion: apps/v1\n"
        "kind: Deployment\n"
        "metadata:\n"
        "  annotations:\n"
        "    'on': 'yes'\n"
        "    wave: '1'\n"
        "  name: api\n"
        "  namespace: pay\n"
        "spec:\n"
        "  replicas: 2\n"
        "  template:\n"
        "    spec:\n"
        "      containers:\n"
        "      - image: pay/api\n"
        "        name: api\n"
    )


def test_objects_stand_where_the_layout_says(tmp_path: Path) -> None:
    """Namespace or _cluster, kind with its group or core, name."""
    cluster = DirectoryCluster(root=tmp_path)
    for manifest in (
        _config(),
        _role("reader"),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pay"}},
    ):
        cluster.apply(manifest)
    assert sorted(trees.read(tmp_path)) == [
        "_cluster/ClusterRole.rbac.authorization.k8s.io/reader.yaml",
        "_cluster/Namespace.core/pay.yaml",
        "pay/ConfigMap.core/settings.yaml",
    ]


def test_what_is_equal_is_not_written_again(tmp_path: Path) -> None:
    """Also when a person has laid the file out in their own way: their comments stay."""
    cluster = DirectoryCluster(root=tmp_path)
    cluster.apply(_config(a="1"))
    file = tmp_path / "pay/ConfigMap.core/settings.yaml"
    file.write_text("# ours\n" + file.read_text().replace("'1'", '"1"'))
    before = file.read_bytes()
    assert cluster.apply(_config(a="1")).change is Change.UNCHANGED
    assert file.read_bytes() == before
    assert cluster.apply(_config(a="2")).change is Change.CHANGED
    assert cluster.get(ObjectKey.of(_config()), api_version="v1") == _config(a="2")


def test_a_dry_run_says_what_would_be_and_writes_nothing(tmp_path: Path) -> None:
    """Not even a folder."""
    cluster = DirectoryCluster(root=tmp_path)
    assert cluster.apply(_config(), dry_run=True).change is Change.CREATED
    assert list(tmp_path.iterdir()) == []
    cluster.apply(_config())
    assert cluster.apply(_config(a="2"), dry_run=True).change is Change.CHANGED
    assert cluster.get(ObjectKey.of(_config()), api_version="v1") == _config()


def test_a_deleted_object_is_gone_once(tmp_path: Path) -> None:
    """The second time there is nothing to delete; in whatever spelling it was there."""
    cluster = DirectoryCluster(root=tmp_path)
    trees.write(tmp_path, {"pay/ConfigMap.core/settings.json": documents.canonical(_config())})
    key = ObjectKey.of(_config())
    assert cluster.delete(key, api_version="v1")
    assert not cluster.delete(key, api_version="v1")
    assert cluster.get(key, api_version="v1") is None
    assert _read(tmp_path).objects == ()


def test_only_what_is_selected_is_read(tmp_path: Path) -> None:
    """Other namespaces, and cluster-scoped objects that were not asked for, cost nothing and say nothing."""
    cluster = DirectoryCluster(root=tmp_path)
    mine, other = _role("mine"), _role("other")
    for manifest in (_config(), _config(namespace="elsewhere"), mine, other):
        cluster.apply(manifest)
    trees.write(tmp_path, {"elsewhere/ConfigMap.core/broken.yaml": "["})
    only = Selection(namespaces=frozenset({"pay"}), cluster_scoped=frozenset({ObjectKey.of(mine)}))
    assert _read(tmp_path, only).objects == (_config(), mine)
    assert _read(tmp_path, Selection(namespaces=frozenset({"pay", "empty"}))).objects == (_config(),)
    assert _read(tmp_path).objects == (_config(), mine, other)
    assert _read(tmp_path).gaps == ()


_SIGNS = st.characters(codec="utf-8", exclude_characters="/%\0")
_NAMES = st.text(_SIGNS, min_size=1, max_size=300).filter(lambda name: name not in (".", ".."))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(names=st.lists(_NAMES, min_size=1, max_size=4, unique=True))
def test_every_name_that_kubernetes_allows_comes_back(tmp_path: Path, names: list[str]) -> None:
    """Colons, dots first, slashes of other scripts, hundreds of characters: its own file, inside the directory."""
    root = tmp_path / os.urandom(8).hex()
    root.mkdir()
    cluster = DirectoryCluster(root=root)
    for name in names:
        assert cluster.apply(_role(name)).change is Change.CREATED
        assert cluster.apply(_role(name)).change is Change.UNCHANGED
    inventory = cluster.read(PAY)
    assert {manifest["metadata"]["name"] for manifest in inventory.objects} == set(names)
    assert inventory.gaps == ()
    for name in names:
        assert cluster.delete(ObjectKey.of(_role(name)), api_version="v1")
    assert trees.read(root) == {}


def test_a_name_of_rbac_is_written_as_a_url_would(tmp_path: Path) -> None:
    """So that people recognise it, on every file system."""
    DirectoryCluster(root=tmp_path).apply(_role("system:reader"))
    assert list(trees.read(tmp_path)) == ["_cluster/ClusterRole.rbac.authorization.k8s.io/system%3Areader.yaml"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../../etc/passwd", "a%2Fb", "a\0b", "\ud800"])
@pytest.mark.parametrize("write", [True, False])
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str, *, write: bool) -> None:
    """Nothing of it becomes a path."""
    cluster = DirectoryCluster(root=tmp_path)
    with pytest.raises(errors.InputError):
        cluster.apply(_role(name)) if write else cluster.get(ObjectKey.of(_role(name)), api_version="v1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"name": "a", "namespace": ".."}},
        {"metadata": {"name": "a", "namespace": "_cluster"}},
        {"metadata": {"name": "a", "namespace": "a/b"}},
        {"metadata": {"name": "a", "namespace": "Pay"}},
        {"kind": "../x"},
        {"kind": ""},
        {"kind": "Config.Map"},
        {"apiVersion": "../v1"},
        {"apiVersion": "core/v1"},
        {"apiVersion": "a/b/v1", "kind": "/"},
        {"metadata": {}},
        {"metadata": None},
        {"metadata": {"name": 5}},
        {"metadata": {"name": "a", "namespace": 5}},
        {"kind": 5},
        {"apiVersion": 5},
    ],
)
def test_a_manifest_that_would_lead_elsewhere_is_refused(tmp_path: Path, change: dict[str, Json]) -> None:
    """Namespace, kind and group are checked before they become folders."""
    with pytest.raises(errors.InputError):
        DirectoryCluster(root=tmp_path).apply({**_config(), **change})
    assert list(tmp_path.iterdir()) == []


def test_what_a_person_writes_in_another_way_is_understood(tmp_path: Path) -> None:
    """Another ending, JSON, no namespace, comments, a name without escapes."""
    trees.write(
        tmp_path,
        {
            "pay/ConfigMap.core/a.yml": "# by hand\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
            "pay/ConfigMap.core/b.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}',
            "_cluster/ClusterRole.rbac.authorization.k8s.io/system:x.yaml": documents.dump(_role("system:x")),
            "pay/ConfigMap.core/.a.yml.swp": "an editor's",
            "pay/ConfigMap.core/a.yml~": "an editor's",
            "pay/README.md": "for people",
        },
    )
    inventory = _read(tmp_path)
    assert inventory.gaps == ()
    assert [ObjectKey.of(manifest) for manifest in inventory.objects] == [
        ObjectKey(group="", kind="ConfigMap", namespace="pay", name="a"),
        ObjectKey(group="", kind="ConfigMap", namespace="pay", name="b"),
        ObjectKey(group="rbac.authorization.k8s.io", kind="ClusterRole", namespace="", name="system:x"),
    ]


def test_applying_over_another_spelling_leaves_one_file(tmp_path: Path) -> None:
    """The file of a person's spelling goes when Lockstep writes its own."""
    trees.write(
        tmp_path,
        {
            "pay/ConfigMap.core/settings.yml": documents.dump(_config(a="1")),
            "pay/ConfigMap.core/settings.json": documents.canonical(_config(a="2")),
        },
    )
    assert DirectoryCluster(root=tmp_path).apply(_config(a="3")).change is Change.CHANGED
    assert list(trees.read(tmp_path)) == ["pay/ConfigMap.core/settings.yaml"]


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("pay/ConfigMap.core/a.yaml", "a: ]", "line 1: this is not YAML: "),
        ("pay/ConfigMap.core/a.yaml", "", "the file holds nothing. Write one object to each file."),
        (
            "pay/ConfigMap.core/a.yaml",
            documents.dump_all([_config("a"), _config("b")]),
            "the file holds 2 objects. Write one object to each file.",
        ),
        ("pay/ConfigMap.core/a.yaml", "[]", "this is no object. Write apiVersion"),
        ("pay/ConfigMap.core/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 1}\n", "this is no object"),
        (
            "pay/ConfigMap.core/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: 5}\n",
            "metadata.namespace is no text. Put it in quotes",
        ),
        ("pay/ConfigMap.core/a.yaml", b"\xff\xfe", "line 1: the file is not UTF-8"),
        (
            "pay/ConfigMap.core/a.yaml",
            documents.dump(_config("b")),
            "it holds ConfigMap pay/b. Move it to pay/ConfigMap.core/b.yaml, or correct it.",
        ),
        (
            "pay/Secret.core/a.yaml",
            documents.dump(_config("a")),
            "it holds ConfigMap pay/a. Move it to pay/ConfigMap.core/a.yaml, or correct it.",
        ),
        (
            "pay/ConfigMap.core/a.yaml",
            documents.dump(_config("a", "other")),
            "it holds ConfigMap other/a. Move it to other/ConfigMap.core/a.yaml, or correct it.",
        ),
        (
            "_cluster/ConfigMap.core/a.yaml",
            documents.dump(_config("a")),
            "it holds ConfigMap pay/a. Move it to pay/ConfigMap.core/a.yaml, or correct it.",
        ),
        ("pay/ConfigMap.core/a.yaml", documents.dump(_config("b/c")), "it holds ConfigMap pay/b/c, which cannot be: "),
    ],
)
def test_a_file_that_cannot_be_understood_is_a_gap(tmp_path: Path, file: str, text: str | bytes, why: str) -> None:
    """The file, what is wrong and what to do; and it hides the object that belongs there, no other."""
    trees.write(tmp_path, {file: text})
    gaps = [gap for gap in _read(tmp_path).gaps if gap.what == file]
    assert [gap.why[: len(why)] for gap in gaps] == [why]
    namespace, kind, _ = file.split("/")
    place = ObjectKey(group="", kind=kind.removesuffix(".core"), namespace=namespace.removeprefix("_cluster"), name="a")
    assert gaps[0].hides(place)
    assert not gaps[0].hides(ObjectKey(group="apps", kind="Deployment", namespace="pay", name="a"))
    assert _read(tmp_path).objects == ()


def test_an_object_in_the_wrong_file_is_not_taken_for_missing(tmp_path: Path) -> None:
    """Whoever looks for it learns where it is, unless it also stands in its own place."""
    trees.write(tmp_path, {"pay/ConfigMap.core/old.yaml": documents.dump(_config("settings"))})
    hides = [gap.what for gap in _read(tmp_path).gaps if gap.hides(ObjectKey.of(_config()))]
    assert hides == ["pay/ConfigMap.core/settings.yaml"]
    trees.write(tmp_path, {"pay/ConfigMap.core/settings.yaml": documents.dump(_config("settings"))})
    assert not any(gap.hides(ObjectKey.of(_config())) for gap in _read(tmp_path).gaps)
    assert _read(tmp_path).objects == (_config("settings"),)


def test_two_files_for_one_object_are_a_gap_and_no_object(tmp_path: Path) -> None:
    """Nobody can tell which is meant."""
    trees.write(
        tmp_path,
        {
            "pay/ConfigMap.core/settings.yaml": documents.dump(_config(a="1")),
            "pay/ConfigMap.core/settings.yml": documents.dump(_config(a="2")),
        },
    )
    assert _read(tmp_path).objects == ()
    assert "settings.yaml and pay/ConfigMap.core/settings.yml say what ConfigMap pay/settings is" in _gap(tmp_path).why
    with pytest.raises(errors.InputError, match="Keep one of them"):
        DirectoryCluster(root=tmp_path).get(ObjectKey.of(_config()), api_version="v1")


@pytest.mark.parametrize(
    ("file", "namespace"),
    [
        ("stray.yaml", "*"),
        ("pay/stray.json", "pay"),
        ("pay/Deployment/a.yaml", "pay"),
        ("pay/deployments.apps/x/a.yaml", "pay"),
    ],
)
def test_a_manifest_in_no_place_is_a_gap(tmp_path: Path, file: str, namespace: str) -> None:
    """It may hold anything of the namespace that it stands in, or of all."""
    trees.write(tmp_path, {file: documents.dump(_config())})
    assert _gap(tmp_path).namespace == namespace


@pytest.mark.parametrize(
    "link", ["pay", "pay/ConfigMap.core", "pay/ConfigMap.core/settings.yaml", "pay/ConfigMap.core/settings.json"]
)
def test_no_link_is_followed(tmp_path: Path, link: str) -> None:
    """Not to read, where it is a gap, and not to write, wherever it leads."""
    outside = trees.write(
        tmp_path / "outside", {"ConfigMap.core/settings.yaml": "x", "settings.yaml": documents.dump(_config())}
    )
    root = tmp_path / "root"
    target = outside / ("settings.yaml" if "settings" in link else "")
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(target)
    before = trees.read(outside)
    cluster = DirectoryCluster(root=root)
    assert cluster.read(PAY).objects == ()
    assert all(gap.hides(ObjectKey.of(_config())) for gap in cluster.read(PAY).gaps)
    assert cluster.read(PAY).gaps
    with contextlib.suppress(errors.UnreachableError):
        cluster.apply(_config(a="written"))
        assert cluster.read(PAY).objects == (_config(a="written"),)
    assert trees.read(outside) == before


def test_a_link_in_the_place_of_a_folder_is_said(tmp_path: Path) -> None:
    """What to do about it stands in the error."""
    (tmp_path / "pay").symlink_to("elsewhere")
    with pytest.raises(errors.UnreachableError, match="links are not followed"):
        DirectoryCluster(root=tmp_path).apply(_config())


def test_a_link_in_the_place_of_a_kind_hides_what_was_asked_for(tmp_path: Path) -> None:
    """One cluster-scoped object that cannot be read does not spoil the reading of the rest."""
    DirectoryCluster(root=tmp_path).apply(_config())
    (tmp_path / "_cluster").symlink_to("elsewhere")
    asked = ObjectKey.of(_role("reader"))
    inventory = _read(tmp_path, Selection(namespaces=frozenset({"pay"}), cluster_scoped=frozenset({asked})))
    assert inventory.objects == (_config(),)
    assert [gap.hides(asked) for gap in inventory.gaps] == [True]


def test_the_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    """Whoever configured it meant where it leads."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    DirectoryCluster(root=tmp_path / "link").apply(_config())
    assert _read(tmp_path / "real").objects == (_config(),)


def test_a_directory_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    """An unmounted disk is not an empty cluster, and nothing is written under its mount point."""
    cluster = DirectoryCluster(root=tmp_path / "gone")
    for act in (lambda: cluster.read(PAY), lambda: cluster.apply(_config())):
        with pytest.raises(errors.UnreachableError, match="an empty directory is an empty cluster"):
            act()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.UnreachableError):
        _read(tmp_path / "file")


def test_a_pipe_is_a_gap_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Devices, pipes and folders with the name of a manifest are not opened."""
    (tmp_path / "pay/ConfigMap.core/b.yaml").mkdir(parents=True)
    os.mkfifo(tmp_path / "pay/ConfigMap.core/a.yaml")
    assert [gap.why for gap in _read(tmp_path).gaps] == [
        "it is neither a file nor a folder: only regular files are read.",
        "it is a folder: only regular files are read.",
    ]


def test_a_file_that_is_too_large_is_a_gap(tmp_path: Path) -> None:
    """Its size is said; it is not read whole."""
    file = trees.write(tmp_path, {"pay/ConfigMap.core/a.yaml": ""}) / "pay/ConfigMap.core/a.yaml"
    os.truncate(file, 10**9)
    assert "at most" in _gap(tmp_path).why


def test_a_file_that_cannot_be_understood_is_replaced_by_an_apply(tmp_path: Path) -> None:
    """Whoever applies has decided; get says what is wrong."""
    trees.write(tmp_path, {"pay/ConfigMap.core/settings.yaml": "["})
    cluster = DirectoryCluster(root=tmp_path)
    with pytest.raises(errors.InputError, match=r"pay/ConfigMap\.core/settings\.yaml"):
        cluster.get(ObjectKey.of(_config()), api_version="v1")
    assert cluster.apply(_config(), dry_run=True).change is Change.CHANGED
    assert cluster.apply(_config()).change is Change.CHANGED
    assert cluster.get(ObjectKey.of(_config()), api_version="v1") == _config()


_FIELDS = st.sampled_from(["apiVersion", "kind", "metadata", "name", "namespace", "data"])
_SHAPES = st.recursive(
    st.none() | st.integers(-9, 9) | st.sampled_from(["", "v1", "ConfigMap", "a", "pay", "../x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_FIELDS, inner, max_size=5),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(st.binary(max_size=60) | _SHAPES.map(documents.canonical))
def test_whatever_a_file_holds_is_an_object_or_a_gap(tmp_path: Path, content: bytes) -> None:
    """Never an exception, and never passed over."""
    trees.write(tmp_path, {"pay/ConfigMap.core/a.yaml": content})
    inventory = _read(tmp_path)
    here = ObjectKey(group="", kind="ConfigMap", namespace="pay", name="a")
    assert {ObjectKey.of(manifest) for manifest in inventory.objects} == {here} or any(
        gap.hides(here) for gap in inventory.gaps
    )
