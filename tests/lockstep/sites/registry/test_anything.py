"""Whatever a registry answers to whatever question: an error of the house or the truth, soon, and no secret told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.sites.http.wire import Patience
from lockstep.sites.registry import RegistryStore
from lockstep.sites.registry.credentials import Credential
from tests.support import images, mini_registry, token_server
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Raw, Reply, Scripted

NAME = "pay/api"
SECRET = "not-to-be-told"
DATA = b"layer" * 5000
LARGE = bytes(range(256)) * 6000
HASTY = Patience(
    connect_seconds=2,
    silence_seconds=0.1,
    commit_seconds=0.1,
    slow_seconds=0.2,
    answer_seconds=0.5,
    drain_seconds=0.05,
    tries=2,
    pause_seconds=0.001,
    most_pause_seconds=0.01,
)
# More than any question needs with every one of its tries; whoever asks for ever asks more.
MOST_REQUESTS = 80


@dataclass(frozen=True, slots=True)
class Bent:
    """The true answer, with other headers, perhaps another status, and perhaps another body."""

    headers: Mapping[str, str]
    status: int = 0
    body: Callable[[bytes], bytes] = field(default=lambda body: body)


class Known:
    """What the registry truly has: one image, its last layer, and what refers to it."""

    def __init__(self, http: Scripted, tokens: token_server.TokenServer) -> None:
        maker = Maker(store=http.store(), repository=NAME)
        self.http = http
        self.tokens = tokens
        self.image = maker.image(DATA, tag="v1")
        self.about = self._manifest(maker.artifact(self.image, b"signature"))
        self.layer = oci.contents(self._manifest(self.image)).blobs[-1]
        self.blobs = deepcopy(http.blobs)
        self.manifests = deepcopy(http.manifests)
        self.tags = deepcopy(http.tags)

    def _manifest(self, named: ends.Descriptor) -> ends.Manifest:
        found = self.http.store().manifest(NAME, named.digest)
        assert found is not None
        return found

    def store(self) -> RegistryStore:
        """A door that knows nothing yet, to a registry that has what it had."""
        http = self.http
        http.blobs, http.manifests, http.tags = deepcopy(self.blobs), deepcopy(self.manifests), deepcopy(self.tags)
        http.uploads = {}
        http.asked.clear()
        return http.store(
            patience=HASTY,
            source=lambda: Credential(username="robot", password=SECRET),
            trusted=(self.tokens.host,),
            pause=lambda _seconds: None,
        )


@pytest.fixture(scope="module")
def known() -> Iterator[Known]:
    """A registry, and a server of tokens beside it."""
    with mini_registry.serve() as http, token_server.serve() as tokens:
        yield Known(http, tokens)


# --- what may be asked, and what is wrong with what came back


def _resolve(store: RegistryStore, known: Known) -> bool:
    found = store.resolve(NAME, known.image.digest)
    return found is None or found.digest == known.image.digest


def _manifest(store: RegistryStore, known: Known) -> bool:
    found = store.manifest(NAME, known.image.digest)
    return found is None or images.digest(found.raw) == known.image.digest


def _read(store: RegistryStore, known: Known) -> bool:
    return images.read(store, NAME, known.layer) == known.blobs[NAME][known.layer.digest]


def _write(data: bytes) -> Callable[[RegistryStore, Known], bool]:
    def write(store: RegistryStore, _known: Known) -> bool:
        chunks = (data[at : at + 300_000] for at in range(0, len(data), 300_000))
        store.write_blob(NAME, images.blob(data), chunks)
        return True

    return write


def _listed(store: RegistryStore, _known: Known) -> bool:
    tags = store.tags(NAME)
    return tags is None or not any(tags.values())


def _put(store: RegistryStore, known: Known) -> bool:
    store.write_manifest(NAME, known.about, tag="v2")
    return True


QUESTIONS: dict[str, Callable[[RegistryStore, Known], bool]] = {
    "tags": _listed,
    "catalog": lambda store, _known: isinstance(store.repositories(), list),
    "tag": lambda store, _known: store.resolve(NAME, "v1") is not ...,  # type: ignore[comparison-overlap]  # any answer
    "digest": _resolve,
    "manifest": _manifest,
    "referrers": lambda store, known: isinstance(store.referrers(NAME, known.image.digest), list),
    "blob": lambda store, known: store.has_blob(NAME, known.layer) in (True, False),
    "read": _read,
    "small": _write(b"small"),
    "large": _write(LARGE),
    "mount": lambda store, known: store.mount_blob("other/one", known.layer, origin=NAME) in (True, False),
    "put": _put,
    "untag": lambda store, _known: store.untag(NAME, "v1") in (True, False),
}

# --- what a registry may say


class _Long(str):
    """A long word that is shown by its beginning."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{self[:20]}... ({len(self)})"


