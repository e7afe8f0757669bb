"""Named places where a test may kill the process, to prove that nothing is lost there.

A point does nothing until ``arm`` names it; the command line arms one from ``LOCKSTEP_CRASH_AT``. The kill
is SIGKILL, so no handler, no ``finally`` and no buffer softens it.
"""

from __future__ import annotations

import os
import signal
from enum import Enum

from lockstep import errors


class Point(Enum):
    """The places, in the order of one walk."""

    DELIVERY_STORED = "delivery-stored"
    IN_FETCH = "in-fetch"
    BETWEEN_SITES = "between-sites"
    IN_STEP = "in-step"
    IN_APPROVAL = "in-approval"
    IN_DEPLOY = "in-deploy"
    BEFORE_FINDING = "before-finding"
    MESSAGE_SENT = "message-sent"


_armed: Point | None = None


def arm(name: str) -> None:
    """Arm the point of this name.

    Raises:
        InputError: There is no such point.
    """
    global _armed  # noqa: PLW0603 - one switch for the process, set once at its start
    try:
        _armed = Point(name)
    except ValueError:
        known = ", ".join(point.value for point in Point)
        raise errors.InputError(f"There is no crash point {name!r}.", remedy=f"Use one of: {known}.") from None


def is_armed(point: Point) -> bool:
    """Whether this point is armed: work that runs in parallel goes one by one then, so that it is really reached."""
    return point is _armed


def reach(point: Point) -> None:
    """Die here if this point is armed."""
    if point is _armed:
        os.kill(os.getpid(), signal.SIGKILL)
