"""A repository at one place: on disk, over http, over ssh."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lockstep import children, errors
from lockstep.sites import git
from lockstep.sites.git import process
from tests.support import git_http, repositories, sshd

_NO_PATIENCE = git.Patience(ask_seconds=0.5)


@pytest.fixture
def server(source: repositories.Repository) -> Iterator[git_http.GitHttp]:
    """The source's forge over http."""
    with git_http.serve(source.path.parents[1]) as running:
        yield running


def _over(server: git_http.GitHttp, path: str = "bank/pay.git", **access: str) -> git.Remote:
    return git.Remote(location=f"{server.url}/{path}", access=git.Access(**access))


# --- on disk


def test_a_repository_on_disk_tells_its_refs_and_its_head(source: repositories.Repository) -> None:
    """Branches, notes and tags by their own ids, and the ref that HEAD names."""
    tag = source.tag("v1", "refs/heads/main")
    source.point("refs/notes/commits", source.refs()["refs/heads/main"])
    advertised = git.Remote(location=str(source.path)).advertised()
    assert advertised is not None
    assert (advertised.head, advertised.refs["refs/tags/v1"]) == ("refs/heads/main", tag)
    assert advertised.refs == source.refs()


def test_a_file_url_is_a_repository_on_disk(tmp_path: Path) -> None:
    """Percent signs are read as in any URL, and it can be made like any on disk."""
    remote = git.Remote.at(f"file://{tmp_path}/a%20b.git", access=git.Access(), patience=git.Patience())
    assert remote.create(object_format="sha1")
    assert (tmp_path / "a b.git/HEAD").exists()


def test_nothing_there_is_a_value_and_empty_is_another(tmp_path: Path, site: repositories.Repository) -> None:
    """A missing repository is None; one without refs has none."""
    assert git.Remote(location=str(tmp_path / "nowhere.git")).advertised() is None
    advertised = git.Remote(location=str(site.path)).advertised()
    assert advertised is not None
    assert (advertised.head, advertised.refs) == ("", {})


def test_a_folder_that_is_no_repository_is_none(tmp_path: Path) -> None:
    """A folder with other things in it is not taken for a repository, nor written over."""
    (tmp_path / "x.git").mkdir()
    (tmp_path / "x.git/file").write_text("precious")
    remote = git.Remote(location=str(tmp_path / "x.git"))
    assert remote.advertised() is None
    remote.create(object_format="sha1")
    assert (tmp_path / "x.git/file").read_text() == "precious"


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_repository_is_made_whole_and_with_the_format_of_its_source(tmp_path: Path, object_format: str) -> None:
    """It has no sample hooks, and what is there already is left alone."""
    remote = git.Remote(location=str(tmp_path / "deep/er/x.git"))
    assert remote.create(object_format=object_format)
    made = repositories.Repository(tmp_path / "deep/er/x.git")
    assert made.git("rev-parse", "--show-object-format").strip() == object_format
    assert not (made.path / "hooks").exists()
    oid = made.commit("refs/heads/main")
    assert remote.create(object_format=object_format)
    assert made.refs() == {"refs/heads/main": oid}


