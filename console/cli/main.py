"""The ``lockstep`` command."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

import click

import lockstep
from console.cli import frame, interrupting, terminal
from lockstep import crash, errors

# Each command by the module that has it: a command pays for the imports that it needs, not for all.
COMMANDS = {
    "demo": "demo",
    "deploy": "deploy",
    "diff": "diff",
    "doctor": "doctor",
    "drift": "drift",
    "events": "events",
    "findings": "findings",
    "notify": "notify",
    "pair": "pair",
    "pipeline": "pipeline",
    "preflight": "preflight",
    "schema": "configuration",
    "serve": "serve",
    "sync": "sync",
    "validate": "configuration",
}


class Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """Every command by name."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"console.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(lockstep.__version__, prog_name="lockstep")
@frame.outermost
def group(**_outer: Path | str | float | None) -> None:
    """Keep every site of a Kubernetes platform in step, and prove it.

    \b
    Try it:      lockstep demo
    Check:       lockstep validate DIR
    Run it:      lockstep --config DIR serve
    Ask:         lockstep --config DIR drift
    """  # noqa: D301 - click looks for the sign itself, and a raw text would hold two


def main() -> None:
    """Run the command line and end the process with its exit code."""
    environ = frame.environment()
    interrupting.prepare()
    try:
        if point := environ.get("LOCKSTEP_CRASH_AT"):
            crash.arm(point)
        code = group.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        code = frame.Exit.USAGE
    except click.exceptions.Exit as error:
        code = error.exit_code
    except frame.CommandError as error:
        error.show()
        code = error.code
    except (click.Abort, KeyboardInterrupt):
        code = interrupting.CODE
    except (errors.InputError, errors.NotFoundError) as error:
        # A wrong name, a wrong file: for whoever called to correct.
        frame.CommandError(error, frame.Exit.USAGE).show()
        code = frame.Exit.USAGE
    except errors.LockstepError as error:
        frame.CommandError(error, frame.Exit.UNEXPECTED).show()
        code = frame.Exit.UNEXPECTED
    except BrokenPipeError:
        sys.stderr.close()
        code = frame.Exit.DONE
    except Exception:  # noqa: BLE001 - the last place that can keep a bug from looking like a verdict
        traceback.print_exc()
        terminal.say("Please report it with the lines above.", lead="This is a mistake in Lockstep.", style="bold red")
        code = frame.Exit.UNEXPECTED
    sys.exit(int(code or 0))
