"""Commands on a leash: what they get, what bounds them, and that nothing of them is left."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lockstep import children, errors, leash
from lockstep.children import starting

_PATH = {"PATH": os.defpath}
# A shell that stays until its pipe closes: the test reads the pid, and waits on the pipe rather than on time.
_STAY = "echo $$; exec sleep 1000"


def _run(*argv: str, env: dict[str, str] | None = None, **bounds: object) -> children.Finished:
    return children.run(children.Command(argv=argv, env=env or _PATH, **bounds))  # type: ignore[arg-type]  # as given


def _ends(pid: int) -> bool:
    """Whether a process is dead, or dies while we wait for it."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 60.0)[0])
    finally:
        os.close(watched)


def test_a_command_gets_its_own_environment_and_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the service was started with does not leak into what it runs."""
    monkeypatch.setenv("LOCKSTEP_TEST_SECRET", "hunter2")
    told = _run("env", env={**_PATH, "LD_PRELOAD": "", "한글": "값\nsecond line"})
    assert told.out.decode() == f"PATH={os.defpath}\nLD_PRELOAD=\n한글=값\nsecond line\n"


def test_the_leash_itself_never_gets_the_environment_of_a_command() -> None:
    """A step that chooses what the loader loads chooses it for itself, not for a leash that may run as root."""
    told = _run("cat", "/proc/self/environ", env={**_PATH, "LD_DEBUG": "", "SECRET": "hunter2"})
    leash = _run("sh", "-c", "cat /proc/$PPID/environ", env={**_PATH, "SECRET": "hunter2"})
    assert b"SECRET=hunter2" in told.out
    assert b"SECRET" not in leash.out


@pytest.mark.parametrize(("name", "value"), [("A=B", ""), ("", "x"), ("A", "b\0C=d"), ("A\0", "b")])
def test_an_environment_that_would_smuggle_a_variable_is_refused(name: str, value: str) -> None:
    """A zero byte or an equals sign would make two variables of one."""
    with pytest.raises(errors.InputError):
        _run("env", env={name: value})


def test_a_command_reads_what_it_is_given() -> None:
    """Input larger than any pipe arrives whole, and nothing is left waiting."""
    assert _run("wc", "-c", stdin=b"x" * 300_000).out.split() == [b"300000"]
    assert _run("cat").out == b""


def test_a_pipeline_ends_quietly_when_its_reader_has_enough() -> None:
    """SIGPIPE is what every shell expects it to be, not ignored as in Python."""
    assert _run("sh", "-c", "yes | head -n 1").err == b""


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill -TERM $$", 128 + signal.SIGTERM)])
def test_the_exit_code_is_what_a_shell_would_tell(script: str, code: int) -> None:
    """An exit code passes through; a signal is 128 and its number."""
    assert _run("sh", "-c", script).code == code


def test_a_program_that_is_missing_is_said_with_the_code_of_a_shell() -> None:
    """127 and the program's name."""
    missing = _run("no-such-program")
    assert (missing.code, missing.said) == (127, "no-such-program: No such file or directory")


def test_a_directory_that_is_missing_is_an_error_of_ours(tmp_path: Path) -> None:
    """It is not mistaken for a command that failed."""
    with pytest.raises(errors.MissingToolError, match="cannot be started"):
        _run("true", cwd=tmp_path / "nowhere")


def test_a_command_that_takes_too_long_is_killed() -> None:
    """The bound is the caller's, and what happened is said."""
    assert _run("sleep", "1000", timeout_seconds=0.1).timed_out


def test_what_left_the_group_and_the_session_dies_too() -> None:
    """A daemon that a step leaves behind is found."""
    seen: list[int] = []

    def take(chunk: bytes) -> None:
        seen.append(int(chunk))
        raise errors.RefusedError("enough")

    with pytest.raises(errors.RefusedError):
        children.run(children.Command(argv=["sh", "-c", f"setsid sh -c '{_STAY}' & wait"], env=_PATH), on_stdout=take)
    assert _ends(seen[0])


def test_a_command_that_writes_too_much_is_killed_and_it_is_said() -> None:
    """Half an output is never taken for a whole one."""
    ended = _run("yes", most_bytes=100_000)
    assert ended.cut
    assert ended.code != 0


def test_no_file_grows_beyond_its_bound(tmp_path: Path) -> None:
    """What a stranger sends cannot fill the disk."""
    ended = _run("sh", "-c", f"head -c 1000000 /dev/zero > {tmp_path}/big", most_file_bytes=65536)
    assert ended.code != 0
    assert (tmp_path / "big").stat().st_size <= 65536


def test_no_memory_grows_beyond_its_bound() -> None:
    """A command that wants more memory than it may have is told so by the kernel."""
    ended = _run(sys.executable, "-c", "bytearray(10**9)", most_memory_bytes=500_000_000)
    assert ended.code == 1
    assert "MemoryError" in ended.said


