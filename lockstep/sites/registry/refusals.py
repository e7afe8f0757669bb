"""What a registry's refusal means, in the words of the house. Pure but for reading the answer's beginning.

Codes: distribution specification 1.1, "Error Codes". What others say instead: Quay 409 ``TAG_IMMUTABLE``,
Harbor 412 ``PRECONDITION``, ECR 400 ``TAG_INVALID`` with "immutable" in it.
"""

from __future__ import annotations

import re

import orjson

from lockstep import errors
from lockstep.sites.http.wire import Answer
from lockstep.sites.registry.retrying import AGAIN
from lockstep.values import Json

_NOT_PRINTED = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]")
_MISSING = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN"})
_WRONG = frozenset({"DIGEST_INVALID", "SIZE_INVALID", "MANIFEST_INVALID", "MANIFEST_UNVERIFIED"})
# What to do where nobody is believed, by what we showed.
_UNKNOWN = {
    "": "It wants credentials: `auth` gives none for it.",
    "Bearer": "A token was given, and does not let us in: check the name, and what these credentials may; else the "
    "clocks of the registry and of its server of tokens, and whether the one believes the other.",
}
SESSION_GONE = frozenset({"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"})
"""Codes that say that an upload has to begin again."""


def codes_of(answer: Answer) -> tuple[list[str], str]:
    """The error codes of an answer, and what it says, fit to be shown."""
    raw = answer.glimpse()
    try:
        body: Json = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    listed = body.get("errors") if isinstance(body, dict) else None
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    codes = [str(entry.get("code", "")) for entry in entries]
    said = "; ".join(f"{entry.get('code', '')} {entry.get('message', '')}".strip() for entry in entries)
    text = said or ("" if "html" in answer.header("Content-Type") else raw.decode(errors="replace"))
    for secret in answer.secrets:  # some servers repeat what they were sent
        text = text.replace(secret, "***")
    return codes, _NOT_PRINTED.sub(" ", text)[:300].strip()


def refusal(answer: Answer, what: str) -> errors.LockstepError:
    """The error for an answer that is not what was asked for.

    Args:
        answer: What came back.
        what: What was asked, such as ``writing pay/api:v1 at https://...``.
    """
    codes, text = codes_of(answer)
    said = f"{what}: {answer.status}{f', {text}' if text else ''}."
    status = answer.status
    if status == 401:
        remedy = _UNKNOWN.get(answer.shown, "Check the credentials of this registry.")
        return errors.UnauthorisedError(said, remedy=remedy)
    if status == 407:
        return errors.UnauthorisedError(said, remedy="Check the credentials of the proxy before this registry.")
    if "immutable" in text.lower() or "TAG_IMMUTABLE" in codes or (status == 412 and answer.method == "PUT"):
        return errors.RefusedError(
            f"An immutable tag names something else: {said}", remedy="Push under another tag, or unlock it there."
        )
    if status == 403 or "DENIED" in codes:
        return errors.ForbiddenError(said, remedy="Let these credentials read or write there.")
    if status == 400 and not codes and answer.url.startswith("http:"):
        # A server of TLS says no more than this to who does not speak it.
        return errors.RefusedError(said, remedy="Write https:// in its URL if it speaks TLS; else see its own log.")
    return _by_code(status, set(codes), said)


def _by_code(status: int, codes: set[str], said: str) -> errors.LockstepError:
    if "NAME_UNKNOWN" in codes and status == 404:
        return errors.NotFoundError(
            said, remedy="Some registries want a repository to be made before it is written to."
        )
    if status == 404 or _MISSING & codes:
        return errors.NotFoundError(said, remedy="It is looked at again; if it stays, push the image again.")
    if _WRONG & codes:
        return errors.IntegrityError(said, remedy="Push the image again at its source.")
    return _by_status(status, said)


def _by_status(status: int, said: str) -> errors.LockstepError:
    if status == 429:
        return errors.ThrottledError(said, remedy="It is tried again later.")
    if status in AGAIN or status >= 500:
        return errors.UnreachableError(said, remedy="It is tried again; look at the registry's own log.")
    if status == 413:
        return errors.RefusedError(
            said, remedy="Raise the limit for bodies of the registry, or of the proxy before it."
        )
    if status == 405:
        return errors.RefusedError(said, remedy="Look whether the registry is read-only, for maintenance perhaps.")
    if status < 400:
        return errors.IntegrityError(f"Not the answer of a registry: {said}", remedy="Check the address.")
    return errors.RefusedError(said, remedy="See what the registry says of it.")
