"""What went wrong, from what git wrote. Pure.

Git has no codes for this, only text; it is asked for English (``LC_ALL=C``), and part of the text was written
by the other side. So the text decides only which of our errors it becomes, and is shown only after it was
cleaned. The first pattern that fits counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lockstep import children, errors

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b.?")
# Control characters, and the invisible ones that turn text around (Unicode TR 36, "Bidirectional Text Spoofing").
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_LONGEST = 400
# Advice that git prints under an error; the remedy is ours to give.
_NOISE = re.compile(
    r"^(?:remote: )?hint:|^$|^To |^Warning: Permanently added|Please make sure you have the correct access rights"
    r"|and the repository exists\.|unable to read askpass response|Could not read from remote repository"
    r"|failed to push some refs"
)


@dataclass(frozen=True, slots=True)
class _Sign:
    error: type[errors.LockstepError]
    says: str
    remedy: str
    patterns: tuple[str, ...]


# What git, OpenSSH, curl and the forges write, in lower case; ours for each, the most telling first.
_SIGNS = (
    _Sign(
        errors.ConflictError,
        "moved while it was being fetched",
        "It is asked again.",
        ("not our ref", "unadvertised object", "couldn't find remote ref", "want .* not valid"),
    ),
    _Sign(  # what these three lack is looked for in vain, and what that sounds like would be told by one of the others
        errors.IntegrityError,
        "has only the newest part of its history: it is a shallow clone",
        "Complete it there: git fetch --unshallow.",
        ("shallow roots are not allowed", "shallow update not allowed"),
    ),
    _Sign(
        errors.IntegrityError,
        "has only a part of its objects: it is a partial clone",
        "Complete it there: git fetch --refetch --no-filter.",
        ("from promisor remote", "lazy fetching disabled"),
    ),
    _Sign(
        errors.IntegrityError,
        "hides a part of its history with info/grafts",
        "Take that file away there: git replace --convert-graft-file.",
        ("info/grafts is deprecated",),
    ),
    _Sign(
        errors.UnauthorisedError,
        "does not know us",
        "Check the credentials that the configuration names.",
        (
            *("could not read (?:username|password)", "authentication failed", r"error: 401", r"permission denied \("),
            *("invalid credentials", "http basic: access denied", "terminal prompts disabled"),
        ),
    ),
    _Sign(
        errors.ForbiddenError,
        "does not let us",
        "Give this user the rights it needs there.",
        (
            *("error: 403", "denied to", "denied by", "not allowed to (?:push|pull|upload|download|force)"),
            *("insufficient permission", "write access", "read[- ]only", "dubious ownership", "permission denied"),
        ),
    ),
    _Sign(
        errors.ThrottledError,
        "asks us to come back later",
        "Mirror fewer repositories at once, or ask for a higher limit.",
        ("error: 429",),
    ),
    _Sign(
        errors.NotFoundError,
        "has no such repository",
        "Make it there, or mend its name in the configuration.",
        (
            *("repository '[^']*' not found", "does not appear to be a git repository", "repository not found"),
            *("cannot find repository", "(?:project|repository) .*(?:could not be found|does not exist)"),
            *("error: 404", "no such repository"),
        ),
    ),
    _Sign(
        errors.UnreachableError,
        "shows another host key than the configuration knows",
        "Compare the key with the one that its owner publishes, then put it in knownHosts.",
        ("host key verification failed", "host key is known", "remote host identification"),
    ),
    _Sign(
        errors.UnreachableError,
        "shows a certificate that is not believed",
        "Give its authority in ca, or mend the certificate.",
        (
            "ssl certificate",
            "certificate verif",
            "certificate problem",
            "unable to get local issuer",
            "ssl: no alternative",
        ),
    ),
    _Sign(
        errors.RefusedError,
        "answers with a redirect, which is not followed",
        "Write the URL that it leads to into the configuration.",
        ("redirection", "returned error: 30[1-8]"),
    ),
    _Sign(
        errors.UnreachableError,
        "answers with something that is not git (a login or maintenance page?)",
        "Open the URL in a browser to see what answers.",
        ("not valid: is this a git repository", "invalid content-type", "unexpected .*content-type"),
    ),
    _Sign(
        errors.InputError,
        "has an address that git was not allowed to use",
        "Use a file, http, https or ssh address.",
        ("transport '[^']*' not allowed", "strange (?:path|host)name .*blocked"),
    ),
    _Sign(
        errors.UnsupportedError,
        "keeps objects under another hash algorithm, or another format",
        "Make the repository there anew with the format of the source.",
        (
            *("hash algorithm", "mismatched algorithms", "object format", "unknown repository extension"),
            r"unexpected capabilities\^",  # what a receiver of SHA-1 and a sender of SHA-256 make of each other
        ),
    ),
    _Sign(
        errors.TemporaryError,
        "sends more than the disk, the memory, or the bound for one pack, can hold",
        "Free space, or raise the bound.",
        ("no space left", "file too large", "signal 25", "quota exceeded", "out of memory", "cannot allocate memory"),
    ),
    _Sign(  # before what a cut line says: a server that finds this out hangs up too
        errors.IntegrityError,
        "has objects that are damaged",
        "Run git fsck on that repository.",
        ("corrupt loose object", "loose object .* is corrupt", "packed object .* is corrupt", "data stream error"),
    ),
    _Sign(
        errors.UnreachableError,
        "does not answer",
        "Check that it is running and that this machine can reach it.",
        (
            *(
                "could not resolve",
                "couldn't connect",
                "failed to connect",
                "connection (?:refused|reset|closed|timed out)",
            ),
            *(
                "timed out",
                "timeout",
                "no route to host",
                "network is unreachable",
                "hung up",
                "early eof",
                r"error: 5\d\d",
            ),
            *(
                "unexpected disconnect",
                "broken pipe",
                "empty reply",
                "too slow",
                "ssh: ",
                "kex_",
                "gnutls",
                "openssl",
                "socks5",
            ),
            *("recv failure", "rpc failed", "socks5"),
        ),
    ),
    _Sign(
        errors.IntegrityError,
        "lacks objects that its refs need",
        "Run git fsck on that repository.",
        (
            *(r"unable to read [0-9a-f]{40}", r"could not read [0-9a-f]{40}", r"missing (?:blob|tree|commit|object)"),
            *("bad (?:tree|commit|blob|tag)? ?object", "did not (?:send|receive)", "unable to read tree"),
        ),
    ),
    _Sign(
        errors.IntegrityError,
        "sent objects that are damaged",
        "Run git fsck on that repository.",
        (
            *(
                "fsck error",
                "error in object",
                "index-pack",
                "unpack-objects",
                "unpack failed",
                "corrupt",
            ),
            *("inflate", "hash mismatch", "pack has", "invalid object"),
        ),
    ),
)


def clean(text: str, *, secrets: Iterable[str] = ()) -> str:
    """Text of a stranger, fit to be shown: one line, no secrets, no control characters, not long."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    lines = [" ".join(_CONTROL.sub(" ", _ESCAPE.sub("", line)).split()) for line in re.split(r"[\r\n]+", text)]
    shown = "; ".join(dict.fromkeys(line for line in lines if not _NOISE.search(line)))
    shown = shown.rstrip(" .")
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def failure(finished: children.Finished, *, address: str, secrets: Iterable[str] = ()) -> errors.LockstepError:
    """The error that a git command which did not succeed means, to be raised by the caller.

    Args:
        finished: How the command ended.
        address: Whom it spoke to, fit to be shown.
        secrets: What must not be shown, should the other side have said it.
    """
    if finished.timed_out:
        return errors.UnreachableError(
            f"{address} did not answer in time.", remedy="Check that it is running and that this machine can reach it."
        )
    if finished.cut:
        return errors.RefusedError(f"{address} says more than can be taken.", remedy="Mirror fewer refs.")
    if finished.code in (126, 127) and finished.said.startswith(("git:", "env:")):
        return errors.MissingToolError("git cannot be started.", remedy="Install git 2.31 or later.")
    if finished.code == 129:  # git's code for a usage error: an option that it does not know
        return errors.MissingToolError("This git is too old.", remedy="Install git 2.31 or later.")
    said = clean(finished.said, secrets=secrets)
    lower = finished.said.lower()
    for sign in _SIGNS:
        if any(re.search(pattern, lower) for pattern in sign.patterns):
            return sign.error(f"{address} {sign.says}: {said}.", remedy=sign.remedy)
    return errors.RefusedError(f"{address}: git ended with code {finished.code}: {said}.", remedy="See what it says.")