def test_what_a_reader_of_output_raises_ends_the_command_and_is_raised() -> None:
    """A reader that has seen enough does not leave a command blocked on a full pipe."""

    def take(chunk: bytes) -> None:
        raise errors.RefusedError(f"enough after {len(chunk)}")

    with pytest.raises(errors.RefusedError, match="enough"):
        children.run(children.Command(argv=["yes"], env=_PATH), on_stdout=take)


def test_what_is_collected_of_stderr_can_be_chosen_as_it_comes() -> None:
    """A reader of progress keeps what is none; the bound counts what is kept, and what it raises ends the command."""
    command = children.Command(argv=["sh", "-c", "echo out; echo err >&2; yes x | head -c 100000 >&2"], env=_PATH)
    ended = children.run(replace(command, most_bytes=50_000), on_stderr=lambda chunk: chunk.translate(None, b"x\n"))
    assert (ended.code, ended.out, ended.err) == (0, b"out\n", b"err")

    def refuse(chunk: bytes) -> bytes:
        raise errors.RefusedError(f"enough after {len(chunk)}")

    with pytest.raises(errors.RefusedError, match="enough"):
        children.run(children.Command(argv=["sh", "-c", "yes >&2"], env=_PATH), on_stderr=refuse)


def test_stdout_can_be_streamed_while_stderr_is_collected() -> None:
    """A stream is not mixed with messages."""
    seen = bytearray()
    command = children.Command(argv=["sh", "-c", "echo out; echo err >&2"], env=_PATH)
    ended = children.run(command, on_stdout=seen.extend)
    assert (bytes(seen), ended.out, ended.err) == (b"out\n", b"", b"err\n")


def test_a_closed_scope_kills_what_runs_and_what_would_start() -> None:
    """Work that was lost starts nothing more, and how its commands ended is not taken for their own doing."""
    scope, running = children.Scope(), threading.Event()
    lost: list[errors.LostWorkError] = []

    def work() -> None:
        command = children.Command(argv=["sh", "-c", _STAY], env=_PATH)
        with children.scope(scope):
            for _ in range(2):
                try:
                    children.run(command, on_output=lambda _: running.set())
                except errors.LostWorkError as error:
                    lost.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert running.wait(30)
    scope.kill()
    thread.join(30)
    assert len(lost) == 2


def test_a_command_does_not_outlive_the_lease_of_its_work() -> None:
    """When nobody renews the lease the command ends with it, and its end is not believed."""
    with children.scope(children.Scope(until=time.monotonic() + 0.2)), pytest.raises(errors.LostWorkError):
        _run("sleep", "1000")


@pytest.mark.parametrize(("renewed", "code"), [([-5.0, 1000.0], 7), ([1000.0, -5.0], 137), ([], 137)])
def test_the_last_renewal_names_the_end(renewed: list[float], code: int) -> None:
    """A lease that seems over goes on when a renewal says so; of several that were not read yet the last counts."""
    control, ours = os.pipe()
    now = time.monotonic()
    os.write(ours, b"".join(leash.renewal(now + seconds) for seconds in renewed))
    with starting.in_memory(b"") as env:
        numbers = (control, env.fileno(), now - 5.0, -1, -1, 0, 0)
        script = "exit 7" if code == 7 else _STAY
        argv = [sys.executable, "-I", "-S", leash.__file__, *map(str, numbers), "--", "/bin/sh", "-c", script]
        ended = subprocess.run(argv, pass_fds=(control, env.fileno()), stdout=subprocess.DEVNULL, check=False)
    os.close(control)
    os.close(ours)
    assert ended.returncode == code


@pytest.mark.needs("root")
def test_a_command_can_run_as_somebody_else_with_nothing_of_root_s(tmp_path: Path) -> None:
    """Another user and group, no further groups, no way to root's files, and no way back."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    nobody = children.Identity(uid=65534, gid=65534)
    told = _run("sh", "-c", f"id -u; id -G; cat {secret}; kill -9 $PPID; kill -0 1", identity=nobody)
    assert told.out.decode() == "65534\n65534\n"
    assert told.code == 1
    assert told.said.count("ermission") + told.said.count("not permitted") >= 3


@pytest.mark.needs("root")
def test_a_daemon_of_somebody_else_is_killed_too() -> None:
    """A leash that runs as root outlasts what its command tries as another user."""
    nobody = children.Identity(uid=65534, gid=65534)
    told = _run(
        "sh", "-c", "setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000", identity=nobody, timeout_seconds=2.0
    )
    assert told.timed_out
    assert _ends(int(told.out))


@pytest.mark.chaos
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_dies_or_freezes_takes_its_children_along(how: signal.Signals) -> None:
    """SIGKILL is noticed at once, SIGSTOP when the lease ends."""
    script = (
        "import time; from lockstep import children\n"
        "with children.scope(children.Scope(until=time.monotonic() + 1.0)):\n"
        f"    children.run(children.Command(argv=['sh', '-c', {_STAY!r}], env={_PATH!r}),\n"
        "                 on_output=lambda chunk: print(chunk.decode(), end='', flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        worker.send_signal(how)
        assert _ends(child)
        worker.kill()
