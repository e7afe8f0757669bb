"""Blobs on their way to a registry (distribution specification 1.1, "Pushing blobs").

A blob goes out in one streamed PUT, because that costs the fewest requests. What breaks on the way goes on
where the registry says that it stopped; a registry that takes no large body gets it in parts. An upload of a
large blob is remembered on disk, so that the next process goes on with it: its bytes are read and verified
again, and only the rest is sent.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lockstep import errors, values
from lockstep.sites.ends import Descriptor
from lockstep.sites.http.places import Target, origin_of
from lockstep.sites.http.wire import Answer
from lockstep.sites.registry import refusals, tokens
from lockstep.sites.registry.conversation import Conversation, Question, require
from lockstep.sites.registry.feed import WINDOW_BYTES, Feed, ForgottenError
from lockstep.sites.registry.sessions import Sessions

# A blob of this size is sent from memory, and sent again as often as it takes.
_SMALL_BYTES = 2**20
# What proxies in front of registries take at least, when they do not take everything.
_PART_BYTES = 32 * 2**20
_MOST_PART_BYTES = 2**30
# How often one upload is taken up again without getting further, by so many bytes at least.
_TRIES = 3
_STEP_BYTES = 2**16
_LONGEST_COOKIE = 4096
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,18})")
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload that was begun: where it goes on, how many bytes it has, and the smallest part that it takes.

    ``cookie`` is what a balancer before the registry gave with the answer: with it the same node is asked again.
    """

    place: Target
    offset: int = 0
    least_part: int = 0
    cookie: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What every request about it says."""
        return {"Cookie": self.cookie} if self.cookie else {}


class _GoneError(errors.ConflictError):
    """The registry knows nothing of the upload: it was purged, or another of its nodes answers."""


@dataclass(slots=True, kw_only=True)
class Uploads:
    """Uploads to one registry. Safe to share between threads."""

    said: Conversation
    sessions: Sessions | None = None
    in_parts: bool = False
    """The registry, or a proxy before it, refused a large body."""
    anonymous_mounts: bool = True
    """The registry bears a mount without an origin."""
    window: int = WINDOW_BYTES
    part_bytes: int = _PART_BYTES
    _begun: dict[tuple[str, str], Upload] = field(default_factory=dict)

    def mount(self, repository: str, blob: Descriptor, *, origin: str) -> bool:
        """Take a blob over from another repository; when that fails, what was begun is used by ``send``."""
        begun = self._begin(repository, blob, origin=origin)
        if begun is not None:
            self._begun[repository, blob.digest] = begun
        return begun is None

    def send(self, repository: str, blob: Descriptor, chunks: Iterable[bytes]) -> None:
        """Send a blob. Chunks are not asked for when the registry turns out to have it.

        Raises:
            IntegrityError: The chunks are not the blob, or the registry says so.
            ConflictError: The upload was lost too far on; sent again it may succeed.
            LockstepError: What the registry says, or what ``chunks`` raises.
        """
        upload = self._begun.pop((repository, blob.digest), None) or self._taken_up(repository, blob)
        upload = upload or self._begin(repository, blob)
        if upload is None:
            return
        feed = Feed(blob, chunks, window=self.window)
        try:
            if blob.size <= _SMALL_BYTES:
                self._send_small(repository, blob, upload, feed)
            else:
                self._send_large(repository, blob, upload, feed)
        except (errors.UnreachableError, errors.ThrottledError):
            raise  # what was sent stays with the registry: the next try goes on there
        except BaseException:
            self._cancel(repository, blob, upload)
            raise
        self._forget(repository, blob)

    def _begin(self, repository: str, blob: Descriptor, *, origin: str = "") -> Upload | None:
        """Begin an upload; None when the registry took the blob over from elsewhere instead."""
        scopes: tuple[str, ...] = (tokens.push(repository),)
        query = ""
        if origin:
            query, scopes = f"?mount={blob.digest}&from={origin}", (*scopes, tokens.pull(origin))
        elif self.anonymous_mounts:
            query = f"?mount={blob.digest}"
        path = f"/v2/{repository}/blobs/uploads/"
        with self.said.ask(Question(method="POST", place=path + query, scopes=tuple(sorted(scopes)))) as answer:
            if query and answer.status == 201:
                return None
            if not query or answer.status == 202:
                require(answer, 202, what=self._what("beginning", repository, blob))
                return self._kept(repository, blob, self._upload(answer, 0))
            if not origin:
                self.anonymous_mounts = False
        # "Quay will fail if mount without from", and a mount may be forbidden: without one it may still go.
        with self.said.ask(Question(method="POST", place=path, scopes=(tokens.push(repository),))) as answer:
            require(answer, 202, what=self._what("beginning", repository, blob))
            return self._kept(repository, blob, self._upload(answer, 0))

    def _taken_up(self, repository: str, blob: Descriptor) -> Upload | None:
        """An upload that somebody began before us, if the registry still has it."""
        location = self.sessions.take(repository, blob) if self.sessions else ""
        if not location:
            return None
        with contextlib.suppress(errors.RefusedError, errors.ConflictError, errors.NotFoundError):
            place = self.said.guard.judge(location, at=f"{self.said.guard.home}/")
            return self._kept(repository, blob, self._status(repository, blob, Upload(place=place)))
        return None

    # --- sending

    def _send_small(self, repository: str, blob: Descriptor, upload: Upload, feed: Feed) -> None:
        body = feed.whole()
        for last in (False, True):
            try:
                self._close(repository, blob, upload, body)
            except (_GoneError, errors.UnreachableError):
                # The answer to a PUT that succeeded may have been lost, or another node may have been asked.
                if last:
                    raise
                again = self._begin(repository, blob)
                if again is None:
                    return
                upload = again
            else:
                return

    def _send_large(self, repository: str, blob: Descriptor, upload: Upload, feed: Feed) -> None:
        tries = _TRIES
        while True:
            before = upload.offset
            try:
                if self.in_parts or upload.offset:
                    upload = self._send_parts(repository, blob, upload, feed)
                    self._close(repository, blob, upload)
                else:
                    self._close(repository, blob, upload, feed)
            except (errors.UnreachableError, errors.ThrottledError, errors.UnauthorisedError, _GoneError) as error:
                # What was sent with a token that had just run out goes on with a new one.
                if feed.broken is not None:
                    raise
                tries = _TRIES if upload.offset > before else tries - 1
                if not tries:
                    raise
                upload = self._after(error, repository, blob, upload)
            except _TooLargeError:
                self.in_parts = True
                upload = self._begun_anew(repository, blob)
            else:
                return

    def _after(self, error: errors.LockstepError, repository: str, blob: Descriptor, upload: Upload) -> Upload:
        """Where to go on after an upload broke."""
        if not isinstance(error, _GoneError):
            with contextlib.suppress(_GoneError):
                return self._status(repository, blob, upload)
        return self._begun_anew(repository, blob)

    def _begun_anew(self, repository: str, blob: Descriptor) -> Upload:
        begun = self._begin(repository, blob)
        if begun is None:
            raise ForgottenError(f"{blob.digest} came to {repository} by another way.", remedy="It is looked at again.")
        return begun

    def _send_parts(self, repository: str, blob: Descriptor, upload: Upload, feed: Feed) -> Upload:
        """Send what is left by PATCH, in parts where that is needed, and give the upload as it is then."""
        furthest, tries = upload.offset, _TRIES
        while upload.offset < blob.size:
            part = max(self.part_bytes, upload.least_part) if self.in_parts else blob.size
            end = min(blob.size, upload.offset + part)
            question = Question(
                method="PATCH",
                place=upload.place,
                scopes=(tokens.push(repository),),
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Range": f"{upload.offset}-{end - 1}",
                    **upload.headers,
                },
                body=feed.span(upload.offset, end),
                size=end - upload.offset,
            )
            with self.said.ask(question) as answer:
                if answer.status != 416:
                    self._require(answer, 201, 202, 204, what=self._what("sending", repository, blob))
                    upload = self._upload(answer, end, before=upload)
            if answer.status == 416 or upload.offset != end:
                upload = self._status(repository, blob, upload)
                tries = _TRIES if upload.offset >= furthest + _STEP_BYTES else tries - 1
                furthest = max(furthest, upload.offset)
                if not tries:
                    raise _GoneError(f"{self.said.guard.home} takes no more of {blob.digest}.")
            self._kept(repository, blob, upload)
        return upload

    def _close(self, repository: str, blob: Descriptor, upload: Upload, body: bytes | Feed = b"") -> None:
        """The PUT that ends an upload, with all of the blob or with nothing more."""
        url = upload.place.url
        place = Target(
            url=f"{url}{'&' if '?' in url else '?'}digest={blob.digest.replace(':', '%3A')}",
            origin=upload.place.origin,
            address=upload.place.address,
        )
        streamed = isinstance(body, Feed)
        question = Question(
            method="PUT",
            place=place,
            scopes=(tokens.push(repository),),
            headers={"Content-Type": "application/octet-stream", **upload.headers},
            body=body.span(0, blob.size) if isinstance(body, Feed) else body,
            size=blob.size if streamed else 0,
            commits=True,
        )
        with self.said.ask(question) as answer:
            if answer.status == 413 and streamed:
                raise _TooLargeError("Too large for one request.")
            self._require(answer, 200, 201, 204, what=self._what("sending", repository, blob))
            told = answer.header("Docker-Content-Digest")
        like = told.partition(":")[0] == blob.digest.partition(":")[0]
        if values.is_digest(told) and like and told != blob.digest:
            raise errors.IntegrityError(
                f"{self.said.guard.home} took {blob.digest} for {told}.", remedy="Find out what answers there."
            )

    # --- the state of an upload

    def _status(self, repository: str, blob: Descriptor, upload: Upload) -> Upload:
        """Ask how far an upload has come. Raises _GoneError when it is not there any longer."""
        scopes = (tokens.push(repository),)
        question = Question(method="GET", place=upload.place, scopes=scopes, headers=upload.headers)
        with self.said.ask(question) as answer:
            self._require(answer, 200, 202, 204, what=self._what("asking about", repository, blob))
            found = self._upload(answer, 0, before=upload)
        # "0-0" is said for one byte and for none; to send one byte twice is noticed, so it counts as none.
        offset = found.offset if found.offset > 1 else 0
        if offset > blob.size:
            raise _GoneError(f"An upload of {blob.digest} has {offset} bytes of {blob.size}.")
        return replace(found, offset=offset)

    def _upload(self, answer: Answer, offset: int, *, before: Upload | None = None) -> Upload:
        """The upload as an answer tells it; ``offset`` is what it has when the answer does not say."""
        least_part = before.least_part if before else 0
        location = answer.header("Location")
        if not location and before is None:
            raise errors.IntegrityError(
                f"Not the answer of a registry: {self.said.guard.home} begins an upload and does not say where.",
                remedy="Check its address.",
            )
        said = _RANGE.fullmatch(answer.header("Range").strip())
        part = answer.header("OCI-Chunk-Min-Length")
        if _NUMBER.fullmatch(part):
            least_part = min(int(part), _MOST_PART_BYTES)
        place = self.said.guard.judge(location or answer.url, at=answer.url)
        reached = int(said[1]) + 1 if said and answer.status != 201 and said[1] != "0" else offset
        return Upload(
            place=place,
            # Nobody has a byte more than was sent: some say how many there are instead of which is the last.
            offset=offset if reached == offset + 1 and offset else reached,
            least_part=least_part,
            cookie=_cookie(answer, before.cookie if before else "") if origin_of(answer.url) == place.origin else "",
        )

    def _require(self, answer: Answer, *statuses: int, what: str) -> None:
        if answer.status in statuses:
            return
        codes, _ = refusals.codes_of(answer)
        if answer.status in (404, 416) or refusals.SESSION_GONE & set(codes):
            raise _GoneError(f"The upload is gone: {what}: {answer.status}.", remedy="It is sent again.")
        require(answer, *statuses, what=what)

    def _kept(self, repository: str, blob: Descriptor, upload: Upload) -> Upload:
        if self.sessions is not None:
            self.sessions.keep(repository, blob, upload.place.url)
        return upload

    def _cancel(self, repository: str, blob: Descriptor, upload: Upload) -> None:
        """Tell the registry that nothing more comes; if it does not listen, it purges in its own time."""
        self._forget(repository, blob)
        with contextlib.suppress(errors.LockstepError):
            scopes = (tokens.push(repository),)
            question = Question(method="DELETE", place=upload.place, scopes=scopes, headers=upload.headers)
            with self.said.ask(question):
                pass

    def _forget(self, repository: str, blob: Descriptor) -> None:
        if self.sessions is not None:
            self.sessions.forget(repository, blob)

    def _what(self, doing: str, repository: str, blob: Descriptor) -> str:
        return f"{doing} {repository}@{blob.digest} at {self.said.guard.home}"


def _cookie(answer: Answer, before: str) -> str:
    """What a balancer wants to be shown again, the newest of each name; nothing when that is longer than any needs."""
    said = [one.partition(";")[0] for one in answer.headers("Set-Cookie")]
    newest = {name.strip(): value for name, _, value in (one.partition("=") for one in (*before.split("; "), *said))}
    text = "; ".join(f"{name}={value}" for name, value in newest.items() if name)
    return text if len(text) <= _LONGEST_COOKIE and text.isascii() else ""


class _TooLargeError(errors.RefusedError):
    """The body of one request was too large for the registry or a proxy before it."""
