"""The shop: a web server that answers its version, so that one can see which build runs where."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = Path(__file__).with_name("version").read_text(encoding="utf-8").strip()


class Shop(BaseHTTPRequestHandler):
    """Answers every GET with the greeting and the version."""

    def do_GET(self) -> None:
        """Answer."""
        body = f"{os.environ.get('GREETING', 'hello')} {VERSION}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    address = (os.environ.get("LISTEN", "127.0.0.1"), int(os.environ.get("PORT", "8080")))
    with ThreadingHTTPServer(address, Shop) as server:
        print(f"listening on {server.server_address[0]}:{server.server_address[1]}", flush=True)
        server.serve_forever()
