"""Where a SQLite file may lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep import errors
from lockstep.store import files

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /srv rw shared:2 - nfs4 store:/srv rw,vers=4.2
31 30 0:27 / /srv/local rw - xfs /dev/vdb rw
32 22 0:28 / /mnt/with\\040space rw - cifs //nas/x rw
33 22 0:29 / /over rw - ext4 /dev/vdc rw
34 33 0:30 / /over rw - fuse.sshfs host:/ rw
"""


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/var/lib/lockstep.db", "ext4"),
        ("/srv/lockstep.db", "nfs4"),
        ("/srv2/lockstep.db", "ext4"),
        ("/srv/local/lockstep.db", "xfs"),
        ("/mnt/with space/lockstep.db", "cifs"),
        ("/over/lockstep.db", "fuse.sshfs"),
    ],
)
def test_the_file_system_of_a_file_is_known(file: str, kind: str) -> None:
    """The deepest mount point counts, and of two at one place the later."""
    assert files.filesystem(Path(file), MOUNTS) == kind


def test_a_machine_without_the_table_is_no_hindrance() -> None:
    """Where the kernel has no such table nothing is refused for it."""
    assert files.filesystem(Path("/x.db"), "") == ""


def test_a_file_on_a_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's log needs memory that all processes share; over a network it loses what was accepted."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 0:1 / {tmp_path} rw - nfs4 store:/ rw\n")
    monkeypatch.setattr(files, "_MOUNTS", mounts)
    with pytest.raises(errors.InputError, match="is on nfs4"):
        files.prepare(str(tmp_path / "lockstep.db"))


def test_a_name_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that changes its folder later still has the same database."""
    monkeypatch.chdir(tmp_path)
    assert files.prepare("lockstep.db") == tmp_path / "lockstep.db"
