"""Other tools read what we write, and we read what they write, without a byte of difference."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lockstep.sites import oci
from tests.support import images, skopeo
from tests.support.images import Maker, new_store

# What skopeo 1.9 cannot find or copy in a layout: Docker's media types, an index inside an index, artifacts, sha512.
COPIED = ["plain", "platforms", "annotated", "no-layers", "again"]


@pytest.mark.needs("skopeo")
def test_skopeo_reads_what_we_write(tmp_path: Path) -> None:
    """Each image leaves our layout by skopeo with the digest that it has here."""
    store = new_store(tmp_path / "ours")
    made = images.corpus(Maker(store=store, repository="pay/api"))
    for tag in COPIED:
        skopeo.copy(skopeo.at(tmp_path / "ours/pay/api", tag), skopeo.at(tmp_path / "theirs", tag))
        assert images.digest(skopeo.inspect(skopeo.at(tmp_path / "theirs", tag))) == made[tag].digest


@pytest.mark.needs("skopeo")
def test_we_read_what_skopeo_writes(tmp_path: Path) -> None:
    """A layout that skopeo made has the same tags, manifests and blobs, and we write on in it."""
    ours = new_store(tmp_path / "ours")
    made = images.corpus(Maker(store=ours, repository="app"))
    (tmp_path / "theirs").mkdir()
    for tag in COPIED:
        skopeo.copy(skopeo.at(tmp_path / "ours/app", tag), skopeo.at(tmp_path / "theirs/app", tag))
    theirs = new_store(tmp_path / "theirs")
    assert theirs.repositories() == ["app"]
    assert theirs.tags("app") == {tag: made[tag].digest for tag in COPIED}
    waiting = [made[tag].digest for tag in COPIED]
    while waiting:
        manifest = theirs.manifest("app", waiting.pop())
        assert manifest is not None
        contents = oci.contents(manifest)
        waiting.extend(child.digest for child in contents.children)
        for blob in contents.blobs:
            images.read(theirs, "app", blob)
    added = Maker(store=theirs, repository="app").image(b"ours", tag="added")
    assert images.digest(skopeo.inspect(skopeo.at(tmp_path / "theirs/app", "added"))) == added.digest
    assert theirs.collect("app").digests == ()


@pytest.mark.needs("skopeo")
def test_skopeo_writes_into_a_layout_of_ours(tmp_path: Path) -> None:
    """A tag that skopeo moves in our layout is moved, and ours stand beside it."""
    store = new_store(tmp_path)
    one = Maker(store=store, repository="one").image(images.tar_gz({"a": b"1"}), tag="v1")
    kept = Maker(store=store, repository="two").image(images.tar_gz({"b": b"2"}), tag="kept")
    Maker(store=store, repository="two").image(images.tar_gz({"c": b"3"}), tag="v1")
    skopeo.copy(skopeo.at(tmp_path / "one", "v1"), skopeo.at(tmp_path / "two", "v1"))
    assert store.tags("two") == {"v1": one.digest, "kept": kept.digest}


@pytest.mark.needs("buildah", "root")
def test_we_read_what_buildah_builds(tmp_path: Path) -> None:
    """An image that buildah committed into a layout is found by its tag and is whole."""
    run = ["buildah", "--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "run"), "--storage-driver", "vfs"]
    (tmp_path / "file").write_text("content")
    (tmp_path / "layouts").mkdir()
    made = _output([*run, "from", "scratch"])
    _output([*run, "copy", "--quiet", made, str(tmp_path / "file"), "/file"])
    _output([*run, "commit", "--quiet", made, f"oci:{tmp_path / 'layouts/app'}:v1"])
    store = new_store(tmp_path / "layouts")
    named = store.resolve("app", "v1")
    assert named is not None
    manifest = store.manifest("app", named.digest)
    assert manifest is not None
    for blob in oci.contents(manifest).blobs:
        images.read(store, "app", blob)
    assert store.collect("app").digests == ()


def _output(command: list[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
