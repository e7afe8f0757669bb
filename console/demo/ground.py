"""The ground of the demo: a directory with a configuration, three sites, a forge and a clone to work in.

::

    DIR/config/      the configuration, a copy of the example's
    DIR/lockstep     the command line of this installation, with this configuration and state
    DIR/forge/       bare repositories with a hook that posts each push to Lockstep, signed as GitHub does
    DIR/secrets/     the secret that the forge and Lockstep share
    DIR/sites/       seoul/ sejong/ daegu/, filled by Lockstep alone
    DIR/state/       Lockstep's own: database, caches, token
    DIR/work/        a clone of the application, as a developer has it
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from console.demo import foreign, forge

SITES = ("seoul", "sejong", "daegu")
_EXAMPLE = "shop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where everything of one demo is."""

    directory: Path
    application: str

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.directory / "config"

    @property
    def state(self) -> Path:
        """Lockstep's own things."""
        return self.directory / "state"

    @property
    def forge(self) -> Path:
        """The forge's bare repository of the application."""
        return self.directory / "forge" / f"{self.application}.git"

    @property
    def work(self) -> Path:
        """The developer's clone."""
        return self.directory / "work" / self.application

    @property
    def command(self) -> Path:
        """The command line as one program, wherever the reader stands."""
        return self.directory / "lockstep"

    @property
    def is_example(self) -> bool:
        """Whether the application is the example's, whose files are known."""
        return self.application == _EXAMPLE

    def site(self, name: str) -> Path:
        """A site's directory."""
        return self.directory / "sites" / name


def example() -> Path:
    """The example application and configuration, from the installed package or from the source tree."""
    packed = Path(str(resources.files("console"))) / "examples" / "shop"
    return packed if packed.is_dir() else Path(__file__).resolve().parents[2] / "examples" / "shop"


def prepare(directory: Path, *, app: Path | None) -> tuple[Ground, bool]:
    """Make the ground, or find it as an earlier demo left it.

    Args:
        directory: Where; it is made when it is not there.
        app: A directory of manifests or a kustomization to deliver instead of the example.

    Returns:
        The ground, and whether it is new.

    Raises:
        ValueError: The directory holds something else, or ``app`` cannot be used; the message says what to do.
    """
    marker = directory / "demo"
    if marker.is_file():
        return Ground(directory=directory, application=marker.read_text(encoding="utf-8").strip()), False
    if directory.exists() and any(directory.iterdir()):
        raise ValueError(f"{directory} is not empty and is no demo; name another directory")
    ground = Ground(directory=directory, application=foreign.name_of(app) if app else _EXAMPLE)
    # A site's directory that is not there is an unmounted disk, not an empty site: the ends are made here.
    ends = (ground.site(name) / end for name in SITES for end in ("git", "registry", "cluster", "archive"))
    for folder in (ground.work.parent, ground.forge.parent, *ends):
        folder.mkdir(parents=True)
    shutil.copytree(example() / "configuration", ground.config)
    _share_secret(directory / "secrets")
    forge.make(ground.forge)
    forge.clone(ground.forge, ground.work)
    if app:
        foreign.adopt(app, work=ground.work, config=ground.config, name=ground.application)
    else:
        shutil.copytree(example() / "application", ground.work, dirs_exist_ok=True)
    marker.write_text(f"{ground.application}\n", encoding="utf-8")
    return ground, True


def _share_secret(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    secret = folder / "forge"
    secret.touch(mode=0o600)
    secret.write_text(secrets.token_urlsafe(32), encoding="utf-8")
