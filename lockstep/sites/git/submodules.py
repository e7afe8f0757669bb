"""Which other repositories a commit names as its submodules. They are read, and never contacted.

``.gitmodules`` is a stranger's file in git's own configuration format (gitmodules(5)); git reads it for us, from the
commit, without the includes that such a file could have.
"""

from __future__ import annotations

from pathlib import Path

from lockstep.sites.ends import Submodule
from lockstep.sites.git import failures, process

_GITLINK = "160000"
# A file of this size names more submodules than anybody has; git reads it whole.
_MOST_BYTES = 2**20
_MOST = 1000
_LONGEST = 2000


def read(repository: Path, commit: str) -> list[Submodule]:
    """The submodules of a commit, by path: those that ``.gitmodules`` names and that are there."""
    named = _named(repository, commit)
    listed = process.run(
        process.Call(
            arguments=["ls-tree", "-z", commit, "--", *(path for path, _ in named)],
            directory=repository,
            most_bytes=_MOST_BYTES,
        )
    )
    rows = (row.partition("\t") for row in listed.out.decode(errors="surrogateescape").split("\0") if row)
    there = {path: head.split(" ") for head, _, path in rows} if named and listed.code == 0 else {}
    return [
        Submodule(path=failures.clean(path), url=failures.clean(url), oid=there[path][2])
        for path, url in sorted(named)
        if path in there and there[path][0] == _GITLINK
    ]


def _named(repository: Path, commit: str) -> list[tuple[str, str]]:
    """Path and URL of each, as they are written; none when there is no such file, or it is not git's format."""
    size = process.run(process.Call(arguments=["cat-file", "-s", f"{commit}:.gitmodules"], directory=repository))
    if size.code or int(size.out) > _MOST_BYTES:
        return []
    read_it = ["config", "--no-includes", f"--blob={commit}:.gitmodules", "-z", "--list"]
    finished = process.run(process.Call(arguments=read_it, directory=repository, most_bytes=4 * _MOST_BYTES))
    fields: dict[str, dict[str, str]] = {}
    for entry in finished.out.decode(errors="replace").split("\0"):
        key, _, value = entry.partition("\n")
        section, _, rest = key.partition(".")
        name, _, field = rest.rpartition(".")
        if section == "submodule" and field in ("path", "url") and len(value) <= _LONGEST:
            fields.setdefault(name, {})[field] = value
    found = [(one["path"], one["url"]) for one in fields.values() if "path" in one and "url" in one]
    return [(path, url) for path, url in found if path and "\0" not in path][:_MOST]
