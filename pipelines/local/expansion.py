"""``$(NAME)`` in command, args and env, replaced from the step's environment as the kubelet does it.

Source: Kubernetes, ``third_party/forked/golang/expansion``: ``$$`` is a dollar sign, a name that is not there stays
as it is written. Scripts are not touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


def expand(text: str, env: Mapping[str, str]) -> str:
    """A text with references to variables of the environment replaced."""

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return env.get(match[1], match[0])

    return _REFERENCE.sub(value, text) if "$" in text else text


def environment(pairs: Iterable[tuple[str, str]], given: Mapping[str, str]) -> dict[str, str]:
    """An environment from pairs in order: each value may name those before it, and those that are given."""
    env = dict(given)
    for name, value in pairs:
        env[name] = expand(value, env)
    return env
