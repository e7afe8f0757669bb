"""What a step may not do: outlive its time, fill the database, hand on too much, see or reach what is not its own."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from lockstep import children
from pipelines.local import machine
from pipelines.local.machine import Machine, View
from tests.support.benches import RUN, Bench, script


def _alive(mark: str) -> list[int]:
    """Processes whose command line has this in it."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and folder.name != str(os.getpid()):
            try:
                if mark.encode() in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
    return found


@pytest.mark.parametrize("daemonised", [False, True], ids=["child", "daemon"])
def test_a_step_that_takes_too_long_is_ended_with_all_that_it_started(any_bench: Bench, *, daemonised: bool) -> None:
    """Its own timeout fails the step; nothing of it is left."""
    mark = f"3141{os.getpid()}"
    start = f"setsid sleep {mark} &" if daemonised else ""
    text = script(f"{start}\nsleep {mark}").replace("  image", "  timeout: 300ms\n  image")
    ended = any_bench.run(text)
    assert ended.reason == "StepFailed"
    assert ended.message == '"step-s" exited because the step exceeded the specified timeout limit'
    assert any_bench.record.reasons == ["TimeoutExceeded"]
    assert _alive(mark) == []


def test_what_a_step_leaves_running_ends_with_it(any_bench: Bench) -> None:
    """As it does when a container ends."""
    mark = f"2718{os.getpid()}"
    assert any_bench.run(script(f"setsid sleep {mark} >/dev/null 2>&1 &")).status == "True"
    assert _alive(mark) == []


def test_an_attempt_that_takes_too_long_is_late(bench: Bench) -> None:
    """The rest of its steps are skipped."""
    ended = bench.run(script("sleep 1000") + "- {name: next, image: i, script: echo}\n", timeout=0.4)
    assert ended.reason == "TaskRunTimeout"
    assert bench.record.reasons == ["TimeoutExceeded", "Skipped"]


def test_an_attempt_can_be_ended_from_outside(any_bench: Bench) -> None:
    """The step that runs is killed, and no other begins."""

    def cancel() -> None:
        any_bench.record.wrote.wait(60)
        any_bench.interrupt("cancel")

    watcher = threading.Thread(target=cancel)
    watcher.start()
    any_bench.run(script("echo begun; sleep 1000") + "- {name: next, image: i, script: echo}\n")
    watcher.join()
    assert any_bench.record.reasons == ["Cancelled", "Skipped"]


def test_a_log_keeps_its_beginning_and_its_end(bench: Bench) -> None:
    """A step that writes without end costs no more than its share of the database."""
    bench.record.most = 64 * 2**10
    ended = bench.run(script("echo first; head -c 200000000 /dev/zero | tr '\\0' x; echo; echo last"))
    said = bench.said()
    assert ended.status == "True"
    assert said.startswith("first\n")
    assert said.endswith("\nlast\n")
    assert "bytes are cut here" in said
    assert len(said) < 70 * 2**10


@pytest.mark.parametrize("declared", ["{name: r}", "{name: r, type: array}"])
def test_results_that_are_too_large_fail_the_task(bench: Bench, declared: str) -> None:
    """All results of a task together have a limit, and reading stops there."""
    bench.result_bytes = 1000
    ended = bench.run(f"results: [{declared}]\n" + script("head -c 1001 /dev/zero | tr '\\0' x > $(results.r.path)"))
    assert ended.reason == "TaskRunResultLargerThanAllowedLimit"
    bench.result_bytes = 1001
    again = bench.run("results: [{name: r}]\n" + script("head -c 1001 /dev/zero > $(results.r.path)"), key="2-0")
    assert again.status == "True"


