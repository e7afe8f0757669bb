"""Backups as clusters: Velero's tarballs and dumps, whole, damaged and hostile."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lockstep import documents, errors
from lockstep.sites import backup_reading
from lockstep.sites.backup import BackupCluster
from lockstep.sites.ends import Gap, Inventory, Selection
from lockstep.values import Json, ObjectKey

PAY = Selection(namespaces=frozenset({"pay"}), cluster_scoped=None)
TAKEN = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


def _config(name: str = "settings", namespace: str = "pay", **data: str) -> dict[str, Json]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def _role(name: str = "system:reader") -> dict[str, Json]:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}}


CONFIG, ROLE = (
    "resources/configmaps/namespaces/pay/settings.json",
    ("resources/clusterroles.rbac.authorization.k8s.io/cluster/system:reader.json"),
)


def _velero(path: Path, files: Mapping[str, Json], *, taken: datetime = TAKEN) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {"metadata/version": b"1.1.0", **files}.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), int(taken.timestamp())
            archive.addfile(member, io.BytesIO(data))
    return path


def _read(path: Path, selection: Selection = PAY) -> Inventory:
    return BackupCluster(path).read(selection)


def test_a_velero_backup_is_a_cluster_of_the_moment_when_it_was_taken(tmp_path: Path) -> None:
    """Objects of namespaces and without; what another namespace has was not asked for."""
    files = {CONFIG: _config(a="1"), ROLE: _role(), CONFIG.replace("/pay/", "/other/"): _config(namespace="other")}
    inventory = _read(_velero(tmp_path / "b.tar.gz", files))
    assert inventory.objects == (_config(a="1"), _role())
    assert inventory.gaps == ()
    assert inventory.read_at == TAKEN
    cluster = BackupCluster(tmp_path / "b.tar.gz")
    assert cluster.get(ObjectKey.of(_role()), api_version="v1") == _role()
    assert cluster.get(ObjectKey.of(_role("gone")), api_version="v1") is None
    assert not cluster.writable
    assert not cluster.runs


def test_copies_in_other_versions_double_nothing(tmp_path: Path) -> None:
    """Velero 1.1 keeps each object beside its folder of versions too; the plain one counts, then the preferred one."""
    files: dict[str, Json] = {
        "resources/configmaps/v1/namespaces/pay/settings.json": _config(a="old"),
        "resources/configmaps/v1-preferredversion/namespaces/pay/settings.json": _config(a="preferred"),
    }
    assert _read(_velero(tmp_path / "a.tar.gz", files), Selection(namespaces=frozenset({"pay"}))).objects == (
        _config(a="preferred"),
    )
    inventory = _read(_velero(tmp_path / "b.tar.gz", {**files, CONFIG: _config(a="plain"), ROLE: _role()}))
    assert inventory.objects == (_config(a="plain"), _role())
    assert inventory.gaps == ()


def test_a_namespace_called_cluster_is_a_namespace(tmp_path: Path) -> None:
    """The words of Velero's layout may be names of a user too."""
    name = "resources/configmaps/namespaces/cluster/namespaces.json"
    manifest = _config("namespaces", "cluster")
    path = _velero(tmp_path / "b.tar.gz", {name: manifest})
    assert _read(path, Selection(namespaces=frozenset({"cluster"}))).objects == (manifest,)


