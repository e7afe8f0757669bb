"""Servers of other programs, run for a test on a leash: whatever kills this process, they end with it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from lockstep import children, errors

_MOST_KEPT = 64 * 1024


@contextlib.contextmanager
def running(command: children.Command, *, ready: Callable[[bytes], bool], seconds: float) -> Iterator[None]:
    """Run a server in a thread until the block ends; the block begins once it says that it is ready.

    Args:
        command: The server.
        ready: Whether what it has written so far says so.
        seconds: How long that may take.
    """
    said = bytearray()
    settled = threading.Event()

    def listen(chunk: bytes) -> None:
        said.extend(chunk)
        del said[:-_MOST_KEPT]
        if not settled.is_set() and ready(bytes(said)):
            settled.set()

    def serve() -> None:
        with children.scope(scope), contextlib.suppress(errors.LostWorkError):
            children.run(command, on_output=listen)
        settled.set()

    scope = children.Scope()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        settled.wait(seconds)
        assert thread.is_alive(), said.decode(errors="replace")
        yield
    finally:
        scope.kill()
        thread.join()
