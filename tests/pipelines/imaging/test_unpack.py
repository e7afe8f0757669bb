"""The unpacker that the tests start images with: layers replace and remove as they must, and never lead out."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tests.support import images, unpack


def _layer(*entries: tuple[str, bytes, str]) -> bytes:
    """A layer of (name, type, link target); regular files hold their own name."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, kind, target in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            data = name.encode() if kind == tarfile.REGTYPE else b""
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return plain.getvalue()


def test_whiteouts_remove_what_lower_layers_brought(tmp_path: Path) -> None:
    """A whiteout removes one name, an opaque one everything beside it; what comes after stays."""
    unpack.unpack(images.tar_gz({"a/old": b"1", "a/kept": b"2", "b/x": b"3", "b/y/z": b"4", "file": b"5"}), tmp_path)
    unpack.unpack(
        images.tar_gz({"a/.wh.old": b"", "b/.wh..wh..opq": b"", "b/new": b"6", ".wh.file": b"", ".wh.absent": b""}),
        tmp_path,
    )
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} == {"a", "a/kept", "b", "b/new"}


def test_hard_links_are_one_file_and_later_layers_replace(tmp_path: Path) -> None:
    """A hard link shares its file; a directory replaces a link of its name rather than following it."""
    unpack.unpack(
        _layer(("one", tarfile.REGTYPE, ""), ("two", tarfile.LNKTYPE, "one"), ("d", tarfile.SYMTYPE, "/etc")), tmp_path
    )
    assert (tmp_path / "one").samefile(tmp_path / "two")
    unpack.unpack(_layer(("d/inside", tarfile.REGTYPE, "")), tmp_path)
    assert not (tmp_path / "d").is_symlink()
    assert (tmp_path / "d/inside").read_bytes() == b"d/inside"


@pytest.mark.parametrize(
    "entries",
    [
        [("../out", tarfile.REGTYPE, "")],
        [("a/../../out", tarfile.REGTYPE, "")],
        [("inner", tarfile.LNKTYPE, "../out")],
        [("device", tarfile.CHRTYPE, "")],
    ],
)
def test_nothing_leads_out_of_the_root(tmp_path: Path, entries: list[tuple[str, bytes, str]]) -> None:
    """Dots in names and link targets, and devices, are refused; nothing appears outside."""
    (tmp_path / "root").mkdir()
    (tmp_path / "out").write_text("untouched")
    with pytest.raises(ValueError, match=r"leads out|is a device"):
        unpack.unpack(_layer(*entries), tmp_path / "root")
    assert {path.name for path in tmp_path.iterdir()} == {"root", "out"}
    assert (tmp_path / "out").read_text() == "untouched"