def test_what_may_not_have_been_backed_up_is_a_gap(tmp_path: Path) -> None:
    """A backup is often of some namespaces: of another one it knows nothing, not that it is empty."""
    path = _velero(tmp_path / "b.tar.gz", {CONFIG: _config()})
    inventory = _read(path, Selection(namespaces=frozenset({"pay", "shop"}), cluster_scoped=None))
    assert [gap.what for gap in inventory.gaps] == ["namespace shop", "objects without a namespace"]
    assert inventory.gaps[0].hides(ObjectKey.of(_config(namespace="shop")))
    assert not any(gap.hides(ObjectKey.of(_config())) for gap in inventory.gaps)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "it is not JSON: "),
        (b"[]", "it is no object."),
        (b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": 1}}', "it is no object."),
        (json.dumps(_config("other")).encode(), "it holds ConfigMap pay/other."),
        (json.dumps(_config(namespace="shop")).encode(), "it holds ConfigMap shop/settings."),
        (json.dumps({**_config(), "x": json.loads("[" * 200 + "]" * 200)}).encode(), "it is nested too deeply."),
        (b"[" * 100_000, "it is not JSON: "),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_a_gap(tmp_path: Path, content: bytes, why: str) -> None:
    """It hides whatever its name may stand for, and nothing else."""
    present = {CONFIG.replace("settings", "present"): _config("present"), ROLE: _role()}
    (gap,) = _read(_velero(tmp_path / "b.tar.gz", {CONFIG: content, **present})).gaps
    assert gap.what == CONFIG
    assert gap.why.startswith(why)
    assert gap.hides(ObjectKey.of(_config()))
    assert not gap.hides(ObjectKey.of(_config("other")))
    with pytest.raises(errors.InputError, match=r"settings\.json"):
        BackupCluster(tmp_path / "b.tar.gz").get(ObjectKey.of(_config()), api_version="v1")


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "resources/../../x.json", "resources/configmaps/namespaces/pay/a/b.json"],
)
def test_names_lead_nowhere(tmp_path: Path, name: str) -> None:
    """Nothing is unpacked; a strange name among the resources is a gap."""
    path = _velero(tmp_path / "b.tar.gz", {CONFIG: _config(), ROLE: _role(), name: b"x"})
    inventory = _read(path)
    assert len(inventory.objects) == 2
    assert [gap.what for gap in inventory.gaps] == ([] if name == "/etc/passwd" else [name])
    assert [entry.name for entry in tmp_path.iterdir()] == ["b.tar.gz"]


