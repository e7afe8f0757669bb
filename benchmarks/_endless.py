"""A server of made-up Deployments in pages, in a process of its own: ``python -m benchmarks._endless COUNT``.

It prints its URL. It speaks as much of the Kubernetes API as discovery and lists take, and keeps nothing.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from lockstep.values import Json

_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def _item() -> str:
    """An object of some 5 kB, two fifths of it who set which field, with NAME where its name stands."""
    env = [{"name": f"NAME_{number}", "value": f"value {number}"} for number in range(20)]
    container = {"name": "main", "image": "registry.example/app:NAME", "env": env}
    template = {"metadata": {"labels": {"app": "NAME"}}, "spec": {"containers": [container]}}
    owned: dict[str, Json] = {f'k:{{"name":"{one["name"]}"}}': {".": {}, "f:name": {}, "f:value": {}} for one in env}
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"main"}': {"f:env": owned}}}}}}
    managed = [{"manager": one, "operation": "Apply", "fieldsV1": fields} for one in ("lockstep", "controller")]
    spec = {"selector": {"matchLabels": {"app": "NAME"}}, "template": template}
    metadata = {"name": "NAME", "namespace": "bench", "uid": "NAME", "managedFields": managed}
    return json.dumps({"metadata": metadata, "spec": spec}, separators=(",", ":"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    count = 0
    item = _item()

    def do_GET(self) -> None:
        """Answer a question about what is served, or with a page."""
        parts = urlsplit(self.path)
        if parts.path in ("/api", "/apis"):
            self._send(json.dumps(_discovered(parts.path)), _DISCOVERY)
        else:
            self._send(self._page(dict(parse_qsl(parts.query))), "application/json")

    def _page(self, query: dict[str, str]) -> str:
        first, limit = int(query.get("continue", 0)), int(query["limit"])
        last = min(self.count, first + limit)
        following = f',"continue":"{last}"' if last < self.count else ""
        items = ",".join(self.item.replace("NAME", f"app-{number}") for number in range(first, last))
        head = f'{{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{{"resourceVersion":"1"{following}}}'
        return f'{head},"items":[{items}]}}'

    def _send(self, text: str, content_type: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
        """Say nothing."""


def _discovered(path: str) -> Json:
    verbs = ["get", "list", "watch"]
    kind = {"resource": "deployments", "scope": "Namespaced", "responseKind": {"kind": "Deployment"}, "verbs": verbs}
    groups = [{"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [kind]}]}]
    return {"kind": "APIGroupDiscoveryList", "items": groups if path == "/apis" else []}


def main(count: int) -> None:
    """Serve until it is ended."""
    _Handler.count = count
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
