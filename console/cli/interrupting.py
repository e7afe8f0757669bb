"""Ctrl-C: the command ends soon, whatever its threads wait for.

What a command does is safe to be killed at any instant, and what it starts ends with it. So it gets a moment to leave
things tidy; a server that never answers does not keep it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

CODE = 128 + signal.SIGINT
"""What a command ends with that was interrupted, as shells have it."""

# For what takes things away behind itself. Seconds.
_MOMENT = 3.0
_SHOW_CURSOR = b"\x1b[?25h"


def prepare() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt and ends the process a moment later; a second one ends it at once."""
    interrupted = threading.Event()

    def asked(_number: int, _frame: object) -> None:
        if interrupted.is_set():
            _end()
        interrupted.set()
        raise KeyboardInterrupt

    def end() -> None:
        interrupted.wait()
        time.sleep(_MOMENT)
        _end()

    # Begun now: what is interrupted may be holding whatever it takes to begin a thread.
    threading.Thread(target=end, name="interrupted", daemon=True).start()
    signal.signal(signal.SIGINT, asked)


def wait_for_the_end() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt alone: a command that ends services of its own waits for them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _end() -> None:
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), _SHOW_CURSOR)  # a progress bar hides it
    os._exit(CODE)
