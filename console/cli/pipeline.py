"""``lockstep pipeline``: run Tekton files here, and look at, answer and stop the runs of the service."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from console.actions import Actions
from console.cli import acting, frame, showing, terminal
from lockstep import errors
from lockstep.store import logs, runs
from lockstep.values import Json
from pipelines import standalone, status

_COULD_NOT = 2


@click.group()
def pipeline() -> None:
    """Run pipelines, and look at, answer and stop runs."""


@pipeline.command(epilog="Example: lockstep pipeline run -f pipeline.yaml -p revision=main -o yaml")
@click.option(
    "-f", "files", multiple=True, required=True, metavar="FILE", type=click.Path(path_type=Path), help="Tekton files."
)
@click.option("-p", "params", multiple=True, metavar="NAME=VALUE", help="A param.")
@click.option("--approve-as", default="", metavar="NAME", help="Answer every approval in this name.")
@frame.output("log", "json", "yaml")
def run(*, files: tuple[Path, ...], params: tuple[str, ...], approve_as: str, form: str) -> int:
    """Run Tekton documents on this machine, with no configuration and no service.

    Exit codes: 0 the condition Succeeded is True, 1 it is not, 2 it could not be run.
    """
    wishes = standalone.Wishes(params=_pairs(params), approve_as=approve_as)

    def show(line: standalone.Line) -> None:
        about = f"[{line.task}/{line.step}] " if line.task else ""
        terminal.err().print(Text(terminal.safe(f"{about}{line.text}")), end="", soft_wrap=True)

    try:
        ended = standalone.run_files(files, wishes, show=show)
    except errors.LockstepError as error:
        raise frame.CommandError(error, _COULD_NOT) from error
    objects = [one.object for one in ended]
    written: Json = objects[0] if len(objects) == 1 else {"apiVersion": "v1", "kind": "List", "items": objects}
    if form == "json":
        frame.write_json(written)
    elif form == "yaml":
        frame.write_yaml(written)
    else:
        for one in objects:
            condition = one["status"]["conditions"][0]
            name = one["metadata"]["name"]
            terminal.write(f"{name}: {condition['reason']}: {condition['message']}")
    return 0 if all(one.succeeded for one in ended) else 1


@pipeline.command(epilog="Example: lockstep pipeline start pay --revision 4be1d9c")
@click.argument("application")
@click.option("--revision", default="", metavar="COMMIT", help="This commit.  [default: the branch's, as mirrored]")
@click.option("-p", "params", multiple=True, metavar="NAME=VALUE", help="A param over the application's own.")
@click.option("--by", default="", metavar="NAME", help="Who starts it.  [default: you]")
@click.option("--wait", is_flag=True, help="Follow it until it ends or waits.")
@frame.common
@frame.output("table", "json")
@frame.placed
def start(places: frame.Frame, application: str, **given: str | bool | tuple[str, ...]) -> int:
    """Start the pipeline of APPLICATION."""
    with acting.opened(places) as process:
        params = given["params"] if isinstance(given["params"], tuple) else ()
        name = Actions(process).start(
            application, by=str(given["by"] or acting.me()), revision=str(given["revision"]), params=_pairs(params)
        )
        if given["wait"] or not process.served_elsewhere():
            return showing.follow(process, name, str(given["form"]))
        return _show(showing.look(process, name), str(given["form"]))


@pipeline.command("runs", epilog="Example: lockstep pipeline runs --application pay")
@click.option("--application", default="", metavar="NAME", help="Of this application only.")
@click.option("--most", default=20, show_default=True, type=click.IntRange(1, 500), help="How many.")
@frame.common
@frame.output("table", "json")
@frame.placed
def list_runs(places: frame.Frame, *, application: str, most: int, form: str) -> int:
    """The newest runs, the newest first."""
    with acting.opened(places) as process:
        with process.database.read() as connection:
            wanted = runs.Filter(application=application)
            names = [one.name for one in runs.page(connection, wanted, limit=most)]
        found = [showing.look(process, name) for name in names]
    if form == "json":
        frame.write_json([showing.as_json(one) for one in found])
    else:
        showing.write_table(found)
    return frame.Exit.DONE


@pipeline.command(epilog="Example: lockstep pipeline show pay-x7k2p -o yaml")
@click.argument("name")
@frame.common
@frame.output("table", "json", "yaml")
@frame.placed
def show(places: frame.Frame, name: str, *, form: str) -> int:
    """One run: as a table, as JSON with what built-in tasks show, or as Tekton's own YAML."""
    with acting.opened(places) as process:
        found = showing.look(process, name)
        if form != "yaml":
            return _show(found, form)
        with process.database.read() as connection:
            shown = status.read(connection, found.run.id)
    frame.write_yaml(status.as_object(shown))
    return frame.Exit.DONE


