"""The HTTP server under the pages and the receiver: waitress, with an end that one can ask for.

Requests are read whole, by one thread for all, before one of the working threads sees them: a slow client
holds none of those.
"""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from lockstep import errors

# Requests at once; each takes milliseconds.
_THREADS = 8
_CONNECTIONS = 1000
# Larger bodies are cut off before they reach anybody; a hook's own limit is lower.
_MOST_BODY = 64 * 2**20
_LOOP_SECONDS = 1.0


class Http:
    """An application on an address.

    Args:
        app: What answers.
        host: Where to listen.
        port: Which port; 0 for a free one.

    Raises:
        InputError: Nobody can listen there.
    """

    def __init__(self, app: Flask, *, host: str, port: int) -> None:
        self._sockets: dict[int, Any] = {}
        try:
            self._server = create_server(
                app,
                map=self._sockets,
                host=host,
                port=port,
                threads=_THREADS,
                connection_limit=_CONNECTIONS,
                max_request_body_size=_MOST_BODY,
                ident=None,
                clear_untrusted_proxy_headers=True,
            )
        except (OSError, ValueError) as error:
            wasyncore.close_all(self._sockets)
            raise errors.InputError(
                f"Nobody can listen on {host}:{port}: {error}.", remedy="Choose another with --listen HOST:PORT."
            ) from error
        self.port = int(self._server.effective_port)

    def serve_until(self, stopping: threading.Event) -> None:
        """Answer requests until this is set."""
        while not stopping.is_set():
            wasyncore.loop(timeout=_LOOP_SECONDS, map=self._sockets, count=1)

    def wake(self) -> None:
        """Have ``serve_until`` look at once whether it is to stop; any thread may call it."""
        self._server.pull_trigger()

    def close(self, timeout_seconds: float) -> None:
        """Let running requests end, and close every connection."""
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=timeout_seconds)
        wasyncore.close_all(self._sockets)
