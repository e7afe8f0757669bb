"""How we say who we are: Basic, or a bearer for exactly the scopes that one request needs.

Each set of scopes has a token of its own (distribution, "Token Authentication Specification"). Scopes are never
added up: a token for everything that was ever asked grows until no registry accepts the header.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Container, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

import orjson

from lockstep import errors
from lockstep.sites.http.places import Guard, Target
from lockstep.sites.http.wire import Answer, Call
from lockstep.sites.registry import challenges, credentials, retrying
from lockstep.sites.registry.challenges import Challenge
from lockstep.values import Json

_TOKEN_BYTES = 256 * 2**10
# A token without a life has this one, and none is used in its last seconds (the specification, "expires_in").
_LEAST_SECONDS = 60.0
_EARLY_SECONDS = 10.0
_MOST_TOKENS = 1000
_SOUND = re.compile(r"[\x21-\x7e]{1,65536}")

Scopes = tuple[str, ...]
"""Such as ``repository:pay/api:pull,push``, sorted."""


def pull(repository: str) -> str:
    """The scope for reading."""
    return f"repository:{repository}:pull"


def push(repository: str) -> str:
    """The scope for writing."""
    return f"repository:{repository}:pull,push"


def delete(repository: str) -> str:
    """The scope for deleting; registries that know no such action ignore it."""
    return f"repository:{repository}:delete,pull,push"


def writing(scopes: Scopes, repositories: Container[str]) -> Scopes:
    """The scopes of somebody who writes to some repositories; what is taken over from another is only read there."""
    if len(scopes) == 1 and scopes[0].endswith(":pull") and scopes[0].split(":")[1] in repositories:
        return (f"{scopes[0]},push",)
    return scopes


CATALOG = "registry:catalog:*"
"""The scope for listing repositories."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    value: str
    until: float


