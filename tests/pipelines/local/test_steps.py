"""Steps run one after another as Tekton's documents say, with and without a file system of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.local.machine import View
from pipelines.orders import Folder
from tests.support.benches import Bench, script


def test_steps_share_what_a_task_shares_and_hand_on_results(any_bench: Bench) -> None:
    """The workspace of the task, its results byte for byte, and the words for success."""
    ended = any_bench.run(
        """
results: [{name: text}, {name: list, type: array}, {name: map, type: object, properties: {k: {}}}, {name: silent}]
steps:
- {name: one, image: busybox, script: "echo from one > file"}
- name: two
  image: busybox
  script: |
    cat file | tee $(results.text.path)
    printf '["a","b"]' > $(results.list.path)
    printf '{"k":"v"}' > $(results.map.path)
"""
    )
    assert (ended.status, ended.reason, ended.message) == ("True", "Succeeded", "All Steps have completed executing")
    assert ended.results == {"text": "from one\n", "list": ("a", "b"), "map": {"k": "v"}}
    assert any_bench.record.reasons == ["Completed", "Completed"]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ('script: "echo $0 | grep -c script"', "1\n"),
        ('script: "#!/usr/bin/env python3\\nprint(6*7)"', "42\n"),
        ('script: "printf \'%s,\' \\"$@\\""\n  args: [a, "b c", "$(params.l[*])"]', "a,b c,v,w,"),
        ('command: [echo, "$(params.p)"]\n  args: ["$(params.l[1])"]', "it's w\n"),
        ('args: [-c, "echo entrypoint"]', "entrypoint\n"),
        (
            (
                'script: "echo $A-$B-$C"\n'
                '  env: [{name: A, value: "1"}, {name: B, value: "$(A)2"}, {name: C, value: "$$(A)"}]'
            ),
            "1-12-$(A)\n",
        ),
        ('command: [sh, -c, "echo $(HOME) $(NOTHING)"]', None),
        ("script: \"echo '$(params.p)' || true\"", None),
        (
            'script: "echo $(context.task.name) $(context.taskRun.name) $(context.task.retry-count)"',
            "task walk-task 0\n",
        ),
        ('script: "pwd"\n  workingDir: /usr', "/usr\n"),
    ],
)
def test_a_step_runs_what_it_says(any_bench: Bench, step: str, said: str | None) -> None:
    """Scripts with and without an interpreter, arguments, commands, the image's own program, environment, folder."""
    params = "params: [{name: p, default: it's}, {name: l, type: array, default: [v, w]}]"
    ended = any_bench.run(f"{params}\nsteps:\n- name: s\n  image: busybox\n  {step}\n")
    if said is not None:
        assert any_bench.said() == said
        assert ended.status == "True"


def test_a_param_in_a_script_is_not_escaped_and_one_in_the_environment_need_not_be(any_bench: Bench) -> None:
    """That is Tekton's rule, and why values from outside go through env."""
    text = "params: [{name: p}]\n" + script('echo "[$(params.p)]"; echo "[$P]"').replace(
        "  image", "  env: [{name: P, value: $(params.p)}]\n  image"
    )
    any_bench.run(text, params={"p": '"; echo injected; : "'})
    assert any_bench.said() == '[\ninjected\n["; echo injected; : "]\n'


@pytest.mark.parametrize(
    ("how", "code", "reason", "message"),
    [
        ("exit 3", 3, "Error", '"step-s" exited with code 3: Error'),
        ("kill -9 $$", 137, "Error", '"step-s" exited with code 137: Error'),
        ("no-such-program", 127, "Error", '"step-s" exited with code 127: Error'),
        ("false; echo not reached", 1, "Error", '"step-s" exited with code 1: Error'),
    ],
)
def test_a_step_that_fails_fails_the_task_and_skips_the_rest(
    any_bench: Bench, how: str, code: int, reason: str, message: str
) -> None:
    """Results that were written before are kept all the same."""
    ended = any_bench.run(
        "results: [{name: r}]\n"
        + script(f"printf x > $(results.r.path)\n{how}")
        + "- {name: next, image: i, script: echo}\n"
    )
    assert (ended.status, ended.reason, ended.message) == ("False", "StepFailed", message)
    assert ended.results == {"r": "x"}
    assert any_bench.record.reasons == [reason, "Skipped"]
    assert [state.exit_code for state in any_bench.record.states if state.ended_at] == [code, 1]


def test_a_step_may_fail_and_later_ones_see_how(any_bench: Bench) -> None:
    """``onError: continue`` keeps the exit code in a file."""
    ended = any_bench.run(
        """
steps:
- {name: lint, image: i, onError: continue, script: exit 7}
- {name: s, image: i, script: "cat $(steps.step-lint.exitCode.path)"}
"""
    )
    assert ended.status == "True"
    assert any_bench.said() == "7"
    assert any_bench.record.reasons == ["Continued", "Completed"]