def test_links_and_devices_in_an_archive_are_gaps(tmp_path: Path) -> None:
    """They are not followed."""
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        for name, kind in ((CONFIG, tarfile.SYMTYPE), (ROLE, tarfile.CHRTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert {gap.why for gap in _read(tmp_path / "b.tar.gz").gaps} >= {"it is no regular file."}
    assert _read(tmp_path / "b.tar.gz").objects == ()


def test_a_backup_that_ends_early_says_what_is_missing(tmp_path: Path) -> None:
    """What was read is there, and the rest hides everything."""
    many = {
        CONFIG.replace("settings", f"c{index}"): _config(f"c{index}", a=os.urandom(200).hex()) for index in range(200)
    }
    whole = _velero(tmp_path / "whole.tar.gz", {**many, ROLE: _role()}).read_bytes()
    half = tmp_path / "half.tar.gz"
    half.write_bytes(whole[: len(whole) // 2])
    inventory = _read(half)
    assert 0 < len(inventory.objects) < 200
    assert "the rest of the backup" in [gap.what for gap in inventory.gaps]
    assert all(any(gap.hides(ObjectKey.of(manifest)) for gap in inventory.gaps) for manifest in many.values())


@pytest.mark.parametrize(
    "data",
    [b"\x1f\x8b", b"\x1f\x8bnonsense", *(gzip.compress(text, mtime=0) for text in (b"", b"x" * 600, bytes(1024)))],
)
def test_what_is_no_velero_backup_is_refused(tmp_path: Path, data: bytes) -> None:
    """With the file and what to name instead."""
    (tmp_path / "b.tar.gz").write_bytes(data)
    with pytest.raises(errors.InputError, match=r"b\.tar\.gz: this is no Velero backup"):
        _read(tmp_path / "b.tar.gz")


def _bomb(path: Path, member: tarfile.TarInfo, size: int) -> Path:
    """An archive whose header promises ``size`` bytes of zeros, and keeps the promise in little space."""
    with gzip.open(path, "wb") as file:
        first = tarfile.TarInfo(ROLE)
        data = json.dumps(_role()).encode()
        first.size = len(data)
        file.write(first.tobuf() + data + bytes(-len(data) % 512))
        member.size = size
        file.write(member.tobuf(tarfile.GNU_FORMAT))
        for _ in range(size // 2**20):
            file.write(bytes(2**20))
        file.write(bytes(1024))
    return path


def test_an_object_that_becomes_too_large_is_passed_over(tmp_path: Path) -> None:
    """Its size is told by its header, so nothing of it is kept."""
    gaps = _read(_bomb(tmp_path / "b.tar.gz", tarfile.TarInfo(CONFIG), 64 * 2**20)).gaps
    assert any("at most" in gap.why for gap in gaps if gap.what == CONFIG)


def test_a_header_that_becomes_too_large_ends_the_reading(tmp_path: Path) -> None:
    """A long name of many megabytes is no name."""
    name = tarfile.TarInfo("././@LongLink")
    name.type = tarfile.GNUTYPE_LONGNAME
    inventory = _read(_bomb(tmp_path / "b.tar.gz", name, 64 * 2**20))
    assert inventory.objects == (_role(),)
    assert any("larger than a backup can be" in gap.why for gap in inventory.gaps)


def test_a_dump_is_a_cluster_of_the_moment_when_it_was_written(tmp_path: Path) -> None:
    """JSON or YAML, lists in lists, typed lists whose items do not say what they are, objects one after another."""
    items = [
        _config(a="1"),
        {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": _config("b")["metadata"]}]},
    ]
    dump = {"apiVersion": "v1", "kind": "List", "items": items}
    for name, text in {
        "a.json": json.dumps(dump),
        "b.yaml": documents.dump(dump),
        "c.yaml": documents.dump_all(items),
    }.items():
        file = tmp_path / name
        file.write_text(text)
        os.utime(file, (TAKEN.timestamp(), TAKEN.timestamp()))
        inventory = _read(file, Selection(namespaces=frozenset({"pay"})))
        bare = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _config("b")["metadata"]}
        assert inventory.objects == (bare, _config(a="1"))
        assert inventory.gaps == ()
        assert inventory.read_at == TAKEN


@pytest.mark.parametrize(
    ("item", "what"),
    [
        ("text", "document 1, item 2"),
        ({"kind": "ConfigMap"}, "document 1, item 2"),
        (_config(a="other"), "document 1, item 2"),
        ({"apiVersion": "v1", "kind": "ConfigMapList", "items": [{}]}, "document 1, item 2, item 1"),
    ],
)
def test_an_item_that_is_no_object_or_there_twice_is_a_gap(tmp_path: Path, item: Json, what: str) -> None:
    """The place in the dump is named; the same object twice, word for word, is one object."""
    file = tmp_path / "a.json"
    items = [_config(), item, _config()]
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    inventory = _read(file, Selection(namespaces=frozenset({"pay"})))
    assert [gap.what for gap in inventory.gaps] == [what]
    assert inventory.objects == (_config(),)


@pytest.mark.parametrize("text", ["", "# nothing\n", "{", "a: [\n", "\0"])
def test_what_is_no_dump_is_refused(tmp_path: Path, text: str) -> None:
    """With the name of the file."""
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(errors.InputError, match=r"a\.json: "):
        _read(tmp_path / "a.json")


def test_a_dump_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is parsed."""
    monkeypatch.setattr(backup_reading, "_MOST_DUMP", 2**20)
    (tmp_path / "a.json").write_text(" " * (2**20 + 1))
    with pytest.raises(errors.InputError, match="more than 1 MiB"):
        _read(tmp_path / "a.json")


def test_a_backup_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    """Which is not the same as empty."""
    with pytest.raises(errors.UnreachableError):
        _read(tmp_path / "gone.tar.gz")


def test_a_backup_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    """And one that was not is not."""
    path = _velero(tmp_path / "b.tar.gz", {CONFIG: _config(a="1")})
    cluster = BackupCluster(path)
    pay = Selection(namespaces=frozenset({"pay"}))
    first = cluster.read(pay)
    assert cluster.read(pay).objects[0] is first.objects[0]
    _velero(tmp_path / "new.tar.gz", {CONFIG: _config(a="2")}).replace(path)
    assert cluster.read(pay).objects == (_config(a="2"),)


def test_nothing_is_written_to_a_backup(tmp_path: Path) -> None:
    """What to do instead is said."""
    cluster = BackupCluster(_velero(tmp_path / "b.tar.gz", {CONFIG: _config()}))
    for act in (lambda: cluster.apply(_config()), lambda: cluster.delete(ObjectKey.of(_config()), api_version="v1")):
        with pytest.raises(errors.UnsupportedError, match="Restore it"):
            act()


def test_a_gap_is_told_only_where_it_matters(tmp_path: Path) -> None:
    """A broken file of another namespace does not make this one unknown."""
    files: dict[str, Json] = {CONFIG: _config(), CONFIG.replace("/pay/", "/shop/"): b"{", ROLE: b"{"}
    path = _velero(tmp_path / "b.tar.gz", files)
    assert _read(path, Selection(namespaces=frozenset({"pay"}))).gaps == ()
    shop: tuple[Gap, ...] = _read(path, Selection(namespaces=frozenset({"shop"}))).gaps
    assert [gap.namespace for gap in shop] == ["shop", "shop"]
