"""The subresource ``scale``: how many replicas, for whatever kind has them."""

from __future__ import annotations

from dataclasses import replace

import orjson

from tests.support.kubernetes_double import bodies, patches, statuses
from tests.support.kubernetes_double.storage import Store
from tests.support.kubernetes_double.types import ANY, Object
from tests.support.kubernetes_double.writes import Write
from tests.support.kubernetes_double.writing import Writer


def scaled(store: Store, writer: Writer, write: Write) -> Object:
    """The scale of an object, after it is changed where that is asked for.

    Raises:
        RefusedError: There is no such object, or it may not change so.
    """
    live = store.get(write.resource.bucket, write.key)
    if live is None:
        raise statuses.not_found(write.resource.qualified, write.asked.name)
    if write.asked.verb == "get":
        return _scale(live)
    body = bodies.parsed(write.request)
    if write.request.method == "PATCH":
        body = patches.patched(_scale(live), body, write.request.media_type, ANY)
    change = orjson.dumps({"spec": {"replicas": (body.get("spec") or {}).get("replicas", 0)}})
    headers = {**write.request.headers, "content-type": patches.MERGE}
    patch = replace(write, request=replace(write.request, method="PATCH", headers=headers, body=change))
    return _scale(writer.patch(patch).object)


def _scale(live: Object) -> Object:
    metadata = {
        name: live["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    selector = live.get("spec", {}).get("selector", {}).get("matchLabels") or {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": live.get("spec", {}).get("replicas", 0)},
        "status": {
            "replicas": (live.get("status") or {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(selector.items())),
        },
    }