def test_a_step_whose_condition_does_not_hold_is_skipped(any_bench: Bench) -> None:
    """It counts as success, and reads the results of earlier steps."""
    ended = any_bench.run(
        """
steps:
- {name: ask, image: i, results: [{name: r}], script: "printf no > $(step.results.r.path)"}
- {name: s, image: i, when: [{input: $(steps.ask.results.r), operator: in, values: ["yes"]}], script: exit 1}
- {name: last, image: i, env: [{name: R, value: $(steps.ask.results.r)}], script: "echo $R"}
"""
    )
    assert ended.status == "True"
    assert any_bench.record.reasons == ["Completed", "Skipped", "Completed"]
    assert any_bench.said("step-last") == "no\n"


def test_a_task_hands_on_results_of_its_steps(any_bench: Bench) -> None:
    """``results[].value`` names a step's result."""
    ended = any_bench.run(
        """
results: [{name: out, value: $(steps.s.results.r)}, {name: lost, value: $(steps.s.results.nothing)}]
steps: [{name: s, image: i, results: [{name: r}], script: "printf here > $(step.results.r.path)"}]
"""
    )
    assert ended.results == {"out": "here"}


def test_a_template_stands_under_every_step(any_bench: Bench) -> None:
    """The step's own fields win; environment is merged by name."""
    any_bench.run(
        """
stepTemplate: {image: busybox, env: [{name: A, value: template}, {name: B, value: template}]}
steps: [{name: s, env: [{name: B, value: own}], script: "echo $A $B"}]
"""
    )
    assert any_bench.said() == "template own\n"


def test_a_step_may_name_a_stepaction(any_bench: Bench) -> None:
    """It sees its own params only, defaults that name others, and results of earlier steps as values."""
    ended = any_bench.run(
        """
params: [{name: who, default: the task}]
steps:
- {name: ask, image: i, results: [{name: r}], script: "printf earlier > $(step.results.r.path)"}
- {name: s, ref: {name: greet}, params: [{name: word, value: $(steps.ask.results.r)}]}
""",
        step_actions={
            "greet": """
params: [{name: word}, {name: who, default: "$(params.word)-friend"}]
results: [{name: greeting}]
image: busybox
env: [{name: WORD, value: $(params.word)}, {name: WHO, value: $(params.who)}]
script: echo "$WORD $WHO" | tee $(step.results.greeting.path)
"""
        },
    )
    assert ended.status == "True"
    assert any_bench.said() == "earlier earlier-friend\n"


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        ("steps: [{name: s, ref: {name: none}}]", "TaskRunResolutionFailed", "none"),
        ("workspaces: [{name: w}]\nsteps: [{name: s, image: i, script: x}]", "TaskRunValidationFailed", "[w]"),
        ("steps: [{name: s, image: some/thing}]", "TaskRunValidationFailed", "write a command"),
        (
            "steps: [{name: s, image: i, script: x, volumeMounts: [{name: v, mountPath: /v}]}]",
            "TaskRunValidationFailed",
            "nothing is said",
        ),
        (
            "volumes: [{name: v, hostPath: {path: /}}]\nsteps: [{name: s, image: i, script: x}]",
            "TaskRunValidationFailed",
            "not to be had here",
        ),
        (
            "steps: [{name: s, image: i, script: x, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]",
            "TaskRunValidationFailed",
            'needs the Secret "s/k"',
        ),
        ("steps: [{name: s, image: i, script: x, stdoutConfig: {path: f}}]", "TaskRunValidationFailed", "stdoutConfig"),
    ],
)
def test_what_cannot_be_had_here_is_said(bench: Bench, spec: str, reason: str, message: str) -> None:
    """Before anything runs, with what to do instead."""
    ended = bench.run(spec)
    assert (ended.status, ended.reason) == ("False", reason)
    assert message in ended.message


def test_workspaces_are_where_tekton_puts_them_or_where_variables_say(any_bench: Bench) -> None:
    """Own and shared ones, with a path of their own, below another folder, and one that is not bound."""
    text = "workspaces: [{name: own}, {name: shared, mountPath: /srv/shared}, {name: none, optional: true}]\n" + script(
        """
echo x > $(workspaces.own.path)/f
echo y > $(workspaces.shared.path)/g
echo "$(workspaces.own.path) $(workspaces.shared.path) [$(workspaces.none.path)] $(workspaces.none.bound)"
"""
    )
    folders = [
        Folder(name="own", source="empty_dir", binding={"name": "own", "emptyDir": {}}),
        Folder(name="shared", source="volume_claim_template", volume="template-shared", sub_path="a/b"),
    ]
    assert any_bench.run(text, folders=folders).status == "True"
    run = any_bench.folder / "state" / "runs" / "4242"
    assert (run / "volumes" / "template-shared" / "a" / "b" / "g").read_text() == "y\n"
    if any_bench.looked.view is not View.NOTHING:
        assert any_bench.said() == "/workspace/own /srv/shared [] false\n"