@pytest.mark.parametrize(
    ("declared", "written", "message"),
    [
        (
            "{name: r, type: array}",
            "not json",
            'expected to be "array" type but was initialized to a different type "string"',
        ),
        ("{name: r, type: array}", '{"a": "b"}', 'different type "object"'),
        ("{name: r, type: array}", "[1, 2]", 'different type "string"'),
        ("{name: r, type: object, properties: {k: {}}}", '{"a": "b"}', "missing keys for these results"),
    ],
)  # fmt: skip
def test_a_result_of_another_type_fails_the_task(bench: Bench, declared: str, written: str, message: str) -> None:
    """It is said what was expected and what was found."""
    ended = bench.run(f"results: [{declared}]\n" + script(f"printf '%s' '{written}' > $(results.r.path)"))
    assert ended.reason == "TaskRunValidationFailed"
    assert message in ended.message


@pytest.mark.parametrize(
    "trick",
    [
        "ln -s /etc/passwd $(results.r.path)",
        "mkfifo $(results.r.path)",
        "mkdir $(results.r.path)",
        "rm -rf $(results.r.path); ln -s /proc/self/mem $(results.r.path)",
    ],
)
def test_a_result_that_is_no_plain_file_is_none(any_bench: Bench, trick: str) -> None:
    """The service follows no link and waits for no pipe."""
    ended = any_bench.run("results: [{name: r}]\n" + script(trick))
    assert ended.status == "True"
    assert ended.results == {}


def test_a_step_gets_a_clean_environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the service's own is in it."""
    monkeypatch.setenv("LOCKSTEP_DATABASE", "postgresql://secret")
    bench.run(script("env | sort"))
    names = [line.partition("=")[0] for line in bench.said().splitlines()]
    assert set(names) <= {"HOME", "LANG", "PATH", "PWD", "SHLVL", "TMPDIR", "_", "OLDPWD"}
    assert "secret" not in bench.said()


def test_what_a_step_has_loaded_is_not_loaded_into_what_runs_as_root(bench: Bench) -> None:
    """Its environment is the step's alone."""
    text = script("echo mine").replace("  image", "  env: [{name: LD_DEBUG, value: libs}]\n  image")
    bench.run(text)
    assert "enclosure" not in bench.said()
    assert "mine" in bench.said()


@pytest.mark.needs("root")
def test_a_step_that_breeds_is_bounded_and_ended_with_all_that_it_bred(any_bench: Bench) -> None:
    """It meets a limit of its own user, and the machine stays everybody else's."""
    mark = f"1618{os.getpid()}"
    bomb = f"""
#!/usr/bin/env python3
import os, sys, time
bred = 0
while True:
    try:
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "{mark}"])
    except OSError as error:
        print(bred > 8, error.strerror)
        sys.exit(3)
    bred += 1
"""
    any_bench.looked = replace(any_bench.looked, processes=64)
    ended = any_bench.run(script(bomb))
    assert ended.message == '"step-s" exited with code 3: Error'
    assert any_bench.said() == "True Resource temporarily unavailable\n"
    assert _alive(mark) == []


@pytest.mark.needs("root")
def test_steps_run_as_a_user_that_is_nobody_else(any_bench: Bench) -> None:
    """A private id for each run, no groups, no way back to root."""
    any_bench.run(script("id -u; id -G; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status"))
    number = str(61184 + RUN % 4336)
    assert any_bench.said().split() == [number, number, "CapEff:", "0" * 16, "NoNewPrivs:", "1"]


@pytest.mark.needs("root")
def test_a_step_cannot_reach_the_services_own_files_and_secrets(any_bench: Bench) -> None:
    """Neither the database, nor the token, nor the environment of the service, nor another run's folder."""
    state = any_bench.folder / "state"
    state.mkdir(mode=0o700)
    for name in ("lockstep.db", "token"):
        (state / name).write_text("secret")
        (state / name).chmod(0o600)
    (state / "git").mkdir(mode=0o755)
    (state / "git" / "config").write_text("secret")
    any_bench.run(
        script(
            f"""
cat {state}/lockstep.db {state}/token {state}/git/config
cat /proc/{os.getpid()}/environ /proc/1/environ
ls {state} {state}/runs {state}/runs/{RUN}
echo x > {state}/runs/{RUN}/evil
kill {os.getpid()}
su -c id root </dev/null
true
"""
        ).replace("set -e", "")
    )
    assert "secret" not in any_bench.said()
    assert "uid=0" not in any_bench.said()
    assert not (state / "runs" / str(RUN) / "evil").exists()


