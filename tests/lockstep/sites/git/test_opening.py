"""From the configuration to a remote."""

from __future__ import annotations

from pathlib import Path

import pydantic
import pytest

from lockstep import errors
from lockstep.sites import git
from lockstep.topology import kinds, secrets

_SECRETS = {"TOKEN": "hunter2\n", "KEY": "a key", "HOSTS": "forge ssh-ed25519 AAAA"}


def _open(end: dict[str, object], repository: str = "bank/pay") -> git.Remote:
    return git.open_remote(
        kinds.GitEnd.model_validate(end),
        repository,
        reader=secrets.Reader(Path("/"), _SECRETS),
        path=lambda text: Path("/etc/lockstep") / text,
    )


def test_a_server_gets_its_url_and_its_secrets() -> None:
    """The repository's path stands where the URL says; a token loses the newline of its file."""
    remote = _open({"url": "https://git.example/{repository}.git", "username": "bot", "password": {"env": "TOKEN"}})
    assert remote.address == "https://git.example/bank/pay.git"
    assert (remote.access.username, remote.access.password) == ("bot", "hunter2")


def test_ssh_gets_its_key_and_its_host_keys() -> None:
    """Both by reference."""
    remote = _open({"url": "git@forge:{repository}.git", "sshKey": {"env": "KEY"}, "knownHosts": {"env": "HOSTS"}})
    assert (remote.access.ssh_key, remote.access.known_hosts) == ("a key", "forge ssh-ed25519 AAAA")


def test_a_directory_is_one_of_the_configuration() -> None:
    """Relative to it, with one bare repository for each."""
    assert _open({"directory": "sites/seoul"}).address == "/etc/lockstep/sites/seoul/bank/pay.git"


@pytest.mark.parametrize(
    "repository", ["../x", "a/../b", "-x", "a//b", "a b", "", "/x", "x.git", "{repository}", "a\n"]
)
def test_a_repository_that_would_be_another_path_is_refused(repository: str, tmp_path: Path) -> None:
    """Names come from events: none becomes a path or an option."""
    with pytest.raises(errors.InputError):
        _open({"directory": "sites/seoul"}, repository)
    with pytest.raises(errors.InputError):
        git.open_cache(tmp_path, repository)


@pytest.mark.parametrize(
    "url", ["ext::sh -c {repository}", "ext::{repository}", "fd::1{repository}", "-x@h:{repository}"]
)
def test_a_url_that_git_would_run_is_refused_in_the_configuration(url: str) -> None:
    """Long before the door, which refuses it again."""
    with pytest.raises(pydantic.ValidationError):
        kinds.GitEnd.model_validate({"url": url})
