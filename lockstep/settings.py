"""Settings of one process, one frozen dataclass for each concern, passed in and never global.

Every field has a default, a unit in its name and a sentence. What belongs to the installation (sites,
mirrors, rules) is configuration, not a setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where this process keeps its own things."""

    config: Path
    """The configuration directory."""
    state: Path
    """Caches of git repositories, workspaces of runs, the token file: mode 0700."""
    database: str
    """URL of the database."""

    @property
    def caches(self) -> Path:
        """Bare git repositories, one for each mirrored repository."""
        return self.state / "git"

    @property
    def built(self) -> Path:
        """Images between being built and being pushed."""
        return self.state / "built"

    @property
    def uploads(self) -> Path:
        """Uploads to registries that were begun and not ended: mode 0700."""
        return self.state / "uploads"

    @property
    def key(self) -> Path:
        """The root key of this installation's own secrets; processes on several machines need a copy of it."""
        return self.state / "key"

    @property
    def token(self) -> Path:
        """The token that signs people in: mode 0600."""
        return self.state / "token"

    @property
    def workspaces(self) -> Path:
        """Workspaces of runs."""
        return self.state / "runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """How jobs are worked on."""

    threads: int = 8
    """Jobs at once in one process."""
    lease_seconds: float = 20.0
    """After this without a heartbeat anybody may take a job over."""
    heartbeat_seconds: float = 5.0
    """How often leases are extended."""
    poll_seconds: float = 0.2
    """How often an idle worker looks for work."""
    backoff_seconds: float = 2.0
    """Wait before the first retry; doubled each time."""
    longest_backoff_seconds: float = 300.0
    """Bound of that doubling."""
    most_crashes: int = 3
    """A job that killed its worker this often is set aside."""
    limits: Mapping[str, int] = field(
        default_factory=lambda: {
            "repository": 1,
            "mirror": 1,
            "images": 1,
            "trigger": 1,
            "task": 1,
            "scan": 1,
            "source": 8,
            "heal": 1,
            "tell": 1,
            "channel": 1,
        }
    )
    """Jobs at once under one key, by the part before its colon; 1 for a part that is not named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeping:
    """How often everything is looked at, whatever events say. Seconds."""

    git_seconds: float = 60.0
    """Repositories whose mirror's interval has passed."""
    images_seconds: float = 60.0
    """Images whose mirror's interval has passed."""
    drift_seconds: float = 60.0
    """Applications."""
    runs_seconds: float = 5.0
    """Timeouts of runs."""
    stances_seconds: float = 30.0
    """What the sites remember of the stances of their pairs."""
    notices_seconds: float = 30.0
    """What people are to be told although nobody says when it happens."""
    store_seconds: float = 3600.0
    """What has been over for long, and is removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long what is over stays in the database. Days."""

    jobs_days: float = 7.0
    """Jobs that were done, were cancelled or left their work to another one."""
    troubled_jobs_days: float = 90.0
    """Jobs that failed or were set aside: so long people see them, and can queue them again."""
    messages_days: float = 30.0
    """Messages that were sent or given up."""
    deliveries_days: float = 30.0
    """Deliveries that were worked off, with their bodies. One that is sent again after that counts as new."""
    runs_days: float = 180.0
    """Runs that ended, with their tasks, logs and answers; the newest of each application stays."""
    findings_days: float = 400.0
    """Findings that are resolved: whoever looks back over a year sees all of it. One that is back after that is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepping:
    """How steps of local runs are executed."""

    user: str = ""
    """Unprivileged user for steps when the service runs as root; a private id for each run when empty."""
    log_bytes: int = 4 * 2**20
    """Kept log of one step; the middle of a longer one is cut."""
    result_bytes: int = 64 * 2**10
    """Largest results of one task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """How large a directory may become an image's layer."""

    most_files: int = 100_000
    """Files, directories and links."""
    most_bytes: int = 4 * 2**30
    """Their contents together, before compression."""
    scratch: Path | None = None
    """Where a layer is kept until its digest is known; the system's directory for temporary files by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How pages are served."""

    names: tuple[str, ...] = ()
    """Names by which people and forges reach it, in lower case; any when there are none. Addresses always do."""
    url: str = ""
    """Where people reach the pages, such as ``https://lockstep.bank.example``: links in messages; none when empty."""
    https: bool = False
    """People reach the pages by https, through a proxy in front: cookies are sent by nothing else."""
    metrics_token: bool = False
    """Whether ``/metrics`` asks for the token as a bearer; it names applications and sites."""
    session_hours: float = 12.0
    """After this a person signs in again."""
    stale_seconds: float = 900.0
    """Evidence older than this is shown as stale, whatever it said."""
    rows: int = 50
    """Rows of one page of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that one process needs to know about itself."""

    places: Places
    working: Working = field(default_factory=Working)
    sweeping: Sweeping = field(default_factory=Sweeping)
    keeping: Keeping = field(default_factory=Keeping)
    stepping: Stepping = field(default_factory=Stepping)
    building: Building = field(default_factory=Building)
    serving: Serving = field(default_factory=Serving)
