"""Secrets are read by reference, and never shown."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.topology import kinds, secrets
from tests.support.topologies import topology

SECRET = "hunter2"


def file_ref(path: Path | str) -> kinds.SecretRef:
    """A reference to a file."""
    return kinds.SecretRef(file=str(path))


def written(path: Path, data: bytes, mode: int = 0o600) -> Path:
    """A file with this content and mode."""
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_an_environment_variable_is_read_from_the_environment_that_was_given(tmp_path: Path) -> None:
    """The process's own environment is not looked at."""
    reader = secrets.Reader(tmp_path, {"TOKEN": SECRET})
    assert reader.text(kinds.SecretRef(env="TOKEN")) == SECRET
    with pytest.raises(errors.NotFoundError, match="PATH is not set"):
        reader.text(kinds.SecretRef(env="PATH"))


def test_bytes_of_the_environment_that_are_not_utf_8_come_back_as_they_were(tmp_path: Path) -> None:
    """A binary secret in a variable survives; as text it is refused."""
    reader = secrets.Reader(tmp_path, {"KEY": os.fsdecode(b"\xff\x00")})
    assert reader.data(kinds.SecretRef(env="KEY")) == b"\xff\x00"
    with pytest.raises(errors.InputError, match="is not text"):
        reader.text(kinds.SecretRef(env="KEY"))


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_the_last_newline_of_a_file_is_no_part_of_a_text(tmp_path: Path, ending: bytes) -> None:
    """Editors end files with a newline; bytes keep it, and inner lines are untouched."""
    path = written(tmp_path / "token", b"one\ntwo " + ending)
    reader = secrets.Reader(tmp_path, {})
    assert reader.text(file_ref(path)) == "one\ntwo "
    assert reader.data(file_ref(path)) == b"one\ntwo " + ending


def test_a_relative_file_starts_at_the_configuration(tmp_path: Path) -> None:
    """Neither the working directory nor a link decides where a relative path starts."""
    (tmp_path / "revisions" / "1").mkdir(parents=True)
    (tmp_path / "current").symlink_to(tmp_path / "revisions" / "1")
    written(tmp_path / "token", SECRET.encode())
    assert secrets.Reader(tmp_path / "current", {}).text(file_ref("../token")) == SECRET


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (Path.absolute, errors.NotFoundError),
        (Path.mkdir, errors.InputError),
        (os.mkfifo, errors.InputError),
        (lambda path: path.write_bytes(b""), errors.InputError),
        (lambda path: path.write_bytes(b"\n"), errors.InputError),
        (lambda path: path.write_bytes(b"x" * (2**20 + 1)), errors.InputError),
        (lambda path: path.symlink_to(path), errors.NotFoundError),
    ],
    ids=["nothing", "folder", "pipe", "empty", "newline", "large", "loop"],
)
def test_what_is_no_secret_is_an_error_that_names_the_reference(
    tmp_path: Path, make: Callable[[Path], object], error: type[errors.LockstepError]
) -> None:
    """Nothing hangs and nothing empty passes for a secret; each error names the file and says what to do."""
    path = tmp_path / "token"
    make(path)
    with pytest.raises(error, match="token") as caught:
        secrets.Reader(tmp_path, {}).text(file_ref(path))
    assert caught.value.remedy


def test_no_error_shows_the_secret(tmp_path: Path) -> None:
    """Neither the message nor the chain of exceptions holds a byte of it."""
    path = written(tmp_path / "token", SECRET.encode() + b"\xff")
    with pytest.raises(errors.InputError) as caught:
        secrets.Reader(tmp_path, {}).text(file_ref(path))
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__suppress_context__


def test_a_reader_does_not_show_the_environment() -> None:
    """A reader in a traceback or a log names no secret."""
    assert SECRET not in repr(secrets.Reader(Path("/"), {"TOKEN": SECRET}))


def test_a_file_that_everybody_can_read_is_read_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A warning names the file, once; a file for its owner and group is silent."""
    reader = secrets.Reader(tmp_path, {})
    open_file = written(tmp_path / "open", SECRET.encode(), mode=0o644)
    shut_file = written(tmp_path / "shut", SECRET.encode(), mode=0o640)
    with caplog.at_level(logging.WARNING):
        assert reader.text(file_ref(shut_file)) == SECRET
        assert caplog.records == []
        assert reader.text(file_ref(open_file)) == reader.text(file_ref(open_file)) == SECRET
    assert [record.getMessage() for record in caplog.records] == [
        f"The secret in {open_file} can be read by every user of this machine: chmod o-r, or defaultMode 0440."
    ]


def test_what_anybody_may_know_is_read_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Authorities and host keys stand where secrets do; an empty file is refused all the same."""
    reader = secrets.Reader(tmp_path, {})
    with caplog.at_level(logging.WARNING):
        assert reader.public(file_ref(written(tmp_path / "ca.pem", b"PEM\n", mode=0o644))) == "PEM"
    assert caplog.records == []
    with pytest.raises(errors.InputError, match="is empty"):
        reader.public(file_ref(written(tmp_path / "none.pem", b"", mode=0o644)))


def test_a_kubernetes_secret_needs_a_cluster(tmp_path: Path) -> None:
    """Without one it is refused with what to do; with one it is asked for by its reference."""
    ref = kinds.SecretRef(kubernetesSecret=kinds.KubernetesSecretRef(name="forge", key="token", namespace="ops"))
    with pytest.raises(errors.UnsupportedError, match="key token of the Kubernetes Secret forge in ops"):
        secrets.Reader(tmp_path, {}).text(ref)
    reader = secrets.Reader(tmp_path, {}, kubernetes=lambda asked: f"{asked.name}/{asked.key}".encode())
    assert reader.text(ref) == "forge/token"


def test_every_file_that_holds_a_secret_is_known(tmp_path: Path) -> None:
    """Whatever kind of document names it, and however deep it stands; relative ones start at the configuration."""
    made = topology(
        (
            "Site",
            "sejong",
            {
                "git": {
                    "url": "ssh://git@git.example/{repository}.git",
                    "sshKey": {"file": "/etc/lockstep/key"},
                    "knownHosts": {"file": "known"},
                },
                "registry": {
                    "url": "https://registry.example",
                    "imagePrefix": "registry.example",
                    "auth": {"dockerConfig": {"file": "docker.json"}},
                },
                "cluster": {"kubeconfig": {"env": "KUBECONFIG"}},
            },
        ),
        ("Webhook", "forge", {"provider": "github", "secrets": [{"file": "one"}, {"file": "two"}]}),
        directory=tmp_path,
    )
    names = ("known", "docker.json", "one", "two")
    assert secrets.files(made) == {Path("/etc/lockstep/key"), *(tmp_path / name for name in names)}
