"""A git server's large files, over the Batch API of git LFS (git-lfs, ``docs/api``).

Where the files themselves are is for the server to say, action by action. It may lead us to another host, but not
to a private address that the configuration does not trust, and our own credentials go to the server alone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson

from lockstep import errors
from lockstep.sites.ends import LargeFile
from lockstep.sites.git import failures
from lockstep.sites.git.lfs import batch, shelf
from lockstep.sites.http import places, wire

# An answer about a hundred files, each with two signed addresses.
_MOST_BYTES = 4 * 2**20
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# A server without LFS, or a repository for which it was not turned on (git-lfs, docs/api/batch.md, "Response Errors").
_UNSUPPORTED = frozenset({404, 405, 406, 410, 415, 501})
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the questions go, and the headers that say who we are; ``host`` is the server that said so."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Server:
    """Large files of one repository at a server; implements ``ends.LargeFiles``.

    Args:
        address: The repository's, fit to be shown.
        endpoint: Says where the API is, for ``download`` or ``upload``; over ssh that is a question of its own.
        trusts: Other hosts that it may send us to although their addresses are private.
        line: Its connections.
    """

    def __init__(
        self, address: str, endpoint: Callable[[str], Endpoint], *, trusts: Sequence[str], line: wire.Wire
    ) -> None:
        self.address = address
        self._endpoint = endpoint
        self._trusts = trusts
        self._wire = line

    def lacks(self, files: Sequence[LargeFile]) -> set[LargeFile]:
        """Those that the server has not. Raises UnsupportedError when it keeps none, and as ``_ask``."""
        lacking: set[LargeFile] = set()
        for start in range(0, len(files), batch.MOST):
            part = files[start : start + batch.MOST]
            for file, answer in self._ask("download", part).items():
                if answer.code in _GONE or (not answer.code and "download" not in answer.actions):
                    lacking.add(file)
                elif answer.code:
                    raise self._refused(answer.code, answer.message)
        return lacking

    @contextmanager
    def read(self, file: LargeFile) -> Iterator[Iterator[bytes]]:
        """The content in chunks, verified as it ends. Raises NotFoundError, IntegrityError, and as ``_ask``."""
        answer = self._ask("download", [file])[file]
        if answer.code in _GONE or (not answer.code and "download" not in answer.actions):
            raise errors.NotFoundError(
                f"{self.address} has no large file {file.oid[:12]}.", remedy="Push it there: git lfs push --all."
            )
        if answer.code:
            raise self._refused(answer.code, answer.message)
        action = answer.actions["download"]
        with self._going("GET", action, operation="download") as found:
            if found.status != 200:
                raise self._refused(found.status, _said(found))
            yield shelf.verified(file, found.chunks(), where=self.address)

    def write(self, file: LargeFile, chunks: Iterable[bytes]) -> None:
        """Send one, and have it verified where the server asks for that. Raises as ``_ask``."""
        answer = self._ask("upload", [file])[file]
        if answer.code:
            raise self._refused(answer.code, answer.message)
        if "upload" not in answer.actions:  # it has it
            return
        action = answer.actions["upload"]
        content = shelf.verified(file, chunks, where="our copy")
        kind = {"Content-Type": "application/octet-stream", **action.headers}
        put = batch.Action(href=action.href, headers=kind)
        with self._going("PUT", put, operation="upload", body=content, size=file.size) as done:
            if not 200 <= done.status < 300:
                raise self._refused(done.status, _said(done))
        if "verify" in answer.actions:
            self._verify(file, answer.actions["verify"])

    def _verify(self, file: LargeFile, action: batch.Action) -> None:
        body = json.dumps({"oid": file.oid, "size": file.size}).encode()
        post = batch.Action(href=action.href, headers={**_JSON, **action.headers})
        with self._going("POST", post, operation="upload", body=body) as done:
            if not 200 <= done.status < 300:
                raise self._refused(done.status, _said(done))

    def _ask(self, operation: str, files: Sequence[LargeFile]) -> dict[LargeFile, batch.Answer]:
        """What the server says of some files.

        Raises:
            UnsupportedError: It keeps no large files, or not for this repository.
            UnreachableError, ThrottledError, UnauthorisedError, ForbiddenError, RefusedError, IntegrityError.
        """
        base = self._endpoint(operation)
        ask = batch.Action(href=f"{base.url}/objects/batch", headers=_JSON)
        with self._going("POST", ask, operation=operation, body=batch.question(operation, files)) as answer:
            if answer.status in _UNSUPPORTED:
                raise errors.UnsupportedError(
                    f"{self.address} keeps no large files (git LFS): it answers {answer.status}.",
                    remedy="Turn LFS on for this repository there, or take it out of the mirror with lfs: false.",
                )
            if answer.status != 200:
                raise self._refused(answer.status, _said(answer))
            if "json" not in answer.header("content-type"):
                raise errors.UnreachableError(
                    f"{self.address} answers with something that is not git LFS (a login or maintenance page?).",
                    remedy="Open the URL in a browser to see what answers.",
                )
            return batch.answers(answer.read(_MOST_BYTES), files, address=self.address)

    @contextmanager
    def _going(
        self, method: str, action: batch.Action, *, operation: str, body: bytes | Iterable[bytes] = b"", size: int = 0
    ) -> Iterator[wire.Answer]:
        """Go to a place that the server named, and on from there when it is a GET."""
        base = self._endpoint(operation)
        target = self._judge(base.url, action.href, at=base.url)
        own, headers = places.origin_of(base.url), dict(action.headers)
        if target.origin == own and "authorization" not in {name.lower() for name in headers}:
            headers |= base.headers
        with contextlib.ExitStack() as answers:
            for _ in range(_MOST_REDIRECTS):
                call = wire.Call(
                    method=method,
                    target=target,
                    headers=headers,
                    body=body,
                    size=size,
                )
                answer = answers.enter_context(self._wire.send(call))
                if method != "GET" or answer.status not in _REDIRECTS or not answer.header("location"):
                    yield answer
                    return
                answers.close()
                following = self._judge(base.url, answer.header("location"), at=target.url)
                headers = headers if following.origin == target.origin else {}
                target = following
        raise errors.RefusedError(f"{self.address} sends us in circles.", remedy="Find out who answers there.")

    def _judge(self, base: str, href: str, *, at: str) -> places.Target:
        own = places.origin_of(base)
        if own is None:
            raise errors.RefusedError(f"{self.address} keeps its large files at no URL.", remedy="Check its LFS.")
        try:
            return places.Guard(home=own, trusted=self._trusts).judge(href, at=at)
        except errors.RefusedError as error:
            host = places.origin_of(href)
            raise errors.RefusedError(
                f"{self.address} sends us to {host or 'no URL'} for a large file: a private or unsafe address.",
                remedy="If that is right, name the host in `trusts` beside the url.",
            ) from error

    def _refused(self, status: int, said: str) -> errors.LockstepError:
        """The error that a status means."""
        kinds: dict[int, tuple[type[errors.LockstepError], str]] = {
            401: (errors.UnauthorisedError, "Check the credentials that the configuration names."),
            403: (errors.ForbiddenError, "Give this user the rights it needs there."),
            429: (errors.ThrottledError, "Mirror fewer repositories at once, or ask for a higher limit."),
            507: (errors.RefusedError, "Give the server more room for large files."),
        }
        usual = (errors.UnreachableError, "Check its log.") if status >= 500 else (errors.RefusedError, "See why.")
        kind, remedy = kinds.get(status, usual)
        why = f": {said}" if said else ""
        return kind(f"{self.address} answers {status} about a large file{why}.", remedy=remedy)


_JSON = {"Accept": batch.MEDIA_TYPE, "Content-Type": batch.MEDIA_TYPE}


def _said(answer: wire.Answer) -> str:
    """What a server says beside its status; a page says nothing."""
    text = answer.glimpse().decode(errors="replace")
    with contextlib.suppress(ValueError):
        found = orjson.loads(text)
        text = str(found.get("message", "")) if isinstance(found, dict) else ""
        return failures.clean(text)
    return "" if "<" in text else failures.clean(text)
