"""The one question of a forge's API that we ask, answered as GitHub, Gitea and GitLab answer it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from tests.support.repositories import Repository

TOKEN = "t0p-s3cret"
_HEADERS = {
    "github": ("Authorization", f"Bearer {TOKEN}"),
    "gitea": ("Authorization", f"token {TOKEN}"),
    "gitlab": ("PRIVATE-TOKEN", TOKEN),
}
_PATHS = {
    "github": ("PATCH", "/api/v3/repos/"),
    "gitea": ("PATCH", "/api/v1/repos/"),
    "gitlab": ("PUT", "/api/v4/projects/"),
}


@dataclass(slots=True)
class Api:
    """The API of a forge over the repositories below a folder; ``status`` is what it answers instead."""

    kind: str
    root: Path
    status: int = 0
    asked: list[str] = field(default_factory=list)

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, send: Callable[..., None]
    ) -> None:
        """Answer one request, and do what it asks for."""
        self.asked.append(f"{method} {path}")
        verb, prefix = _PATHS[self.kind]
        name, value = _HEADERS[self.kind]
        if self.status:
            return send(self.status, json.dumps({"message": f"no, {TOKEN}"}).encode())
        if method != verb or not path.startswith(prefix):
            return send(404, b"{}")
        if {key.lower(): given for key, given in headers.items()}.get(name.lower()) != value:
            return send(401, b"{}")
        rest = path.removeprefix(prefix)
        if self.kind == "gitlab" and "/" in rest:
            return send(404, b"{}")
        repository = Repository(self.root / f"{unquote(rest)}.git")
        branch = f"refs/heads/{json.loads(body)['default_branch']}"
        if branch not in repository.refs():
            return send(422, b'{"message": "no such branch"}')
        repository.point_head(branch)
        return send(200, b"{}")
