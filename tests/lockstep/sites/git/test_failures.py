"""What went wrong, told from what git wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import children, errors
from lockstep.sites.git import failures


def _told(said: str, *, code: int = 128) -> errors.LockstepError:
    return failures.failure(children.Finished(code=code, out=b"", err=said.encode()), address="the forge")


# What git 2.39, OpenSSH 9.2, curl and the forges write; those of forges from their sources and documentation.
@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("fatal: loose object 12ab (stored in ./x) is corrupt; fatal: early EOF", errors.IntegrityError),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", errors.UnreachableError),
        ("fatal: unable to access 'https://x/': Operation too slow. Less than 1000 bytes/sec", errors.UnreachableError),
        ("ssh: connect to host x port 22: Connection refused", errors.UnreachableError),
        ("Connection timed out during banner exchange", errors.UnreachableError),
        ("fatal: early EOF\nfatal: fetch-pack: invalid index-pack output", errors.UnreachableError),
        ("fatal: the remote end hung up unexpectedly", errors.UnreachableError),
        ("The requested URL returned error: 502", errors.UnreachableError),
        ("SSL certificate problem: unable to get local issuer certificate", errors.UnreachableError),
        ("@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@", errors.UnreachableError),
        ("fatal: https://x/info/refs not valid: is this a git repository?", errors.UnreachableError),
        ("The requested URL returned error: 429", errors.ThrottledError),
        ("fatal: Authentication failed for 'https://x/'", errors.UnauthorisedError),
        ("git@x: Permission denied (publickey,password).", errors.UnauthorisedError),
        ("ERROR: Permission to bank/pay.git denied to ada.", errors.ForbiddenError),
        ("remote: You are not allowed to push code to this project.", errors.ForbiddenError),
        ("FATAL: W any bank/pay ada DENIED by fallthru", errors.ForbiddenError),
        ("ERROR: Repository not found.", errors.NotFoundError),
        (
            "remote: The project you were looking for could not be found or you don't have permission",
            errors.NotFoundError,
        ),
        ("fatal: repository 'https://x/y.git/' not found", errors.NotFoundError),
        ("fatal: '/x' does not appear to be a git repository", errors.NotFoundError),
        ("fatal: remote error: upload-pack: not our ref 1111", errors.ConflictError),
        ("error: Server does not allow request for unadvertised object 1111", errors.ConflictError),
        ("fatal: transport 'ext' not allowed", errors.InputError),
        ("fatal: strange hostname '-oProxyCommand=x' blocked", errors.InputError),
        ("fatal: mismatched algorithms: client sha256; server sha1", errors.UnsupportedError),
        ("error: object 1111: badTree: cannot be parsed\nfatal: fsck error in packed object", errors.IntegrityError),
        ("fatal: write error: No space left on device", errors.TemporaryError),
        ("error: index-pack died of signal 25", errors.TemporaryError),
        (" ! [remote rejected] main -> main (shallow update not allowed)", errors.IntegrityError),
        ("remote: fatal: could not fetch 12ab from promisor remote\nfatal: early EOF", errors.IntegrityError),
        ("remote: hint: Support for <GIT_DIR>/info/grafts is deprecated\nfatal: early EOF", errors.IntegrityError),
        ("error: refs/heads/main does not point to a valid object: bad object 12ab", errors.IntegrityError),
        ("fatal: something new", errors.RefusedError),
    ],
)
def test_each_saying_is_the_error_that_says_what_to_do(said: str, error: type[errors.LockstepError]) -> None:
    """The type decides whether it is tried again; the remedy is never empty."""
    told = _told(said)
    assert type(told) is error
    assert told.remedy
    assert "the forge" in told.message


def test_a_git_that_is_missing_or_too_old_is_said() -> None:
    """127 is the leash's code for a program that is not there, 129 git's for an option that it does not know."""
    assert isinstance(_told("git: No such file or directory", code=127), errors.MissingToolError)
    assert isinstance(_told("error: unknown option `stdin'", code=129), errors.MissingToolError)


def test_silence_is_unreachable_whatever_was_said_before() -> None:
    """A command that had to be killed did not answer."""
    finished = children.Finished(code=137, out=b"", err=b"Repository not found", timed_out=True)
    assert type(failures.failure(finished, address="x")) is errors.UnreachableError


def test_what_a_stranger_wrote_cannot_draw_on_a_terminal_or_tell_a_secret() -> None:
    """Colours, carriage returns, reversed text and our own password are gone; it is one short line."""
    text = "\x1b[31mremote: evil\x1b[0m\rfatal: hunter2 \u202etxt\x07\nhint: do this\n" + "x" * 5000
    shown = failures.clean(text, secrets=("hunter2",))
    assert shown.startswith("remote: evil; fatal: *** txt; xxx")
    assert len(shown) < 500


@given(st.text())
def test_cleaned_text_is_always_one_printable_line(text: str) -> None:
    """No control character survives, and cleaning twice changes nothing."""
    shown = failures.clean(text)
    assert not any(character < " " or "\x7f" <= character <= "\x9f" for character in shown)
    assert len(shown) <= 401