class Keys:
    """The ``Authorization`` header for each request to one registry. Safe to share between threads.

    Args:
        source: Reads the credential.
        guard: Judges where tokens may be fetched.
        send: Sends one request to the server of tokens.
        now: A clock that only goes forward.
    """

    def __init__(
        self,
        source: credentials.Source,
        *,
        guard: Guard,
        send: Callable[[Call], AbstractContextManager[Answer]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._guard = guard
        self._send = send
        self._now = now
        self._lock = threading.Lock()
        self._fetching: dict[Scopes, threading.Lock] = {}
        self._tokens: dict[Scopes, _Token] = {}
        self._asked: Challenge | None = None
        # What was asked for these scopes: a realm, and what the registry calls a repository, may be of their own.
        self._challenges: dict[Scopes, Challenge] = {}

    def header(self, scopes: Scopes) -> str:
        """What to send with a request; empty as long as the registry has not asked who we are."""
        own = self._challenges.get(scopes)
        asked = own or self._asked
        if asked is None:
            return ""
        if asked.scheme == "basic":
            return self._basic()
        if own is not None:
            return self._bearer(own, scopes)
        try:
            return self._bearer(replace(asked, parameters={**asked.parameters, "scope": ""}), scopes)
        except errors.RefusedError:
            return ""  # another realm may be right here: the registry says so when it is asked without a token

    def learn(self, answer: Answer, scopes: Scopes, *, refused: str) -> bool:
        """Understand a 401: whether asking again, now with ``header``, may help.

        ``refused`` is the header that was sent: the same one would be refused again.
        """
        offered = challenges.parse(answer.headers("WWW-Authenticate"))
        asked = next((one for one in offered if one.scheme == "bearer" and one.parameters.get("realm")), None)
        asked = asked or next((one for one in offered if one.scheme == "basic"), None)
        if asked is None:
            return False
        with self._lock:
            self._asked = self._challenges[scopes] = asked
            token = self._tokens.get(scopes)
            if token is not None and refused == f"Bearer {token.value}":
                del self._tokens[scopes]
        if refused and isinstance(self._source, credentials.Program):
            self._source.forget()
        return not refused.startswith("Basic ") or self._basic() != refused

    def _basic(self) -> str:
        found = self._source()
        return found.basic if found else ""

    def _bearer(self, asked: Challenge, scopes: Scopes) -> str:
        with self._lock:
            fetching = self._fetching.setdefault(scopes, threading.Lock())
        with fetching:  # sixteen requests that need one token fetch it once
            token = self._tokens.get(scopes)
            if token is None or token.until <= self._now():
                token = self._fetch(asked, scopes)
                with self._lock:
                    if len(self._tokens) >= _MOST_TOKENS:
                        self._tokens.clear()
                        self._fetching.clear()
                        self._challenges.clear()
                    self._tokens[scopes] = token
        return f"Bearer {token.value}"

    def _fetch(self, asked: Challenge, scopes: Scopes) -> _Token:
        found = self._source()
        if found is not None and found.bearer:
            return _Token(value=found.bearer, until=self._now() + _LEAST_SECONDS)
        target = self._guard.judge(asked.parameters.get("realm", ""), at=f"{self._guard.home}/v2/")
        wanted = _merged(scopes, asked.parameters.get("scope", ""))
        call = _question(target, asked.parameters.get("service", ""), wanted, found)
        with self._send(call) as answer:
            if answer.status != 200:
                raise _refusal(f"{target.origin} gives no token for {', '.join(scopes)}", answer.status)
            body = answer.read(_TOKEN_BYTES)
        return self._token(body, target)

    def _token(self, body: bytes, target: Target) -> _Token:
        try:
            said: Json = orjson.loads(body)
        except orjson.JSONDecodeError:
            said = None
        value = (said.get("token") or said.get("access_token")) if isinstance(said, dict) else None
        if not isinstance(value, str) or not _SOUND.fullmatch(value):
            raise errors.UnauthorisedError(
                f"{target.origin} answers without a token.", remedy="Check the realm of this registry."
            )
        seconds = said.get("expires_in")
        life = float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else 0.0
        return _Token(value=value, until=self._now() + max(life, _LEAST_SECONDS) - _EARLY_SECONDS)


def _question(target: Target, service: str, scopes: Sequence[str], found: credentials.Credential | None) -> Call:
    """How to ask for a token: by GET as docker does, by POST with an identity token (OAuth 2, RFC 6749, 6)."""
    fields = [("service", service)] if service else []
    if found is not None and found.identity_token:
        fields += [
            ("grant_type", "refresh_token"),
            ("client_id", "lockstep"),
            ("refresh_token", found.identity_token),
            ("scope", " ".join(scopes)),
        ]
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return Call(method="POST", target=target, headers=headers, body=urlencode(fields).encode())
    fields += [("scope", scope) for scope in scopes]
    query = urlencode(fields, quote_via=quote, safe="")
    url = f"{target.url}{'&' if '?' in target.url else '?'}{query}"
    headers = {"Accept": "application/json"}
    if found is not None and found.basic:
        headers["Authorization"] = found.basic
    asked = Target(url=url, origin=target.origin, address=target.address)
    return Call(method="GET", target=asked, headers=headers)


def _refusal(what: str, status: int) -> errors.LockstepError:
    """Nothing of the answer is shown: it may repeat what the question held."""
    said = f"{what}: it answers {status}."
    if status == 429:
        return errors.ThrottledError(said, remedy="It is tried again later.")
    if status in retrying.AGAIN or status >= 500:
        return errors.UnreachableError(said, remedy="It is tried again; look at the log of that server of tokens.")
    return errors.UnauthorisedError(said, remedy="Check the credentials of this registry.")


def _merged(ours: Scopes, theirs: str) -> list[str]:
    """The scopes that the registry named for this request, and ours for what it did not name.

    A registry may name fewer actions than a token is needed for: to ask how far an upload has come takes but ``pull``.
    """
    wanted: dict[str, dict[str, None]] = {}
    for scope in theirs.split():
        if scope.count(":") >= 2:
            about, _, actions = scope.rpartition(":")
            wanted.setdefault(about, {}).update(dict.fromkeys(actions.split(",")))
    alone = next(iter(wanted)) if len(wanted) == len(ours) == 1 else ""
    for scope in ours:
        about, _, actions = scope.rpartition(":")
        wanted.setdefault(alone or about, {}).update(dict.fromkeys(actions.split(",")))
    return [f"{about}:{','.join(actions)}" for about, actions in wanted.items()]