def test_a_shared_workspace_is_one_folder_for_all_tasks_of_a_run(bench: Bench) -> None:
    """What one task wrote, the next one reads; an emptyDir is each task's own."""
    folders = [
        Folder(name="shared", source="volume_claim_template", volume="template-shared"),
        Folder(name="own", source="empty_dir"),
    ]
    spec = "workspaces: [{name: shared}, {name: own}]\n"
    bench.run(spec + script("touch /workspace/shared/seen /workspace/own/seen"), folders=folders, key="1-0")
    bench.run(spec + script("ls /workspace/shared /workspace/own"), folders=folders, key="2-0")
    assert bench.said() == "/workspace/own:\n\n/workspace/shared:\nseen\n"


def test_configmaps_and_secrets_that_were_given_are_files_and_variables(bench: Bench) -> None:
    """Whole, by key, by path, and as environment."""
    bench.keys = {("ConfigMap", "c"): {"a": b"1", "b": b"2"}, ("Secret", "s"): {"token": b"hush"}}
    binding = {"name": "w", "configMap": {"name": "c", "items": [{"key": "b", "path": "deep/two"}]}}
    text = "workspaces: [{name: w}]\nvolumes: [{name: v, secret: {secretName: $(params.which)}}]\n" + script(
        'cat /workspace/w/deep/two /sec/token; echo "$A $token"'
    ).replace(
        "  image",
        "  volumeMounts: [{name: v, mountPath: /sec}]\n  envFrom: [{secretRef: {name: s}}]\n"
        "  env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: a}}}]\n  image",
    )
    folders = [Folder(name="w", source="config_map", binding=binding)]
    ended = bench.run("params: [{name: which, default: s}]\n" + text, folders=folders)
    assert ended.status == "True", bench.record.logs
    assert bench.said() == "2hush1 hush\n"


def test_a_sidecar_runs_beside_the_steps_and_is_ended_after_them(bench: Bench) -> None:
    """It has started before the first step, and a shared volume lets the two talk."""
    ended = bench.run(
        """
volumes: [{name: shared, emptyDir: {}}]
sidecars:
- name: server
  image: i
  volumeMounts: [{name: shared, mountPath: /shared}]
  readinessProbe: {exec: {command: [test, -f, /shared/ready]}, periodSeconds: 1}
  script: "echo up > /shared/ready; exec sleep 1000"
steps: [{name: s, image: i, script: cat /shared/ready, volumeMounts: [{name: shared, mountPath: /shared}]}]
"""
    )
    assert ended.status == "True"
    assert bench.said() == "up\n"


def test_a_sidecar_that_breaks_is_named_first_when_a_step_fails(bench: Bench) -> None:
    """It is the likelier cause; a task whose steps succeed does not mind."""
    spec = "sidecars: [{name: broken, image: i, script: exit 4}]\n"
    failed = bench.run(spec + script("exit 1"))
    assert (failed.reason, failed.message) == ("SidecarFailed", '"sidecar-broken" exited with code 4: Error')
    assert bench.run(spec + script("true"), key="2-0").status == "True"


def test_only_the_steps_that_name_a_workspace_see_it(bench: Bench) -> None:
    """Isolation inside a task, at a path of the step's own."""
    ended = bench.run(
        """
workspaces: [{name: creds}]
steps:
- {name: a, image: i, script: test -d /creds, workspaces: [{name: creds, mountPath: /creds}]}
- {name: b, image: i, script: test ! -e /workspace/creds}
""",
        folders=[Folder(name="creds", source="empty_dir")],
    )
    assert ended.status == "True"


def test_steps_that_have_ended_are_not_run_again(bench: Bench, tmp_path: Path) -> None:
    """After a crash the attempt goes on where it stopped, with the results of what had ended."""
    spec = """
steps:
- {name: one, image: i, results: [{name: r}], script: "echo ran >> /workspace/log; printf v > $(step.results.r.path)"}
- {name: s, image: i, env: [{name: R, value: $(steps.one.results.r)}], script: "cat /workspace/log; echo $R"}
"""
    bench.run(spec)
    first = bench.record.states[1]
    bench.record.before = [first]
    bench.record.states = []
    bench.run(spec)
    assert [state.name for state in bench.record.states if state.ended_at] == ["s"]
    assert bench.said() == "ran\nv\n" * 2


def test_steps_run_again_from_the_first_when_their_folders_are_gone(bench: Bench) -> None:
    """What had ended left its traces in folders that are not here: another machine has them."""
    spec = script("echo again")
    bench.run(spec)
    bench.record.before = [bench.record.states[-1]]
    bench.run(spec, key="other")
    assert bench.said() == "again\nagain\n"


def test_the_view_that_was_used_is_told(any_bench: Bench) -> None:
    """Whoever reads the run can see whether its steps had a file system of their own."""
    assert any_bench.run(script("true")).view is any_bench.looked.view
