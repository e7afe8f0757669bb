"""A Kubernetes API as an end of a site."""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lockstep import errors
from lockstep.sites.cluster import allowed, discovery, reading, watching, writing
from lockstep.sites.cluster.api import Api, Call
from lockstep.sites.ends import Applied, Counted, Inventory, Kinds, Selection, Watch
from lockstep.values import Json, ObjectKey

# What a server serves changes when somebody installs something.
_SERVED_SECONDS = 600.0
# A kind that is not known may just have been defined; but nobody asks again and again.
_AGAIN_SECONDS = 1.0
_DEFINITION = ("apiextensions.k8s.io", "CustomResourceDefinition")


class KubernetesCluster:
    """One API server. Safe to share between threads.

    Args:
        api: Calls it.
        address: The server, fit to be shown.
    """

    def __init__(self, api: Api, *, address: str) -> None:
        self._api = api
        self._address = address
        self._lock = threading.Lock()
        self._served: discovery.Served | None = None
        self._served_at = float("-inf")

    @property
    def address(self) -> str:
        """The server."""
        return self._address

    @property
    def writable(self) -> bool:
        """It can be written to, as far as our rights go."""
        return True

    @property
    def runs(self) -> bool:
        """What is here runs."""
        return True

    @property
    def api(self) -> Api:
        """The calls under it, for what only a server has."""
        return self._api

    def served(self, *, not_older_than: float = _SERVED_SECONDS) -> discovery.Served:
        """What the server serves, asked for at most so many seconds ago.

        Raises:
            LockstepError: It does not say.
        """
        with self._lock:
            if self._served is None or time.monotonic() - self._served_at > not_older_than:
                self._served = discovery.discover(self._api)
                self._served_at = time.monotonic()
            return self._served

    def kinds(self) -> Kinds:
        """What the server serves, in every version. Raises LockstepError."""
        served = self.served(not_older_than=_AGAIN_SECONDS)
        return Kinds(
            served=frozenset((one.api_version, one.kind) for one in served.resources),
            unknown={gap.group: gap.why for gap in served.gaps},
            cluster_scoped=frozenset((one.group, one.kind) for one in served.resources if not one.namespaced),
        )

    def version(self) -> str:
        """Major and minor version of the server, such as ``1.34``; a vendor's sign after it is left out.

        Raises:
            LockstepError: It does not say.
        """
        right = errors.Right(verb="get", resource="/version")
        said = self._api.json(Call(method="GET", segments=("version",), right=right))
        major, minor = (re.match(r"[0-9]*", str(said.get(part) or "")) for part in ("major", "minor"))
        if not (major and major[0] and minor and minor[0]):
            raise errors.UnreachableError(
                f"{self._address} does not say which version it is.",
                remedy="Look whether a proxy stands before it.",
            )
        return f"{major[0]}.{minor[0]}"

    def read(self, selection: Selection, *, keep: reading.Keep | None = None) -> Inventory:
        """What is there; a kind or a namespace that could not be read is a gap.

        A kind that the server does not serve has no objects. Without a version that is asked for, objects come in
        the version that the server prefers. Who set which field (``managedFields``) is left out. Whoever needs a
        part of each object only gives ``keep``: the rest is let go page by page.

        Raises:
            UnreachableError, RefusedError: Nothing at all can be read.
        """
        return reading.read(self._api, self.served(not_older_than=_AGAIN_SECONDS), selection, keep=keep)

    def count(self, selection: Selection) -> Counted:
        """How many objects there are, by a look at the first of each list; what cannot be listed is a gap.

        Raises:
            UnreachableError, RefusedError: Nothing at all can be read.
        """
        return reading.count(self._api, self.served(not_older_than=_AGAIN_SECONDS), selection)

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """One object, with who set which field; None when it is not there.

        Raises:
            NotServedError: The server knows no such kind.
            LockstepError: It cannot be read.
        """
        return reading.get(self._api, self._resource(api_version, key.kind), key.namespace, key.name)

    def apply(
        self,
        manifest: Mapping[str, Json],
        *,
        dry_run: bool = False,
        force: bool = False,
        before: Mapping[str, Json] | None = None,
    ) -> Applied:
        """Apply an object on the server's side, as the field manager ``lockstep``.

        Raises:
            InputError: It is no object, or the server calls it invalid (InvalidError says which fields).
            NotServedError: The server knows no such kind.
            NotFoundError: It has no such namespace.
            OwnedError: Fields belong to others.
            LockstepError: It was not applied.
        """
        key = _key(manifest)
        resource = self._resource(str(manifest["apiVersion"]), key.kind)
        applied = writing.apply(self._api, resource, manifest, dry_run=dry_run, force=force, before=before)
        if (key.group, key.kind) == _DEFINITION and not dry_run:
            self._forget()
        return applied

    def delete(self, key: ObjectKey, *, api_version: str, uid: str = "") -> bool:
        """Delete an object; what belongs to it goes in the background. False when it was not there.

        Raises:
            ConflictError: Another one has the name now.
            LockstepError: It was not deleted.
        """
        try:
            resource = self._resource(api_version, key.kind)
        except errors.NotServedError:
            return False
        return writing.delete(self._api, resource, key, uid=uid)

    def lacks(self, namespace: str) -> dict[str, tuple[str, ...]]:
        """What a deploy may need and we may not do in a namespace: resources by verb. Raises LockstepError."""
        return allowed.lacks(self._api, namespace)

    def may_foresee(self, key: ObjectKey, *, api_version: str, seconds: float) -> bool:
        """Whether we may patch objects of this kind in this namespace, which a dry run asks for. Raises LockstepError.

        Rights by name only are not looked for: nobody asks object by object.
        """
        until = time.monotonic() + seconds
        resource = self._resource(api_version, key.kind)
        right = resource.right("patch", key.namespace if resource.namespaced else "")
        return allowed.may(self._api, right, until=until)

    def foresee(self, manifest: Mapping[str, Json], *, seconds: float) -> dict[str, Json]:
        """The object as it would be if it were applied now, with everything taken over; nothing is written.

        Raises:
            FixedError: It would change what cannot be changed any more.
            LockstepError: The server does not say, or would not take it.
        """
        until = time.monotonic() + seconds
        resource = self._resource(str(manifest["apiVersion"]), _key(manifest).kind)
        return writing.foreseen(self._api, resource, manifest, until=until)

    @contextmanager
    def watch(self, selection: Selection) -> Iterator[Watch]:
        """Watch what is selected until the block ends. Raises LockstepError."""
        discover = functools.partial(self.served, not_older_than=_AGAIN_SECONDS)
        with watching.Watching(self._api, self.served(), selection, discover=discover).running() as running:
            yield running

    def close(self) -> None:
        """Close its connections."""
        self._api.close()

    def _resource(self, api_version: str, kind: str) -> discovery.Resource:
        for age in (_SERVED_SECONDS, _AGAIN_SECONDS):
            served = self.served(not_older_than=age)
            found = served.find(api_version, kind)
            if found is not None:
                return found
        group = api_version.rpartition("/")[0]
        unknown = next((gap for gap in served.gaps if gap.group in ("*", group)), None)
        if unknown is not None:
            raise errors.FaultError(f"{self._address} does not say whether it serves {kind}: {unknown.why}")
        raise errors.NotServedError(
            f"{self._address} does not serve {kind} of {api_version}.",
            remedy="Install what defines it there, or use a version that the site has.",
        )

    def _forget(self) -> None:
        with self._lock:
            self._served_at = float("-inf")


def _key(manifest: Mapping[str, Json]) -> ObjectKey:
    try:
        return ObjectKey.of(dict(manifest))
    except (KeyError, TypeError, AttributeError) as error:
        raise errors.InputError(
            "A manifest without apiVersion, kind or metadata.name cannot be applied.", remedy="Give it all three."
        ) from error
