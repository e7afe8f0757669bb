"""From the configuration to a remote: which address, which credentials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from lockstep import errors
from lockstep.sites.git.access import Access, Patience
from lockstep.sites.git.cache import Cache
from lockstep.sites.git.forge import Forge, api_of
from lockstep.sites.git.remote import Remote
from lockstep.sites.line import Pace
from lockstep.topology import kinds, scalars, secrets

_REPOSITORY: TypeAdapter[str] = TypeAdapter(scalars.GitRepository)


def open_remote(
    end: kinds.GitEnd | kinds.GitSource,
    repository: str,
    *,
    reader: secrets.Reader,
    path: Callable[[str], Path],
    patience: Patience | None = None,
    pace: Pace | None = None,
) -> Remote:
    """One repository of a forge or of a site.

    Args:
        end: Where its repositories are, as configured.
        repository: Which one, as the forge names it: ``bank/pay``.
        reader: Reads its secrets, and what it is believed by.
        path: Makes a path of the configuration one of this machine.
        patience: Its bounds.
        pace: How fast bytes may go there; a directory is written as fast as it takes them.

    Raises:
        InputError: The repository's name is none, or ssh has no host keys.
        LockstepError: A secret cannot be read.
    """
    _checked(repository)
    patience = patience or Patience()
    if end.directory is not None:
        folder = path(end.directory).absolute()
        return Remote(location=str(folder / f"{repository}.git"), patience=patience)
    access = Access(
        username=end.username or "git",
        password=reader.text(end.password).strip() if end.password else "",
        ssh_key=reader.text(end.ssh_key) if end.ssh_key else "",
        known_hosts=reader.public(end.known_hosts) if end.known_hosts else "",
        ca=reader.public(end.ca) if end.ca else "",
    )
    url = (end.url or "").replace("{repository}", repository)
    api = _forge(end, repository, url, access, reader) if isinstance(end, kinds.GitEnd) else None
    return Remote.at(url, access=access, patience=patience, trusts=end.trusts, forge=api, pace=pace)


def _forge(end: kinds.GitEnd, repository: str, url: str, access: Access, reader: secrets.Reader) -> Forge | None:
    if end.forge is None:
        return None
    return Forge(
        kind=end.forge.kind,
        api=(end.forge.api or api_of(end.forge.kind, url)).rstrip("/"),
        repository=repository,
        token=reader.text(end.forge.token).strip() if end.forge.token else access.password,
        ca=access.ca,
    )


def open_cache(caches: Path, repository: str) -> Cache:
    """Our own copy of a repository.

    Raises:
        InputError: The repository's name is none.
    """
    return Cache(caches / f"{_checked(repository)}.git")


def _checked(repository: str) -> str:
    try:
        return _REPOSITORY.validate_python(repository)
    except ValidationError as error:
        raise errors.InputError(
            f"{repository!a} is not the path of a repository.", remedy="Write it as the forge shows it: bank/pay."
        ) from error
