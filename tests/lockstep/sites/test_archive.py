"""The archive of a site: whole renderings, a note beside them, and nothing half."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import archive, exchange
from lockstep.sites.archive import Archive
from lockstep.sites.archive_note import Record
from lockstep.sites.ends import Change, Selection
from lockstep.values import Json, ObjectKey
from tests.support import trees

PAY = Selection(namespaces=frozenset({"pay"}), cluster_scoped=None)
RECORD = Record(
    application="pay",
    site="daegu",
    namespace="pay",
    revision="1" * 40,
    images={"pay/api": ("sha256:" + "a" * 64,)},
    written_at=datetime(2026, 11, 1, 3, 0, tzinfo=UTC),
)


def _config(name: str = "settings", **data: str) -> dict[str, Json]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "pay"}, "data": data}


def test_a_rendering_is_kept_with_a_note_that_says_how_to_start_it(tmp_path: Path) -> None:
    """One folder for each application, laid out like a cluster; the note is no manifest."""
    namespace: dict[str, Json] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pay"}}
    kept = Archive(root=tmp_path)
    assert kept.write(RECORD, [_config(a="1"), namespace]) is Change.CREATED
    assert sorted(trees.read(tmp_path)) == [
        "pay/LOCKSTEP.txt",
        "pay/_cluster/Namespace.core/pay.yaml",
        "pay/pay/ConfigMap.core/settings.yaml",
    ]
    note = (tmp_path / "pay/LOCKSTEP.txt").read_text()
    assert "kubectl apply --server-side --force-conflicts -R -f ." in note
    assert f"revision: '{'1' * 40}'" in note
    record = kept.record("pay")
    assert record is not None
    assert (record.revision, record.images, record.objects) == (RECORD.revision, RECORD.images, 2)
    assert record.written_at == RECORD.written_at
    rendering = kept.rendering("pay")
    assert rendering.read(PAY).objects == (_config(a="1"), namespace)
    assert rendering.read(PAY).method == "archive"
    assert rendering.get(ObjectKey.of(namespace), api_version="v1") == namespace
    assert not rendering.writable
    assert not rendering.runs


def test_an_archive_that_has_nothing_of_an_application_is_empty(tmp_path: Path) -> None:
    """Nothing was dispersed yet: no object, no record, no gap."""
    rendering = Archive(root=tmp_path).rendering("pay")
    assert (rendering.read(PAY).objects, rendering.read(PAY).gaps, rendering.record()) == ((), (), None)
    assert rendering.get(ObjectKey.of(_config()), api_version="v1") is None


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    """Also at another time of day; another revision or another content is written."""
    kept = Archive(root=tmp_path)
    kept.write(RECORD, [_config(a="1")])
    before = (tmp_path / "pay").stat().st_ino
    later = replace(RECORD, written_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert kept.write(later, [_config(a="1")]) is Change.UNCHANGED
    assert (tmp_path / "pay").stat().st_ino == before
    assert kept.write(replace(RECORD, revision="2" * 40), [_config(a="1")]) is Change.CHANGED
    assert kept.write(replace(RECORD, revision="2" * 40), [_config(a="2")]) is Change.CHANGED


def test_what_is_no_longer_rendered_is_gone(tmp_path: Path) -> None:
    """The whole rendering takes the place of the whole one before."""
    kept = Archive(root=tmp_path)
    kept.write(RECORD, [_config("old"), _config()])
    kept.write(RECORD, [_config()])
    assert kept.rendering("pay").read(PAY).objects == (_config(),)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda root: (root / "pay/pay/ConfigMap.core/settings.yaml").write_text("edited"),
        lambda root: (root / "pay/pay/ConfigMap.core/settings.yaml").unlink(),
        lambda root: (root / "pay/stray.yaml").write_text("kubectl would apply this"),
        lambda root: (root / "pay/linked").symlink_to("/etc"),
        lambda root: (root / "pay/LOCKSTEP.txt").write_text("edited"),
        lambda root: (root / "pay/LOCKSTEP.txt").unlink(),
    ],
)
def test_what_was_changed_by_hand_is_written_anew(tmp_path: Path, tamper: object) -> None:
    """A warm site must start from what git says, not from what somebody left there."""
    assert callable(tamper)
    kept = Archive(root=tmp_path)
    kept.write(RECORD, [_config(a="1")])
    whole = trees.read(tmp_path / "pay")
    tamper(tmp_path)
    assert kept.write(RECORD, [_config(a="1")]) is not Change.UNCHANGED
    assert trees.read(tmp_path / "pay") == whole
    assert not (tmp_path / "pay/linked").exists()


@pytest.mark.parametrize("note", ["", "application: pay\n", "[]", "written: never\n", "a: ["])
def test_a_damaged_note_is_said(tmp_path: Path, note: str) -> None:
    """And mended by the next deploy."""
    kept = Archive(root=tmp_path)
    kept.write(RECORD, [_config()])
    (tmp_path / "pay/LOCKSTEP.txt").write_text(note)
    with pytest.raises(errors.InputError, match=r"LOCKSTEP\.txt is damaged"):
        kept.record("pay")


@pytest.mark.parametrize("name", ["", "..", "a/b", "_cluster", ".archive", "lockstep-system", "Pay"])
def test_a_name_that_no_application_has_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing of it becomes a path, and the stance of pairs is not overwritten."""
    with pytest.raises(errors.InputError):
        Archive(root=tmp_path).write(replace(RECORD, application=name), [_config()])
    assert trees.read(tmp_path) == {}