@pipeline.command("logs", epilog="Example: lockstep pipeline logs pay-x7k2p")
@click.argument("name")
@frame.common
@frame.placed
def show_logs(places: frame.Frame, name: str) -> int:
    """The log of a run, as far as it is."""
    with acting.opened(places) as process:
        found, last = showing.look(process, name), 0
        names = {one.id: one.pipeline_task for one in found.tasks}
        while True:
            with process.database.read() as connection:
                pieces = logs.of_run(connection, found.run.id, after=last)
            if not pieces:
                return frame.Exit.DONE
            for piece in pieces:
                click.echo(f"[{names[piece.task]}/{piece.step}] {piece.text}", nl=False)
            last = pieces[-1].id


def _answering(name: str, approve: bool, about: str) -> click.Command:
    @pipeline.command(name, help=about, epilog=f"Example: lockstep pipeline {name} pay-x7k2p --by kim --comment ok")
    @click.argument("run")
    @click.option("--by", required=True, metavar="NAME", help="Who answers.")
    @click.option("--comment", default="", metavar="TEXT", help="Why.")
    @frame.common
    @frame.output("table", "json")
    @frame.placed
    def answer(places: frame.Frame, run: str, *, by: str, comment: str, form: str) -> int:
        try:
            with acting.opened(places) as process:
                question = Actions(process).decide_run(run, by=by, approve=approve, comment=comment)
                if not process.served_elsewhere():
                    return showing.follow(process, run, form)
                found = showing.look(process, run)
        except errors.LockstepError as error:
            raise frame.CommandError(error, 1) from error
        terminal.say(f"{by} {'approved' if approve else 'rejected'}: {question}")
        return _show(found, form) if form == "json" else frame.Exit.DONE

    command: click.Command = answer
    return command


_answering("approve", approve=True, about="Approve what the run RUN asks. Exit code 1 when it is refused.")
_answering("reject", approve=False, about="Reject what the run RUN asks; the run fails.")


@pipeline.command(epilog="Example: lockstep pipeline cancel pay-x7k2p")
@click.argument("name")
@click.option("--by", default="", metavar="NAME", help="Who.  [default: you]")
@frame.common
@frame.placed
def cancel(places: frame.Frame, name: str, *, by: str) -> int:
    """Stop a run; its finally tasks still run."""
    with acting.opened(places) as process:
        Actions(process).cancel(name, by=by or acting.me())
        acting.until(process, lambda: showing.look(process, name).run.ended)
    terminal.say(f"{name} was cancelled.")
    return frame.Exit.DONE


@pipeline.command(epilog="Example: lockstep pipeline rerun pay-x7k2p")
@click.argument("name")
@click.option("--by", default="", metavar="NAME", help="Who.  [default: you]")
@frame.common
@frame.output("table", "json")
@frame.placed
def rerun(places: frame.Frame, name: str, *, by: str, form: str) -> int:
    """Start a run again, from the documents that it was started with."""
    with acting.opened(places) as process:
        new = Actions(process).rerun(name, by=by or acting.me())
        if not process.served_elsewhere():
            return showing.follow(process, new, form)
        return _show(showing.look(process, new), form)


def _show(found: showing.Look, form: str) -> int:
    if form == "json":
        frame.write_json(showing.as_json(found))
    else:
        showing.write_table([found])
        for one in found.tasks:
            terminal.write(f"  {one.pipeline_task}: {one.reason} {one.message}".rstrip())
    return frame.Exit.DONE


def _pairs(lines: tuple[str, ...]) -> dict[str, str]:
    for line in lines:
        if "=" not in line:
            raise click.UsageError(f"{line!r} is no NAME=VALUE.")
    return dict(line.split("=", 1) for line in lines)
