"""What git itself has no words for, and a forge's API has: the default branch of a repository.

GitHub (REST, "Update a repository"), Gitea and Forgejo (the same in their API, version 1) and GitLab (REST, version
4, "Edit a project"). Only the host that the configuration names is spoken to; it is not followed anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urlsplit

import orjson

from lockstep import errors
from lockstep.sites.git import failures
from lockstep.sites.git.access import scheme_of
from lockstep.sites.http import places, wire

Kind = Literal["github", "gitea", "gitlab"]

_PATHS: dict[Kind, str] = {"github": "/api/v3", "gitea": "/api/v1", "gitlab": "/api/v4"}
_GITHUB = {"github.com": "https://api.github.com", "ssh.github.com": "https://api.github.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """The API of the forge that one repository is at."""

    kind: Kind
    api: str
    """Its base, without a slash at the end."""
    repository: str
    """As the forge names it: ``bank/pay``."""
    token: str = field(default="", repr=False)
    ca: str = field(default="", repr=False)
    seconds: float = 60.0
    """How long it may be silent."""

    def set_default_branch(self, branch: str) -> None:
        """Make a branch that is there the default one.

        Raises:
            UnreachableError, ThrottledError, UnauthorisedError, ForbiddenError, NotFoundError, RefusedError.
        """
        origin = places.origin_of(self.api)
        if origin is None:
            raise errors.InputError(f"{self.api!a} is not the address of an API.", remedy="Write https://host/path.")
        line = wire.Wire(ca=self.ca, patience=wire.Patience(silence_seconds=self.seconds, connections=1))
        call = wire.Call(
            method="PUT" if self.kind == "gitlab" else "PATCH",
            target=places.Target(url=f"{self.api}{self._path}", origin=origin),
            headers={"Accept": "application/json", "Content-Type": "application/json", **self._who()},
            body=orjson.dumps({"default_branch": branch}),
        )
        with line.send(call) as answer:
            if not 200 <= answer.status < 300:
                raise self._refused(answer.status, answer.glimpse().decode(errors="replace"))

    @property
    def _path(self) -> str:
        if self.kind == "gitlab":
            return f"/projects/{quote(self.repository, safe='')}"
        return f"/repos/{quote(self.repository)}"

    def _who(self) -> dict[str, str]:
        if not self.token:
            return {}
        if self.kind == "gitlab":
            return {"PRIVATE-TOKEN": self.token}
        return {"Authorization": f"{'Bearer' if self.kind == 'github' else 'token'} {self.token}"}

    def _refused(self, status: int, text: str) -> errors.LockstepError:
        said = failures.clean("" if "<" in text else text, secrets=(self.token,))
        kinds: dict[int, tuple[type[errors.LockstepError], str]] = {
            401: (errors.UnauthorisedError, "Give forge.token, which may administer the repository."),
            403: (errors.ForbiddenError, "Let the token administer the repository."),
            404: (errors.NotFoundError, "Check forge.api, and that the token may see the repository."),
            429: (errors.ThrottledError, "It is tried again."),
        }
        usual = (errors.UnreachableError, "Check its log.") if status >= 500 else (errors.RefusedError, "See why.")
        kind, remedy = kinds.get(status, usual)
        return kind(f"{self.api} answers {status} to a new default branch{f': {said}' if said else ''}.", remedy=remedy)


def api_of(kind: Kind, location: str) -> str:
    """Where a forge's API is when nobody says so: at the host of its repositories."""
    if "://" in location:
        parts = urlsplit(location)
        host, port = parts.hostname or "", parts.port
    else:
        host, port = location.partition(":")[0].rpartition("@")[2], None
    if kind == "github" and host in _GITHUB:
        return _GITHUB[host]
    scheme = scheme_of(location)
    place = f"{host}:{port}" if port and scheme in ("http", "https") else host
    return f"{'http' if scheme == 'http' else 'https'}://{place}{_PATHS[kind]}"
