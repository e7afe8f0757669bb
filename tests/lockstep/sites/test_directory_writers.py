"""Several writers of one directory, and writers that are killed: no file is half written, nothing is left over."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites.directory import DirectoryCluster
from lockstep.sites.ends import Selection
from lockstep.sites.folder import SPARE, Folder
from lockstep.values import Json
from tests.support import trees

PAY = Selection(namespaces=frozenset({"pay"}))
FILE = "pay/ConfigMap.core/settings.yaml"
_WRITER = """
import os, signal, sys
from pathlib import Path
from lockstep.sites.directory import DirectoryCluster

def config(value):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "pay"},
            "data": {"a": value, "b": value}}

cluster = DirectoryCluster(root=Path(sys.argv[1]))
"""
_KILLED = _WRITER + "os.rename = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\ncluster.apply(config('late'))\n"
_BUSY = _WRITER + "for turn in range(100):\n    cluster.apply(config(f'{os.getpid()} {turn} ' + 'x' * 5000))\n"


def _config(value: str) -> dict[str, Json]:
    metadata = {"name": "settings", "namespace": "pay"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": value, "b": value}}


def test_what_a_killed_writer_leaves_is_never_read_and_removed_by_the_next(tmp_path: Path) -> None:
    """SIGKILL in the moment before the rename: the object is as it was, and the spare file goes."""
    DirectoryCluster(root=tmp_path).apply(_config("before"))
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(trees.read(tmp_path / SPARE)) == 1
    inventory = DirectoryCluster(root=tmp_path).read(PAY)
    assert (inventory.objects, inventory.gaps) == ((_config("before"),), ())
    DirectoryCluster(root=tmp_path).apply(_config("after"))
    assert list(trees.read(tmp_path)) == [FILE]


def test_the_file_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    """Another writer that begins meanwhile does not take it for a dead one's."""
    with Folder.at(tmp_path) as mine, Folder.at(tmp_path) as theirs, mine._draft(b"whole") as draft:
        theirs.clear()
        os.rename(draft, "kept", src_dir_fd=mine._descriptor, dst_dir_fd=mine._descriptor)
    assert trees.read(tmp_path) == {"kept": b"whole"}


def test_writers_of_one_object_never_show_a_reader_half_of_it(tmp_path: Path) -> None:
    """Three processes write, one reads: each reading is one writer's whole object, and at the end one file is left."""
    DirectoryCluster(root=tmp_path).apply(_config("first"))
    writers = [subprocess.Popen([sys.executable, "-c", _BUSY, str(tmp_path)]) for _ in range(3)]
    readings = 0
    while any(writer.poll() is None for writer in writers):
        inventory = DirectoryCluster(root=tmp_path).read(PAY)
        assert inventory.gaps == ()
        (seen,) = inventory.objects
        assert seen["data"]["a"] == seen["data"]["b"]
        readings += 1
    assert readings
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert list(trees.read(tmp_path)) == [FILE]


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, errors.UnreachableError), (errno.EROFS, errors.ForbiddenError)]
)
def test_a_disk_that_takes_no_more_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[errors.LockstepError]
) -> None:
    """The error is the house's own, the old object stays, and no rest of the new one."""
    cluster = DirectoryCluster(root=tmp_path)
    cluster.apply(_config("before"))

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(error):
            cluster.apply(_config("after"))
    assert cluster.read(PAY).objects == (_config("before"),)
    assert list(trees.read(tmp_path)) == [FILE]
