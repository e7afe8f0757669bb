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

SETTINGS = json.loads(Path(__file__).with_name("post-receive.json").read_text(encoding="utf-8"))


def payload(old: str, new: str, ref: str) -> bytes:
    """What GitHub posts for a push, as far as anybody should rely on it."""
    name = SETTINGS["repository"]
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


def post(body: bytes) -> str:
    """Post one delivery; what to tell the pusher."""
    secret = Path(SETTINGS["secret"]).read_text(encoding="utf-8").encode()
    request = urllib.request.Request(  # noqa: S310 - the URL is the demo's own, written by the demo
        SETTINGS["url"],
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


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(post(payload(*line.split())) + "\n")
