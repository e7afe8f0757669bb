"""``lockstep serve``: the service."""

from __future__ import annotations

import logging
from pathlib import Path

import click
from rich.logging import RichHandler

from console import hosts, runtime, service
from console.cli import frame, records, terminal
from lockstep import settings
from lockstep.topology import urls

_KEEPING = settings.Keeping()


@click.command(epilog="Example: lockstep --config /etc/lockstep serve --listen 0.0.0.0:8484")
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:8484", show_default=True, help="Where pages and hooks are."
)
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64), help="Jobs at once.")
@click.option(
    "--lease",
    metavar="SECONDS",
    default=20.0,
    show_default=True,
    type=click.FloatRange(1.0, 600.0),
    help="A job of a process that was silent for this long is taken over.",
)
@click.option(
    "--name",
    "names",
    metavar="HOST",
    multiple=True,
    help="A name by which people and forges reach it, such as a proxy's; others are refused.  [default: localhost on "
    "the loopback, else any]",
)
@click.option(
    "--url",
    default="",
    metavar="URL",
    help="Where people reach the pages, such as https://lockstep.bank.example: messages link to it.",
)
@click.option("--https", is_flag=True, help="People come by https, through a proxy: cookies are sent by nothing else.")
@click.option("--metrics-token", is_flag=True, help="/metrics asks for the token as a bearer.")
@click.option(
    "--keep-runs",
    metavar="DAYS",
    default=_KEEPING.runs_days,
    show_default=True,
    type=click.FloatRange(1.0, 36_500.0),
    help="Runs are removed so long after they ended, but for the newest of each application.",
)
@click.option(
    "--keep-findings",
    metavar="DAYS",
    default=_KEEPING.findings_days,
    show_default=True,
    type=click.FloatRange(1.0, 36_500.0),
    help="Findings are removed so long after they were resolved.",
)
@frame.common
@frame.placed
def serve(
    places: frame.Frame,
    *,
    listen: str,
    threads: int,
    lease: float,
    names: tuple[str, ...],
    url: str,
    https: bool,
    metrics_token: bool,
    keep_runs: float,
    keep_findings: float,
) -> int:
    """Receive, work, schedule and show: the whole service in one process, until SIGTERM or Ctrl-C.

    At the first start a token is made and printed once; it signs people in.
    """
    host, _, port = listen.rpartition(":")
    if not port.isdecimal():
        raise click.UsageError(f"--listen {listen} is no HOST:PORT.")
    if url and not _is_url(url):
        raise click.UsageError(f"--url {url} is no http or https URL.")
    host = host.strip("[]") or "127.0.0.1"
    _log_to_stderr()
    chosen = settings.Settings(
        places=places.places,
        working=settings.Working(threads=threads, lease_seconds=lease, heartbeat_seconds=lease / 4),
        keeping=settings.Keeping(runs_days=keep_runs, findings_days=keep_findings),
        serving=settings.Serving(
            names=hosts.of_listening(host, names),
            url=url.rstrip("/"),
            https=https,
            metrics_token=metrics_token,
            stale_seconds=places.stale_seconds,
        ),
    )
    with runtime.opened(chosen, places.environ) as opened:
        token = places.places.token
        service.serve(
            opened,
            host=host,
            port=int(port),
            ready=lambda started: _say_ready(started, token),
        )
    return frame.Exit.DONE


def _is_url(text: str) -> bool:
    try:
        return bool(urls.http_url(text))
    except ValueError:
        return False


def _say_ready(started: service.Started, token: Path) -> None:
    terminal.say(started.url, lead="Lockstep serves at", style="bold")
    # Where nobody is looking, stderr is a log, and a token has no place there.
    if started.new_token and terminal.err().is_terminal:
        terminal.say(started.new_token, lead="The token, shown this once:", style="bold")
    elif started.new_token:
        terminal.say(f"The token that signs people in was made: it is in {token}.")


def _log_to_stderr() -> None:
    handler: logging.Handler
    console = terminal.err()
    if console.is_terminal:
        handler = RichHandler(console=console, show_path=False)
        handler.setFormatter(records.OneRecord("%(message)s"))
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(records.OneRecord("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for chatty in ("waitress", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
