"""Who somebody is to git, as their own configuration of it says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lockstep import errors
from lockstep.sites.git import failures, process

# What git's own identity is made of; nothing else of an environment is handed on.
_OURS = ("PATH", "HOME", "XDG_CONFIG_HOME", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL")
_IDENTITY = re.compile(r"(?P<who>.*<.*>) \d+ [+-]\d{4}")


def author(environment: Mapping[str, str]) -> str:
    """``Name <address>`` of whom an environment belongs to; git makes up neither from the name of the machine.

    Raises:
        InputError: Git does not know them.
        MissingToolError: Git is not installed.
    """
    known = {name: environment[name] for name in _OURS if name in environment}
    arguments = ("-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT")
    finished = process.run(process.Call(arguments=arguments, env=known, timeout_seconds=20.0, most_bytes=4096))
    match = _IDENTITY.fullmatch(failures.clean(finished.out.decode(errors="replace").strip()))
    if finished.code or match is None:
        raise errors.InputError(
            "Git does not know who you are, and a patch has an author.",
            remedy="Say --author 'NAME <MAIL>', or tell git: git config --global user.name and user.email.",
        )
    return match["who"]