def test_an_object_that_would_lead_elsewhere_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """The rendering that is there stays."""
    kept = Archive(root=tmp_path)
    kept.write(RECORD, [_config()])
    before = trees.read(tmp_path)
    with pytest.raises(errors.InputError):
        kept.write(RECORD, [_config("../../x")])
    assert trees.read(tmp_path) == before


def test_an_archive_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    """An unmounted disk gets nothing, and is not taken for an empty archive."""
    kept = Archive(root=tmp_path / "gone")
    with pytest.raises(errors.UnreachableError, match="Mount its disk"):
        kept.write(RECORD, [_config()])
    with pytest.raises(errors.UnreachableError, match="Mount its disk"):
        kept.rendering("pay").read(PAY)


def test_objects_are_not_written_one_by_one(tmp_path: Path) -> None:
    """Half a rendering is what an archive must never be."""
    rendering = Archive(root=tmp_path).rendering("pay")
    for act in (
        lambda: rendering.apply(_config()),
        lambda: rendering.delete(ObjectKey.of(_config()), api_version="v1"),
    ):
        with pytest.raises(errors.UnsupportedError):
            act()


@pytest.mark.parametrize("in_one_step", [True, False])
def test_a_reader_never_sees_half_of_a_rendering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_one_step: bool
) -> None:
    """While another thread replaces it again and again, with and without a file system that can exchange folders."""
    if not in_one_step:
        monkeypatch.setattr(exchange, "exchange", lambda *_: False)
    kept = Archive(root=tmp_path)
    kept.write(RECORD, [_config(f"c{index}", turn="0") for index in range(5)])

    def write() -> None:
        for turn in range(1, 25):
            kept.write(RECORD, [_config(f"c{index}", turn=str(turn)) for index in range(5)])

    writer = threading.Thread(target=write)
    writer.start()
    readings = 0
    while writer.is_alive():
        inventory = kept.rendering("pay").read(PAY)
        assert len(inventory.objects) == 5
        assert len({manifest["data"]["turn"] for manifest in inventory.objects}) == 1
        assert inventory.gaps == ()
        assert kept.record("pay") is not None
        readings += 1
    writer.join()
    assert readings


@dataclass
class _Stopped:
    """A clock that passes whatever is waited for."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        self.seconds += 100
        return self.seconds


def test_two_writers_wait_for_each_other(tmp_path: Path) -> None:
    """And not forever: a frozen one does not stop the service."""
    Archive(root=tmp_path).write(RECORD, [_config()])
    descriptor = os.open(tmp_path / ".archive", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(errors.ConflictError, match="Somebody else is writing"):
            Archive(root=tmp_path, clock=_Stopped()).write(RECORD, [_config(a="2")])
    finally:
        os.close(descriptor)
    assert Archive(root=tmp_path).write(RECORD, [_config(a="2")]) is Change.CHANGED


_KILLED = """
import os, signal, sys
from pathlib import Path
from lockstep.sites import archive, exchange
from tests.lockstep.sites import test_archive

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "before":
    exchange.exchange = kill
else:
    exchange.exchange = lambda *_: False
    rename = Path.rename
    Path.rename = lambda self, target: rename(self, target) if str(target).endswith(".before") else kill()
archive.Archive(root=Path(sys.argv[1])).write(test_archive.RECORD, [test_archive._config(a="late")])
"""


@pytest.mark.parametrize("moment", ["before", "between"])
def test_a_writer_that_is_killed_leaves_the_rendering_before(tmp_path: Path, moment: str) -> None:
    """Before the exchange, and between the two renames where folders cannot be exchanged; the next one cleans up."""
    kept = Archive(root=tmp_path)
    kept.write(RECORD, [_config(a="before")])
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), moment], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert kept.rendering("pay").read(PAY).objects == (_config(a="before"),)
    assert kept.write(RECORD, [_config(a="before")]) is Change.UNCHANGED
    assert (tmp_path / "pay").is_dir()
    assert kept.write(RECORD, [_config(a="after")]) is Change.CHANGED
    assert kept.rendering("pay").read(PAY).objects == (_config(a="after"),)
    assert {path.name for path in (tmp_path / ".archive").iterdir()} == {"pay.before"}


def test_a_reader_that_is_overtaken_reads_again(tmp_path: Path) -> None:
    """When two renderings were written meanwhile, what it had begun to read may be gone."""
    kept = Archive(root=tmp_path)
    kept.write(RECORD, [_config(turn="0")])
    turns = iter(["1", "2"])

    def look(folder: Path) -> str:
        for turn in turns:
            kept.write(RECORD, [_config(turn=turn)])
        return (folder / "pay/ConfigMap.core/settings.yaml").read_text()

    assert "'2'" in str(kept.rendering("pay")._whole(look))


def test_folders_change_places_or_stay(tmp_path: Path) -> None:
    """One that is not there cannot."""
    trees.write(tmp_path, {"a/x": "1", "b/y": "2"})
    if exchange.exchange(tmp_path / "a", tmp_path / "b"):
        assert trees.read(tmp_path) == {"b/x": b"1", "a/y": b"2"}
    assert not exchange.exchange(tmp_path / "a", tmp_path / "gone")


def test_the_content_does_not_depend_on_the_order() -> None:
    """Of files by their names."""
    assert archive.content_of({"a": b"1", "b": b"2"}) == archive.content_of({"b": b"2", "a": b"1"})
    assert archive.content_of({"a": b"1"}) != archive.content_of({"a": b"2"})
