"""One repository at one place: a forge, a site's server, or a bare repository on disk."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from pydantic import TypeAdapter, ValidationError

from lockstep import children, errors
from lockstep.sites import disk, ends
from lockstep.sites.git import failures, leftovers, locks, names, process
from lockstep.sites.git.access import Access, Patience, environment, scheme_of
from lockstep.sites.git.forge import Forge
from lockstep.sites.git.lfs import opening
from lockstep.sites.line import Pace
from lockstep.topology import scalars

_URL: TypeAdapter[str] = TypeAdapter(scalars.GitUrl)
# What a repository of another user must not make us run while it receives a push. Its own configuration
# would win over ours everywhere but here (git-config(1), "SCOPES": command).
_DISARMED = "git -c core.hooksPath=/dev/null -c core.alternateRefsCommand=true -c core.fsmonitor=false receive-pack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A repository by its URL or by its directory; implements ``ends.GitRemote``."""

    location: str
    """What git is given: a URL, or an absolute path."""
    access: Access = field(default_factory=Access)
    patience: Patience = field(default_factory=Patience)
    trusts: tuple[str, ...] = ()
    """Other hosts that its server may send us to although their addresses are private: for large files."""
    forge: Forge | None = None
    """The API of its server, where it has one that is known."""
    pace: Pace | None = None
    """How fast bytes may go to its server; as fast as it takes them without."""

    def __post_init__(self) -> None:
        if not _is_address(self.location):
            raise errors.InputError(
                f"{self.address} is no address that git may use.",
                remedy="Write an absolute path, or an https, http, ssh or file URL without a password in it.",
            )
        if self.scheme == "ssh" and not self.access.known_hosts:
            raise errors.InputError(
                f"There is no host key for {self.address}.",
                remedy="Give it in knownHosts: a host is never trusted because it answers.",
            )

    @classmethod
    def at(
        cls,
        url: str,
        *,
        access: Access,
        patience: Patience,
        trusts: tuple[str, ...] = (),
        forge: Forge | None = None,
        pace: Pace | None = None,
    ) -> Self:
        """A repository at a URL; one with ``file://`` is a repository on disk.

        Raises:
            InputError: It is no URL that git may use.
        """
        if not url.startswith("file://"):
            return cls(location=url, access=access, patience=patience, trusts=trusts, forge=forge, pace=pace)
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost"):
            raise errors.InputError(f"{url} is on another machine.", remedy="Write file:///path for a path here.")
        return cls(location=os.path.abspath(unquote(parts.path)), patience=patience)  # noqa: PTH100 - links stay

    @property
    def address(self) -> str:
        """The URL or path, fit to be shown."""
        return failures.clean(self.location, secrets=self.access.secrets)

    @property
    def scheme(self) -> str:
        """The protocol: ``file``, ``http``, ``https`` or ``ssh``."""
        return scheme_of(self.location)

    @property
    def directory(self) -> Path | None:
        """The repository's directory; None when it is at a server."""
        return Path(self.location) if self.scheme == "file" else None

    @property
    def push_options(self) -> list[str]:
        """Arguments for ``git push``: a repository on disk that is not ours runs nothing of its own."""
        return [f"--receive-pack={_DISARMED}"] if self.is_foreign else []

    @property
    def is_foreign(self) -> bool:
        """Whether it is on disk and belongs to another user."""
        with disk.typed(self.address):
            return self.directory is not None and self.directory.stat().st_uid != os.geteuid()

    def require_whole(self) -> None:
        """Look whether a repository on disk has all of its history. A server tells when it is fetched from.

        Raises:
            IntegrityError: It is a shallow clone.
        """
        with disk.typed(self.address):
            is_whole = self.directory is None or not _has_text(self.directory / "shallow")
        if not is_whole:
            raise self.shallow()

    def shallow(self) -> errors.IntegrityError:
        """The error that its history ends somewhere."""
        return errors.IntegrityError(
            f"{self.address} has only the newest part of its history: it is a shallow clone.",
            remedy="Complete it there: git fetch --unshallow.",
        )

    def environment(self) -> AbstractContextManager[dict[str, str]]:
        """What git runs with when it speaks to this repository, while the block lasts."""
        trusted = (self.location, os.path.realpath(self.location)) if self.directory else ()
        return environment(self.location, access=self.access, patience=self.patience, trusted=trusted, pace=self.pace)

    def failure(self, finished: children.Finished) -> errors.LockstepError:
        """The error that a command that spoke to this repository ended with."""
        return failures.failure(finished, address=self.address, secrets=self.access.secrets)

    def advertised(self) -> ends.Advertised | None:
        """Its refs; None when there is no such repository.

        Raises:
            UnreachableError, ThrottledError, UnauthorisedError, ForbiddenError, RefusedError.
        """
        with disk.typed(self.address):
            if self.directory is not None and not self.directory.exists():
                return None
        self.require_whole()
        finished = self._run(["ls-remote", "--symref", "--", self.location], fleeting=self.directory is not None)
        if finished.code or finished.cut:
            error = self.failure(finished)
            if isinstance(error, errors.NotFoundError):
                return None
            raise error
        advertised = names.parse_advertised(finished.out)
        if not advertised.refs and not advertised.unsound:
            self._prove_empty()
        return advertised

    def _prove_empty(self) -> None:
        """Believe in an empty repository only when a git server says so.

        Over http git takes any answer of one line (a proxy's, a login page's) for a repository without refs,
        of the kind that is a folder of plain files. What git servers say comes in packets.
        """
        if self.scheme not in ("http", "https"):
            return
        finished = self._run(["ls-remote", "--", self.location], more={"GIT_TRACE_PACKET": "2"})
        if b"packet:" not in finished.err:
            raise errors.UnreachableError(
                f"{self.address} answers with something that is not git (a login or maintenance page?).",
                remedy="Open the URL in a browser to see what answers.",
            )

    def create(self, *, object_format: str) -> bool:
        """Make the repository where that is ours to do (on disk); False when it has to be made by its forge.

        Args:
            object_format: ``sha1`` or ``sha256``: that of the source, ids are mirrored as they are.

        Raises:
            ForbiddenError, TemporaryError (the disk is full), RefusedError.
        """
        if self.directory is None:
            return False
        with disk.typed(self.address):
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            with leftovers.making(self.directory.parent) as made:
                finished = self._run(
                    ["init", "--bare", "--quiet", "--template=", f"--object-format={object_format}", str(made)]
                )
                if finished.code:
                    raise self.failure(finished)
                _appear(made, self.directory)
        return True

    def set_head(self, ref: str) -> bool:
        """Point HEAD at a ref; False when this place cannot be told (a server without an API that is known).

        Raises:
            InputError: It is no name of a branch.
            ForbiddenError, RefusedError, and what ``Forge.set_default_branch`` raises.
        """
        if not (names.is_ref(ref) and ref.startswith("refs/heads/")):
            raise errors.InputError(f"HEAD cannot point to {ref!r}.", remedy="Name a branch in full: refs/heads/main.")
        if self.forge is not None:
            self.forge.set_default_branch(ref.removeprefix("refs/heads/"))
            return True
        if self.directory is None:
            return False
        finished = self._run(["symbolic-ref", "HEAD", ref], directory=self.directory)
        if locks.SAID.search(finished.said) and self.clear_stale_locks():
            finished = self._run(["symbolic-ref", "HEAD", ref], directory=self.directory)
        if locks.SAID.search(finished.said):
            raise errors.ConflictError(f"{self.address}: HEAD is locked.", remedy="It is tried again.")
        if finished.code:
            raise self.failure(finished)
        return True

    def large_files(self) -> ends.LargeFiles:
        """Its large files (git LFS). Nobody is asked yet whether it keeps any."""
        return opening.open_large_files(self)

    def sweep(self) -> None:
        """Take away what killed processes left in a repository on disk that is ours."""
        if self.directory is None or not self.directory.exists() or self.is_foreign:
            return
        with contextlib.suppress(OSError):  # what cannot be taken away harms nobody
            leftovers.sweep_site(self.directory / "objects")
            locks.clear_ours(self.directory)

    def clear_stale_locks(self, *, died_since: float = 0.0) -> bool:
        """Remove locks of refs that a killed git left in a repository on disk; whether there were any.

        ``died_since`` is when a push of ours there began that died; 0 when none did.
        """
        return self.directory is not None and locks.clear_stale(self.directory, died_since=died_since) > 0

    @property
    def is_locked(self) -> bool:
        """Whether some ref of a repository on disk is locked, by whomever; of a server nobody knows."""
        return self.directory is not None and locks.any_of_refs(self.directory)

    def pack_refs(self) -> None:
        """Put the refs of a repository on disk into one file. That it could not be done harms nobody."""
        if self.directory is not None and not self.is_foreign:
            self._run(["pack-refs", "--all"], directory=self.directory)

    def _run(
        self,
        arguments: Sequence[str],
        *,
        directory: Path = process.NOWHERE,
        more: Mapping[str, str] | None = None,
        fleeting: bool = False,
    ) -> children.Finished:
        seconds = self.patience.ask_seconds
        with self.environment() as env:
            call = process.Call(
                arguments=arguments,
                directory=directory,
                env={**env, **(more or {})},
                timeout_seconds=seconds,
                most_bytes=self.patience.most_list_bytes,
                fleeting=fleeting,
            )
            return process.run(call)


def _is_address(location: str) -> bool:
    if "\0" in location or "\n" in location:
        return False
    try:
        return location.startswith("/") or bool(_URL.validate_python(location))
    except ValidationError:
        return False


def _has_text(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:
        return False


def _appear(made: Path, directory: Path) -> None:
    """Put a whole repository in its place at once. Somebody else may have made it in the meantime: then it is there."""
    try:
        made.rename(directory)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