def test_what_is_hidden_is_empty_for_steps(tmp_path: Path, looked: Machine) -> None:
    """Folders and files, also where their own rights would let everybody in, and those that are hidden now."""
    if looked.view is View.NOTHING:
        pytest.skip("this machine gives steps no file system of their own")
    folder, file, late = tmp_path / "open", tmp_path / "open.key", tmp_path / "late.key"
    folder.mkdir(mode=0o777)
    for one in (folder / "file", file, late):
        one.write_text("secret")
        one.chmod(0o666)
    bench = Bench(folder=tmp_path, looked=machine.hiding(looked, [folder, file, tmp_path / "none"]), hidden=[late])
    text = f"#!/bin/sh\ncat {folder}/file\nls {folder}\ncat {file} {late}\necho end"
    assert bench.run(script(text)).status == "True"
    assert "secret" not in bench.said()


def test_what_a_step_mounts_in_a_hidden_folder_is_all_that_it_sees_there(tmp_path: Path, looked: Machine) -> None:
    """Tasks mount their caches in the home of root, and nothing else of it comes to light."""
    if looked.view is View.NOTHING:
        pytest.skip("this machine gives steps no file system of their own")
    home = tmp_path / "home"
    (home / "inner").mkdir(parents=True)
    (home / "key").write_text("secret")
    bench = Bench(folder=tmp_path, looked=machine.hiding(looked, [home]))
    mount = f"stepTemplate: {{volumeMounts: [{{name: v, mountPath: {home}/.m2}}]}}"
    spec = script(
        f"#!/bin/sh\necho mine > {home}/.m2/file\ncat {home}/.m2/file {home}/key {home}/inner/*\necho end",
        more=f"volumes: [{{name: v, emptyDir: {{}}}}]\n{mount}",
    )
    assert bench.run(spec).status == "True"
    assert bench.said().startswith("mine\n")
    assert bench.said().endswith("end\n")
    assert "secret" not in bench.said()


@pytest.mark.needs("root")
def test_links_that_a_step_leaves_do_not_lead_the_service_out(bench: Bench, tmp_path: Path) -> None:
    """A mount below a link, a subPath through a link: neither makes or changes anything elsewhere."""
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o777)
    bench.run(script(f"ln -s {outside} /workspace/link"))
    again = """
workspaces: [{name: w, mountPath: /workspace/link/deep}]
steps: [{name: s, image: i, script: "true"}]
"""
    from pipelines.orders import Folder

    bench.run(again, folders=[Folder(name="w", source="empty_dir")])
    assert list(outside.iterdir()) == []
    shared = Folder(name="w", source="volume_claim_template", volume="v")
    bench.run("workspaces: [{name: w}]\n" + script(f"ln -s {outside} /workspace/w/link"), folders=[shared], key="3-0")
    below = Folder(name="w", source="volume_claim_template", volume="v", sub_path="link/deep")
    ended = bench.run("workspaces: [{name: w}]\n" + script("true"), folders=[below], key="4-0")
    assert ended.reason == "TaskRunValidationFailed"
    assert list(outside.iterdir()) == []


def test_the_user_of_steps_may_be_named_and_is_never_root() -> None:
    """A name that nobody has is an error; without root there is nothing to choose."""
    if os.geteuid() != 0:
        assert machine.identity(1, "anything") is None
        return
    assert machine.identity(1, "") == children.Identity(uid=61185, gid=61185)
    assert machine.identity(4336, "") == children.Identity(uid=61184, gid=61184)
    assert machine.identity(1, "nobody") is not None
    for name in ("root", "no-such-user"):
        with pytest.raises(Exception, match=r"steps|root"):
            machine.identity(1, name)
