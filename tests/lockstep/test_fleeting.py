"""Commands that only read for a moment are started without a leash, and are ended all the same."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from lockstep import children, errors

_PATH = {"PATH": os.environ["PATH"]}


def _run(*argv: str, env: dict[str, str] | None = None, **bounds: object) -> children.Finished:
    command = children.Command(argv=argv, env={**_PATH, **(env or {})}, fleeting=True, **bounds)  # type: ignore[arg-type] # any of its fields
    return children.run(command)


def test_it_gets_its_own_environment_and_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly what the command names, whatever is in the values."""
    monkeypatch.setenv("OURS", "1")
    said = _run("env", "-0", env={"ODD": "a=b c\n'$x'"}).out.decode().split("\0")
    assert sorted(said) == sorted(["", f"PATH={_PATH['PATH']}", "ODD=a=b c\n'$x'"])


def test_it_reads_what_it_is_given_and_its_code_is_that_of_a_shell() -> None:
    """Input, output and exit code pass as they do with a leash."""
    assert _run("wc", "-c", stdin=b"x" * 300_000).out.split() == [b"300000"]
    assert _run("sh", "-c", "exit 3").code == 3
    assert _run("sh", "-c", "kill -KILL $$").code == 128 + signal.SIGKILL
    assert _run("no-such-program").code == 127


def test_it_is_killed_when_it_takes_too_long_or_says_too_much() -> None:
    """With all of its group: what it started holds nobody up."""
    assert _run("sh", "-c", "sleep 1000 & wait", timeout_seconds=0.1).timed_out
    assert _run("yes", most_bytes=100_000).cut


def test_the_end_of_its_scope_kills_it() -> None:
    """What is not ours any longer is ended, and its end says nothing."""
    ours, begun = children.Scope(), threading.Event()

    def end(_: bytes) -> None:
        begun.set()

    def kill() -> None:
        begun.wait()
        ours.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    command = children.Command(argv=["sh", "-c", "echo; sleep 1000"], env=_PATH, fleeting=True)
    with children.scope(ours), pytest.raises(errors.LostWorkError):
        children.run(command, on_stdout=end)
    killer.join()
    with children.scope(ours), pytest.raises(errors.LostWorkError):
        children.run(command)


def test_what_needs_a_leash_is_refused(tmp_path: Path) -> None:
    """An identity and limits are the leash's to give; a missing directory is an error of ours."""
    for bounds in ({"most_file_bytes": 1}, {"most_memory_bytes": 1}, {"identity": children.Identity(uid=1, gid=1)}):
        with pytest.raises(ValueError, match="leash"):
            _run("true", **bounds)
    with pytest.raises(errors.MissingToolError, match="cannot be started"):
        _run("true", cwd=tmp_path / "nowhere")
