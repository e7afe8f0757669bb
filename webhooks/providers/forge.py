"""The dialect that GitHub began and that Gitea, Forgejo and Gogs speak too: push, create, delete."""

from __future__ import annotations

from lockstep import values
from lockstep.values import Json
from webhooks import events
from webhooks.providers import payload

CONTENT_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})
_URLS = ("clone_url", "ssh_url", "git_url", "html_url", "svn_url", "url")
_PREFIXES = {"branch": "refs/heads/", "tag": "refs/tags/"}


def parse(event: str, body: bytes) -> list[events.Event]:
    """What one post of such a forge means.

    Raises:
        InputError: The body is not a JSON object.
    """
    document = payload.read(body)
    if event == "push":
        return [_push(document)]
    if event in ("create", "delete"):
        return [_named(event, document)]
    return [events.Nothing(reason=f"the event {event!r} moves no ref")]


def _push(document: dict[str, Json]) -> events.Event:
    ref = payload.text(document, "ref")
    if not ref.startswith("refs/"):
        return events.Nothing(reason="a push that names no ref")
    before, after = _oid(document, "before"), _oid(document, "after")
    deleted, created = payload.flag(document, "deleted"), payload.flag(document, "created")
    action = events.action_of(before, after)
    # Gitea has no flags and GitHub has both; where they disagree, what is gone is gone.
    if deleted:
        action = events.Action.DELETE
    elif created and action is not events.Action.DELETE:
        action = events.Action.CREATE
    return _moved(document, ref=ref, action=action, before=before, after=after, forced=payload.flag(document, "forced"))


def _named(event: str, document: dict[str, Json]) -> events.Event:
    # These carry a short ref with its type beside it; a tag and a branch may have the same name.
    prefix = _PREFIXES.get(payload.text(document, "ref_type"))
    name = payload.text(document, "ref")
    if prefix is None or not name:
        return events.Nothing(reason=f"a {event} that names neither a branch nor a tag")
    ref = name if name.startswith("refs/") else prefix + name
    action = events.Action.CREATE if event == "create" else events.Action.DELETE
    after = _oid(document, "sha") if event == "create" else ""
    return _moved(document, ref=ref, action=action, before="", after=after, forced=None)


def _moved(
    document: dict[str, Json], *, ref: str, action: events.Action, before: str, after: str, forced: bool | None
) -> events.Event:
    repository = payload.at(document, "repository")
    names = payload.distinct([payload.text(repository, "full_name")])
    urls = payload.distinct(payload.text(repository, key) for key in _URLS)
    if not names and not urls:
        return events.Nothing(reason="the post names no repository")
    return events.GitPush(
        names=names,
        urls=urls,
        ref=ref,
        kind=events.kind_of(ref),
        action=action,
        before="" if values.is_null_oid(before) else before,
        after="" if values.is_null_oid(after) else after,
        forced=forced,
    )


def _oid(document: dict[str, Json], key: str) -> str:
    text = payload.text(document, key)
    return text if values.is_oid(text) else ""
