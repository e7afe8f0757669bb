"""An image is built from a directory alone: always the same from the same, and nothing from outside in it."""

from __future__ import annotations

import gzip
import http.client
import io
import os
import stat
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockstep import errors
from lockstep.settings import Building
from lockstep.sites import ends, oci
from lockstep.sites.layout import LayoutStore
from lockstep.values import Json
from pipelines.imaging import Base, Built, Directory, Recipe, build
from sync.mirror import Order, mirror
from sync.states import State
from tests.support import images, skopeo, unpack
from tests.support.images import Maker, new_store
from tests.support.stores import Watched


@pytest.fixture
def store(tmp_path: Path) -> LayoutStore:
    """An empty directory of layouts."""
    return new_store(tmp_path / "layouts")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A directory with what directories have."""
    root = tmp_path / "files"
    (root / "bin").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "bin/run").write_text("#!/bin/sh\necho run\n")
    (root / "bin/run").chmod(0o750)
    (root / "data").write_bytes(b"data")
    (root / "data").chmod(0o600)
    (root / "link").symlink_to("bin/run")
    (root / "outward").symlink_to("/etc/passwd")
    (root / "이름").write_text("값")
    (root / ("n" * 200)).write_text("long")
    (root / os.fsdecode(b"\xff-raw")).write_text("raw")
    return root


def _build(store: ends.ImageStore, root: Path, recipe: Recipe | None = None, **more: Json) -> Built:
    return build(recipe or Recipe(), Directory(root=root), target=store, repository="app", **more)


def _entries(store: ends.ImageStore, built: Built) -> dict[str, tarfile.TarInfo]:
    manifest = store.manifest("app", built.digest)
    assert manifest is not None
    layer = images.read(store, "app", oci.contents(manifest).blobs[-1])
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer)), errors="surrogateescape") as tar:
        return {entry.name: entry for entry in tar}


def _config(store: ends.ImageStore, built: Built) -> dict[str, Json]:
    manifest = store.manifest("app", built.digest)
    assert manifest is not None
    config: dict[str, Json] = orjson.loads(images.read(store, "app", oci.contents(manifest).blobs[0]))
    return config


def test_a_layer_holds_what_the_directory_holds_and_nothing_of_its_accidents(store: LayoutStore, files: Path) -> None:
    """Owners, moments and odd modes are gone; executables, links, empty directories and strange names stay."""
    found = _entries(store, _build(store, files, Recipe(epoch=1_700_000_000)))
    assert list(found) == sorted(found, key=os.fsencode)
    assert {name: oct(entry.mode) for name, entry in found.items() if entry.isfile()} == {
        "bin/run": "0o755",
        "data": "0o644",
        "n" * 200: "0o644",
        "이름": "0o644",
        os.fsdecode(b"\xff-raw"): "0o644",
    }
    assert found["empty"].isdir()
    assert (found["link"].linkname, found["outward"].linkname) == ("bin/run", "/etc/passwd")
    assert {(entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) for entry in found.values()} == {
        (0, 0, "", "", 1_700_000_000)
    }


def test_the_same_input_gives_the_same_digest(store: LayoutStore, files: Path, tmp_path: Path) -> None:
    """Another directory, made in another order at another time by somebody else, builds the same image."""
    first = _build(store, files, Recipe(entrypoint=("/bin/run",), environment={"B": "2", "A": "1"}))
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in sorted(files.iterdir(), reverse=True):
        subprocess.run(["cp", "-R", "--no-dereference", str(path), str(copy)], check=True)
    os.utime(copy / "data", (1, 1))
    (copy / "data").chmod(0o644)
    again = _build(
        new_store(tmp_path / "others"), copy, Recipe(entrypoint=("/bin/run",), environment={"B": "2", "A": "1"})
    )
    assert first == again
    assert _build(store, files, Recipe(entrypoint=("/bin/run",), epoch=1)).digest != first.digest


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda name: name not in (".", "..") and not name.startswith(".wh.") and len(name.encode()) < 200
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.tuples(st.binary(max_size=2000), st.booleans()), max_size=6))
def test_what_is_packed_comes_out_again(content: dict[str, tuple[bytes, bool]]) -> None:
    """Whatever the names and bytes: unpacked they are the same, and packed twice they are one layer."""
    with tempfile.TemporaryDirectory() as directory:
        root, store = Path(directory, "in"), new_store(Path(directory, "layouts"))
        root.mkdir()
        for name, (data, executable) in content.items():
            (root / name).write_bytes(data)
            (root / name).chmod(0o700 if executable else 0o600)
        built = _build(store, root, Recipe(at="/deep/er"))
        assert _build(store, root, Recipe(at="/deep/er")) == built
        unpack.image(store, "app", built.digest, Path(directory, "out"))
        out = Path(directory, "out/deep/er")
        assert {path.name: (path.read_bytes(), bool(path.stat().st_mode & 0o111)) for path in out.iterdir()} == content


@pytest.mark.parametrize(
    "path", ["../secret", "/etc", "a/../../secret", "link", "link/inside", "a/link", "absent", "file"]
)
def test_a_directory_that_leads_out_of_the_workspace_is_refused(store: LayoutStore, tmp_path: Path, path: str) -> None:
    """Neither dots nor links lead out, on no step of the way; nothing is written."""
    root = tmp_path / "workspace"
    (root / "a").mkdir(parents=True)
    (tmp_path / "secret/inside").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "a/link").symlink_to("../../secret")
    (root / "file").write_text("no directory")
    with pytest.raises((errors.InputError, errors.NotFoundError)):
        build(Recipe(), Directory(root=root, path=path), target=store, repository="app")
    assert store.tags("app") in (None, {})


@pytest.mark.parametrize("what", ["pipe", "socket", "whiteout", "opaque"])
def test_what_cannot_be_part_of_an_image_is_refused_by_name(store: LayoutStore, files: Path, what: str) -> None:
    """Pipes, sockets and names that would remove files when unpacked are told, never waited for."""
    match what:
        case "pipe":
            os.mkfifo(files / "bin/culprit")
        case "socket":
            os.mknod(files / "bin/culprit", stat.S_IFSOCK | 0o644)
        case "whiteout":
            (files / "bin/.wh.culprit").touch()
        case "opaque":
            (files / "bin/.wh..wh..opq").touch()
    with pytest.raises(errors.InputError, match=r"bin/"):
        _build(store, files)


def test_limits_end_a_build_before_the_disk_does(store: LayoutStore, files: Path) -> None:
    """A huge sparse file and too many files are refused by what they would be, with the place."""
    with pytest.raises(errors.InputError, match="entries"):
        _build(store, files, limits=Building(most_files=3))
    with (files / "huge").open("wb") as huge:
        huge.truncate(2**40)
    with pytest.raises(errors.InputError, match="huge"):
        _build(store, files)


def test_directories_without_end_are_refused(store: LayoutStore, tmp_path: Path) -> None:
    """A tree that is deeper than any program makes costs no stack and no open files."""
    place = tmp_path / "deep"
    for _ in range(140):
        place /= "d"
    place.mkdir(parents=True)
    with pytest.raises(errors.InputError, match="deeper"):
        _build(store, tmp_path / "deep")


def test_an_empty_directory_on_nothing_is_an_image(store: LayoutStore, tmp_path: Path) -> None:
    """The least that can be built can be read."""
    (tmp_path / "empty").mkdir()
    built = _build(store, tmp_path / "empty", Recipe(entrypoint=("/x",), architecture="arm64"))
    assert (_config(store, built)["architecture"], built.entries) == ("arm64", 0)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(at="app"),
        Recipe(at="/a/../b"),
        Recipe(working_directory="app"),
        Recipe(environment={"A=B": "1"}),
        Recipe(environment={"": "1"}),
        Recipe(ports=("http",)),
        Recipe(ports=("70000",)),
        Recipe(epoch=-1),
    ],
)
def test_a_recipe_that_means_nothing_is_refused(store: LayoutStore, files: Path, recipe: Recipe) -> None:
    """Wrong paths, names and ports are told before anything is read."""
    with pytest.raises(errors.InputError):
        _build(store, files, recipe)


@pytest.fixture
def base(store: LayoutStore) -> Base:
    """An image for two platforms, with settings to inherit."""
    maker = Maker(store=store, repository="base")
    children = []
    for architecture in ("amd64", "arm64"):
        layer = maker.put(images.tar_gz({"etc/base": architecture.encode(), "bin/sh": b"sh"}), images.DOCKER_LAYER)
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {
                "Env": ["PATH=/bin", "LANG=C"],
                "Cmd": ["sh"],
                "User": "nobody",
                "Labels": {"from": "base"},
                "ExposedPorts": {"1/tcp": {}},
                "StopSignal": "SIGINT",
            },
            "rootfs": {"type": "layers", "diff_ids": [images.digest(architecture.encode())]},
            "history": [{"created_by": "base"}],
        }
        described = maker.put(orjson.dumps(config), images.DOCKER_CONFIG)
        body = {"config": oci.as_json(described), "layers": [oci.as_json(layer)]}
        made = maker.manifest(body, oci.DOCKER_MANIFEST, child=True)
        children.append(replace(made, platform={"os": "linux", "architecture": architecture}))
    return Base(store=store, repository="base", digest=maker.index(children, docker=True).digest)


def test_what_is_built_on_a_base_inherits_from_it(store: LayoutStore, files: Path, base: Base) -> None:
    """Layers stand on the base's; settings are the base's but for what the recipe says; a new entrypoint clears Cmd."""
    recipe = Recipe(
        entrypoint=("/bin/run", "--fast"),
        environment={"LANG": "C.UTF-8", "MODE": "x=y"},
        labels={"own": "label"},
        ports=("8080", "53/udp"),
        working_directory="/app",
        architecture="arm64",
    )
    built = _build(store, files, recipe, base=base)
    config = _config(store, built)
    assert config["architecture"] == "arm64"
    assert config["config"] == {
        "Entrypoint": ["/bin/run", "--fast"],
        "Env": ["PATH=/bin", "LANG=C.UTF-8", "MODE=x=y"],
        "User": "nobody",
        "Labels": {"from": "base", "own": "label"},
        "ExposedPorts": {"1/tcp": {}, "8080/tcp": {}, "53/udp": {}},
        "WorkingDir": "/app",
        "StopSignal": "SIGINT",
    }
    assert [one["created_by"] for one in config["history"]] == ["base", "lockstep image /"]
    assert len(config["rootfs"]["diff_ids"]) == 2
    manifest = store.manifest("app", built.digest)
    assert manifest is not None
    kinds = [blob.media_type for blob in oci.contents(manifest).blobs]
    assert kinds == [oci.OCI_CONFIG, f"{oci.OCI_LAYER}+gzip", f"{oci.OCI_LAYER}+gzip"]


def test_layers_of_a_base_at_the_same_place_are_not_copied(store: LayoutStore, files: Path, base: Base) -> None:
    """They are taken over by reference; from another place they are read once."""
    here = Watched(store)
    _build(here, files, Recipe(architecture="amd64"), base=replace(base, store=here))
    assert here.count("mount_blob") == 1
    assert here.count("write_blob") == 2  # the new layer and the configuration
    elsewhere = Watched(new_store(store.root.parent / "elsewhere"))
    _build(elsewhere, files, Recipe(architecture="amd64"), base=base)
    assert elsewhere.count("write_blob") == 3


def test_a_base_without_this_platform_is_told_with_those_that_it_has(
    store: LayoutStore, files: Path, base: Base
) -> None:
    """Neither another platform nor an artifact is built upon by accident."""
    with pytest.raises(errors.NotFoundError, match="linux/amd64, linux/arm64"):
        _build(store, files, Recipe(architecture="s390x"), base=base)
    artifact = Maker(store=store, repository="base").artifact(None, b"no image")
    with pytest.raises(errors.InputError, match="no image"):
        _build(store, files, base=replace(base, digest=artifact.digest))
    single = Maker(store=store, repository="base").image(architecture="amd64")
    with pytest.raises(errors.InputError, match="amd64"):
        _build(store, files, Recipe(architecture="arm64"), base=replace(base, digest=single.digest))
    with pytest.raises(errors.NotFoundError):
        _build(store, files, base=replace(base, digest=images.digest(b"absent")))


@pytest.mark.parametrize(
    "config",
    [
        b"no json",
        b"[]",
        b"{}",
        b'{"rootfs": []}',
        b'{"rootfs": {"diff_ids": 1}}',
        b'{"rootfs": {"diff_ids": ["sha256:1"]}}',
        b'{"rootfs": {"diff_ids": []}, "config": [1]}',
        b'{"rootfs": {"diff_ids": []}, "config": {"Env": "A=B"}}',
        b'{"rootfs": {"diff_ids": []}, "config": {"Labels": []}}',
        b'{"rootfs": {"diff_ids": []}, "history": {}}',
    ],
)
def test_a_base_that_contradicts_itself_is_damage(store: LayoutStore, files: Path, config: bytes) -> None:
    """A configuration of the wrong shape, or of other layers, is never inherited."""
    maker = Maker(store=store, repository="base")
    described = maker.put(config, oci.OCI_CONFIG)
    made = maker.manifest({"config": oci.as_json(described), "layers": []}, oci.OCI_MANIFEST)
    with pytest.raises(errors.IntegrityError):
        _build(store, files, base=Base(store=store, repository="base", digest=made.digest))


@pytest.mark.needs("skopeo")
def test_skopeo_takes_what_was_built_for_an_image(store: LayoutStore, files: Path, base: Base, tmp_path: Path) -> None:
    """A peer reads configuration and layers, verifies every byte in copying, and keeps the digest."""
    built = _build(store, files, Recipe(entrypoint=("/bin/run",), architecture="amd64"), base=base)
    manifest = store.manifest("app", built.digest)
    assert manifest is not None
    store.write_manifest("app", manifest, tag="v1")
    skopeo.copy(skopeo.at(store.root / "app", "v1"), skopeo.at(tmp_path / "theirs", "v1"))
    assert images.digest(skopeo.inspect(skopeo.at(tmp_path / "theirs", "v1"))) == built.digest
    assert skopeo.configuration(skopeo.at(store.root / "app", "v1"))["config"]["Entrypoint"] == ["/bin/run"]


SERVER = """#!/usr/bin/env python3
import http.server, pathlib
VERSION = pathlib.Path(__file__).with_name("version").read_bytes()
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(VERSION)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@pytest.mark.needs("skopeo")
def test_a_web_server_starts_from_its_mirrored_image_and_answers_its_version(
    store: LayoutStore, tmp_path: Path
) -> None:
    """Built, mirrored to a site, read there by a peer, unpacked, and run by the entrypoint that its image names."""
    files = tmp_path / "out"
    (files / "app").mkdir(parents=True)
    (files / "app/server").write_text(SERVER)
    (files / "app/server").chmod(0o755)
    (files / "app/version").write_text("4.2.0")
    ground = Maker(store=store, repository="base").image(images.tar_gz({"etc/release": b"base"}))
    built = _build(
        store,
        files,
        Recipe(entrypoint=("/app/server",), environment={"PYTHONDONTWRITEBYTECODE": "1"}),
        base=Base(store=store, repository="base", digest=ground.digest),
    )
    site = new_store(tmp_path / "site")
    order = Order(repository="app", source=store, sites={"sejong": site}, references={built.digest: ""})
    assert [result.state for result in mirror(order)] == [State.EQUAL]
    skopeo.copy(skopeo.at(tmp_path / "site/app"), f"dir:{tmp_path / 'theirs'}")
    config = unpack.image(site, "app", built.digest, tmp_path / "root")
    assert (tmp_path / "root/etc/release").read_bytes() == b"base"
    program, *arguments = config["config"]["Entrypoint"]
    environment = dict(entry.split("=", 1) for entry in config["config"]["Env"]) | {"PATH": os.environ["PATH"]}
    command = [sys.executable, str(tmp_path / "root" / program.lstrip("/")), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as server:
        assert server.stdout is not None
        try:
            connection = http.client.HTTPConnection("127.0.0.1", int(server.stdout.readline()), timeout=30)
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"4.2.0"
            connection.close()
        finally:
            server.kill()