PLACES = ["http://[::1", "//[", "http://169.254.169.254/", "", "?", "/", "ftp://x/", "http://a..b/", "http://h:99999/"]
WORDS = [
    *PLACES, "0", "-1", "9" * 30, "9" * 5000, "NaN", "0-" + "9" * 18, "0-0", "bytes 0-0/*", "bytes 9-1/0", "gzip",
    "identity, br", "chunked", "Basic", "Bearer", 'Bearer realm="http://["', 'Bearer realm="/token",scope="::: a"',
    '<http://[::1>; rel="next"', "<?n=1>; rel=next", "<" * 3000, "sha256:" + "0" * 64, "sha999:x", "text/html",
    'application/json; charset="utf-16"', "Wed, 21 Oct 2099 07:28:00 GMT", "Mon, 99 Foo 99999 99:99:99 +9999",
    "a=b; " * 900, "\xff\xfe", "\u0663",
]  # fmt: skip
HEADERS = [
    "Location", "Link", "Content-Type", "Content-Encoding", "Content-Range", "Range", "Docker-Content-Digest",
    "WWW-Authenticate", "Retry-After", "Date", "RateLimit-Remaining", "OCI-Subject", "OCI-Chunk-Min-Length",
    "Set-Cookie", "Transfer-Encoding", "Connection", "Warning",
]  # fmt: skip
STATUSES = [
    *(100, 200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406),
    *(407, 408, 409, 410, 412, 413, 415, 416, 418, 421, 426, 429, 451, 500, 501, 502, 503, 504, 511, 599, 999),
]  # fmt: skip
# Shown shortly, so that a failure can be read.
WORDS = [_Long(word) if len(word) > 1000 else word for word in WORDS]
_WRONG = b'{"mediaType":"x","digest":"sha256:%s","size":%s}'
BODIES = [
    b"", b"null", b"[]", b"{}", b"1", b"[" * 2000, b'{"a":' * 1100, b"\xff\xfe{\0}\0", b"<html></html>",
    b'{"tags":{}}', b'{"tags":[1,null,{},"../x","\\ud800"]}', b'{"repositories":[["a"]]}', b'{"manifests":null}',
    b'{"schemaVersion":2,"manifests":[null]}', b'{"manifests":[' + _WRONG % (b"0" * 64, b"1e400") + b"]}",
    b'{"schemaVersion":2,"manifests":[' + _WRONG % (b"0" * 64, b"9" * 40) + b"]}", b'{"config":[],"layers":{}}',
    b'{"errors":[{"code":{"a":[1]},"message":[1]}]}', b'{"errors":[null,1,"x"]}', b'{"token":null,"access_token":5}',
    b'{"token":"a b"}', b'{"token":"t","expires_in":1e308}', b'{"token":"t","expires_in":-9e99}',
]  # fmt: skip
LINES = [
    b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 99 x\r\n\r\n", b"HTTP/1.1 999 \xff\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxxxx",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 50, b"HTTP/2 200\r\n\r\n", b"\x16\x03\x01\x02\x00", b"SSH-2.0-OpenSSH\r\n",
    b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n",
]  # fmt: skip

_headers = st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(WORDS), max_size=4)
_bends = st.sampled_from([bytes.upper, lambda body: body[:-1], lambda body: body + b"x", bytes])
_answers = st.one_of(
    st.builds(Bent, headers=_headers, status=st.sampled_from([0, 0, 0, *STATUSES]), body=_bends),
    st.builds(Reply, st.sampled_from(STATUSES), st.sampled_from(BODIES), _headers, cut=st.sampled_from([-1, -1, 0, 3])),
    st.builds(
        Reply,
        st.sampled_from([301, 307, 401]),
        headers=st.fixed_dictionaries(
            {"Location": st.sampled_from(PLACES), "WWW-Authenticate": st.sampled_from(WORDS)}
        ),
    ),
    st.builds(Raw, st.sampled_from(LINES), stays=st.sampled_from([False, False, False, True])),
)
_scripts = st.lists(st.none() | _answers, min_size=1, max_size=8)


@pytest.mark.parametrize("question", QUESTIONS)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=_scripts, granted=st.lists(st.none() | _answers, max_size=2), bearer=st.booleans(), keeps=st.booleans())
def test_whatever_is_answered_it_is_the_truth_or_an_error(
    known: Known,
    question: str,
    *,
    answers: list[Bent | Reply | Raw | None],
    granted: list[Bent | Reply | Raw | None],
    bearer: bool,
    keeps: bool,
) -> None:
    """Only errors of the house come out, of a bounded number of requests; no wrong byte is taken or left anywhere."""
    store = known.store()
    known.http.referrers = keeps
    known.http.script = _saying(known.http, answers, challenge=f'Bearer realm="{known.tokens.url}/t"' if bearer else "")
    known.tokens.http.script = _saying(known.tokens.http, granted, otherwise=known.tokens.answer)
    said = ""
    try:
        assert QUESTIONS[question](store, known)
    except errors.LockstepError as error:
        said = f"{error}{error.remedy}"
    assert SECRET not in said
    assert len(known.http.asked) <= MOST_REQUESTS
    for blobs in known.http.blobs.values():
        assert all(images.digest(data, digest.partition(":")[0]) == digest for digest, data in blobs.items())


def _saying(
    http: Scripted,
    answers: list[Bent | Reply | Raw | None],
    *,
    challenge: str = "",
    otherwise: mini_registry.Script = lambda _asked: None,
) -> mini_registry.Script:
    """These answers in turn, and what is right after them; with a challenge, to those who show a token alone."""
    left = list(answers)

    def script(asked: Asked) -> Reply | Raw | None:
        if challenge and "authorization" not in asked.headers:
            return Reply(401, headers={"WWW-Authenticate": challenge})
        said = left.pop(0) if left else None
        if not isinstance(said, Bent):
            return said or otherwise(asked)  # type: ignore[return-value]  # no script here swallows
        true = http.answer(asked, b"") if asked.method in ("GET", "HEAD", "POST") else Reply(said.status or 201)
        return replace(
            true,
            status=said.status or true.status,
            body=said.body(true.body),
            headers={**true.headers, **said.headers},
        )

    return script
