"""The forge's hook: post every pushed ref to Lockstep, in GitHub's shape, signed as GitHub signs.

It runs by itself inside the bare repository, so it uses the standard library only. A push is the forge's to
accept: when Lockstep does not answer, the pusher is told, and Lockstep's sweep finds the push later.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path


def payload(name: str, old: str, new: str, ref: str) -> bytes:
    """What GitHub posts for a push to the repository of this name, as far as anybody should rely on it."""
    return json.dumps(
        {
            "ref": ref,
            "before": old,
            "after": new,
            "created": not old.strip("0"),
            "deleted": not new.strip("0"),
            "forced": False,
            "commits": [],
            "repository": {"name": name, "full_name": name, "default_branch": "main"},
            "pusher": {"name": "developer"},
        }
    ).encode()


def post(url: str, body: bytes, *, secret: bytes) -> str:
    """Post one delivery; what to tell the pusher."""
    request = urllib.request.Request(  # noqa: S310 - the URL is the demo's own, written by the demo
        url,
        data=body,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "lockstep-demo-forge",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - see above
            return f"Lockstep was told ({answer.status})."
    except (urllib.error.URLError, TimeoutError) as error:
        return f"Lockstep did not take the event ({error}); its sweep will find the push."


def main() -> None:
    """Post each ref that git names on standard input."""
    settings = json.loads(Path(__file__).with_name("post-receive.json").read_text(encoding="utf-8"))
    secret = Path(settings["secret"]).read_text(encoding="utf-8").encode()
    for line in sys.stdin:
        body = payload(settings["repository"], *line.split())
        sys.stdout.write(post(settings["url"], body, secret=secret) + "\n")


if __name__ == "__main__":
    main()