def test_many_who_make_a_repository_at_once_make_one(tmp_path: Path) -> None:
    """It appears by a rename: nobody ever sees half of it, and nothing is left beside it."""
    remote = git.Remote(location=str(tmp_path / "site/x.git"))
    made: list[bool] = []
    threads = [threading.Thread(target=lambda: made.append(remote.create(object_format="sha1"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [True] * 4
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["x.git"]


def test_head_follows_on_disk_and_cannot_be_told_elsewhere(
    source: repositories.Repository, server: git_http.GitHttp
) -> None:
    """Git has no words for it in its protocol: a server's default branch is changed at the server."""
    assert git.Remote(location=str(source.path)).set_head("refs/heads/trunk")
    assert source.head == "refs/heads/trunk"
    assert not _over(server).set_head("refs/heads/trunk")


@pytest.mark.parametrize("ref", ["main", "refs/tags/v1", "refs/heads/-x\n", "refs/heads/..", "-d"])
def test_head_points_to_a_branch_and_nothing_else(source: repositories.Repository, ref: str) -> None:
    """What is no full name of a branch never reaches git."""
    with pytest.raises(errors.InputError):
        git.Remote(location=str(source.path)).set_head(ref)


@pytest.mark.needs("root")
def test_a_repository_of_another_user_can_be_read_where_it_was_configured(source: repositories.Repository) -> None:
    """Git's own refusal ("dubious ownership") is lifted for exactly this path."""
    for path in (source.path, *source.path.rglob("*")):
        os.chown(path, 65534, 65534)
    advertised = git.Remote(location=str(source.path)).advertised()
    assert advertised is not None
    assert advertised.refs == source.refs()


# --- over http


def test_the_same_is_told_over_http(source: repositories.Repository, server: git_http.GitHttp) -> None:
    """A server and a folder answer alike; a repository that is not there is None."""
    assert _over(server).advertised() == git.Remote(location=str(source.path)).advertised()
    assert _over(server, "bank/none.git").advertised() is None


def test_an_empty_repository_is_believed_when_git_says_so(server: git_http.GitHttp) -> None:
    """A real server with a real repository without refs."""
    repositories.Repository.make(server.root / "bank/empty.git")
    advertised = _over(server, "bank/empty.git").advertised()
    assert advertised is not None
    assert advertised.refs == {}


@pytest.mark.parametrize("page", ["html", "200", "204"])
def test_a_page_is_never_an_empty_repository(server: git_http.GitHttp, page: str) -> None:
    """Git itself takes a login page of one line for a repository without refs: it would empty every site."""
    server.behaviour = page
    with pytest.raises(errors.UnreachableError, match="not git"):
        _over(server).advertised()


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("redirect", errors.RefusedError),
        ("403", errors.ForbiddenError),
        ("429", errors.ThrottledError),
        ("500", errors.UnreachableError),
        ("503", errors.UnreachableError),
    ],
)
def test_a_bad_day_is_told_from_another(
    server: git_http.GitHttp, behaviour: str, error: type[errors.LockstepError]
) -> None:
    """Each has its error; a redirect is not followed, wherever it leads."""
    server.behaviour = behaviour
    with pytest.raises(error) as caught:
        _over(server).advertised()
    assert type(caught.value) is error
    assert not any("elsewhere" in request for request in server.requests)
    assert "\x1b" not in str(caught.value)


def test_a_password_lets_in_and_is_shown_nowhere(
    server: git_http.GitHttp, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes by the environment: no argument, no URL, no log, no message, no repr has it."""
    caplog.set_level(0)
    started: list[str] = []
    run = children.run

    def spy(command: children.Command, **how: Any) -> children.Finished:
        started.extend(command.argv)
        return run(command, **how)

    monkeypatch.setattr(children, "run", spy)
    server.password = "hunter2"
    remote = _over(server, password="hunter2")
    assert remote.advertised() is not None
    assert started
    assert not any("hunter2" in text for text in (*started, caplog.text, repr(remote), remote.address))


@pytest.mark.parametrize("password", ["", "wrong"])
def test_without_the_password_nobody_is_asked(server: git_http.GitHttp, password: str) -> None:
    """Git asks no terminal and no helper: it is refused at once."""
    server.password = "hunter2"
    with pytest.raises(errors.UnauthorisedError) as caught:
        _over(server, password=password).advertised()
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("behaviour", ["hang", "trickle"])
def test_a_server_that_never_answers_is_given_up(server: git_http.GitHttp, behaviour: str) -> None:
    """The bound is ours, not the server's."""
    server.behaviour = behaviour
    remote = git.Remote(location=f"{server.url}/bank/pay.git", patience=_NO_PATIENCE)
    with pytest.raises(errors.UnreachableError, match="in time"):
        remote.advertised()


def test_nobody_listening_is_unreachable(tmp_path: Path) -> None:
    """Port 1 is nobody's."""
    with pytest.raises(errors.UnreachableError):
        git.Remote(location="http://127.0.0.1:1/x.git").advertised()


@pytest.mark.needs("openssl")
def test_a_certificate_is_believed_when_its_authority_was_given(
    tmp_path: Path, source: repositories.Repository
) -> None:
    """One that nobody vouches for is not, and the error says where to give it."""
    certificate = git_http.certificate(tmp_path)
    with git_http.serve(source.path.parents[1], certificate=certificate) as server:
        assert _over(server, ca=(tmp_path / "public.pem").read_text()).advertised() is not None
        with pytest.raises(errors.UnreachableError, match="certificate") as caught:
            _over(server).advertised()
        assert "ca" in caught.value.remedy


# --- over ssh


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Sshd]:
    """A real sshd."""
    with sshd.serve(tmp_path_factory.mktemp("ssh") / "d") as running:
        yield running


@pytest.mark.needs("sshd")
def test_the_same_is_told_over_ssh(source: repositories.Repository, host: sshd.Sshd) -> None:
    """The key and the host key come from memory; keys lose their last newline on the way, and that is mended."""
    access = git.Access(ssh_key=host.key.strip(), known_hosts=host.known_hosts)
    remote = git.Remote(location=f"ssh://{host.host}{source.path}", access=access)
    assert remote.advertised() == git.Remote(location=str(source.path)).advertised()
    assert git.Remote(location=f"ssh://{host.host}/nowhere.git", access=access).advertised() is None


@pytest.mark.needs("sshd")
def test_a_strange_key_is_not_let_in(source: repositories.Repository, host: sshd.Sshd) -> None:
    """Neither is no key at all: no agent and no other key of this machine is tried."""
    for key in ("", host.stranger):
        access = git.Access(ssh_key=key, known_hosts=host.known_hosts)
        with pytest.raises(errors.UnauthorisedError):
            git.Remote(location=f"ssh://{host.host}{source.path}", access=access).advertised()


@pytest.mark.needs("sshd")
def test_a_host_that_shows_another_key_is_not_spoken_to(source: repositories.Repository, host: sshd.Sshd) -> None:
    """There is no trust on first use."""
    known, _, key = host.known_hosts.partition(" ")
    other = f"{known} {key[:-20]}AAAA{key[-16:]}"
    for known_hosts in ("elsewhere ssh-ed25519 AAAA", other):
        access = git.Access(ssh_key=host.key, known_hosts=known_hosts)
        with pytest.raises(errors.UnreachableError, match="host key"):
            git.Remote(location=f"ssh://{host.host}{source.path}", access=access).advertised()


# --- addresses


@pytest.mark.parametrize(
    "address",
    [
        *(
            "ext::sh -c touch% /tmp/x",
            "ext::touch",
            "fd::17",
            "git://x/y",
            "ftp://x/y",
            "https://x/\ny",
            "relative/path",
        ),
        *("--upload-pack=x", "-oProxyCommand=x@host:path", "ssh://-oProxyCommand=x/y", "https://user:pass@x/y", ""),
    ],
)
def test_an_address_that_git_could_run_something_with_is_refused(address: str) -> None:
    """Only file, http, https and ssh; anything else is refused before git is started."""
    with pytest.raises(errors.InputError, match="no address"):
        git.Remote(location=address, access=git.Access(known_hosts="x"))


def test_ssh_without_host_keys_is_refused() -> None:
    """It would mean trust on first use."""
    with pytest.raises(errors.InputError, match="host key"):
        git.Remote(location="git@forge.example:bank/pay.git")


def test_a_file_url_of_another_machine_is_refused() -> None:
    """Git would take the host for a folder."""
    with pytest.raises(errors.InputError, match="another machine"):
        git.Remote.at("file://nas/x.git", access=git.Access(), patience=git.Patience())


def test_only_the_protocol_of_the_address_is_allowed(source: repositories.Repository) -> None:
    """A repository that redirects git elsewhere by its own configuration meets a closed door."""
    remote = git.Remote(location="https://forge.example/x.git")
    with remote.environment() as env:
        call = process.Call(arguments=["ls-remote", "--", str(source.path)], env=env)
        assert b"transport 'file' not allowed" in process.run(call).err
    call = process.Call(arguments=["ls-remote", "--", str(source.path)])
    assert b"not allowed" in process.run(call).err


def test_git_reads_nothing_of_the_machine(
    tmp_path: Path, source: repositories.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the user's configuration, nor variables, nor a repository that the service happens to stand in."""
    trap = tmp_path / "trap"
    (tmp_path / ".gitconfig").write_text(f'[url "/nowhere/"]\n\tinsteadOf = /\n[core]\n\tsshCommand = touch {trap}\n')
    repositories.git("init", "--quiet", str(tmp_path / "here"))
    (tmp_path / "here/.git/config").write_text('[url "/nowhere/"]\n\tinsteadOf = /\n')
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "here/.git"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'url./nowhere/.insteadof=/'")
    assert git.Remote(location=str(source.path)).advertised() is not None
    assert not trap.exists()


def test_a_head_that_a_killed_git_left_locked_can_be_set_again(source: repositories.Repository) -> None:
    """A young lock may be somebody's, and another try may help; an old one is nobody's."""
    source.git("update-ref", "refs/heads/trunk", "refs/heads/main")
    remote = git.Remote(location=str(source.path))
    lock = source.path / "HEAD.lock"
    lock.touch()
    with pytest.raises(errors.ConflictError, match="locked"):
        remote.set_head("refs/heads/trunk")
    os.utime(lock, (0, 0))
    assert remote.set_head("refs/heads/trunk")
    assert source.head == "refs/heads/trunk"
