"""How something that is mirrored stands at a site, and what that means to the command line."""

from __future__ import annotations

from enum import Enum

from lockstep import errors


class State(Enum):
    """How a repository or an image stands at a site. Worst first."""

    FAILED = "failed"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    HELD = "held"
    BEHIND = "behind"
    """A dry run saw that it is not equal."""
    EQUAL = "equal"

    @property
    def exit_code(self) -> int:
        """What it means to the command line: 0 equal, 1 held, refused or behind, 2 error or unknown."""
        return {State.EQUAL: 0, State.FAILED: 2, State.UNREACHABLE: 2}.get(self, 1)


def state_of(error: errors.LockstepError) -> State:
    """How something stands that an error kept from its site."""
    if isinstance(error, errors.HeldError):
        return State.HELD
    if isinstance(error, errors.RefusedError):
        return State.REFUSED
    return State.UNREACHABLE if isinstance(error, errors.TemporaryError) else State.FAILED
