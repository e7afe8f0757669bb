"""Lists that come in pages: tags, repositories, referrers (distribution specification 1.1, "Listing Tags")."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import orjson

from lockstep import errors, values
from lockstep.sites.http.places import Target
from lockstep.sites.http.wire import Answer
from lockstep.sites.registry import tokens
from lockstep.sites.registry.conversation import Conversation, Question, require
from lockstep.values import Json

_log = logging.getLogger(__name__)
# ECR refuses to give more at once.
_PAGE = 1000
_PAGE_BYTES = 16 * 2**20
_MOST_PAGES = 1000
# All pages of one list together: half a million of the longest tags.
_LIST_BYTES = 64 * 2**20
_MOST_NAMES = 500_000
# RFC 8288: spaces around "=", several relations in quotes, other parameters before it.
_NEXT = re.compile(
    r"<([^>]*)>(?:\s*;\s*(?!rel\b)[\w*-]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s\",;]*))?)*"
    r"\s*;\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|'next'|next(?![\w-]))",
    re.IGNORECASE,
)
_LONGEST_LINK = 8192
_ABSENT = frozenset({404})


def tags(said: Conversation, repository: str) -> list[str] | None:
    """The tags of a repository, each once, sorted; None when there is no such repository.

    Raises:
        IntegrityError: It pages for ever, or answers something else than a list.
    """
    question = Question(method="GET", place=f"/v2/{repository}/tags/list?n={_PAGE}", scopes=(tokens.pull(repository),))
    found: set[str] = set()
    for page in pages(said, question, what=f"listing the tags of {repository} at {said.guard.home}"):
        if page is None:
            return None
        if "tags" in page.body or page.body.get("name") != repository:  # some leave out an empty list
            found.update(_names(page.body, "tags"))
    return sorted(_sound(found, values.is_tag, f"{repository} at {said.guard.home}"))


def repositories(said: Conversation) -> list[str]:
    """Every repository of the registry that we may see, sorted.

    Raises:
        UnsupportedError: The registry does not tell, as most shared ones.
    """
    question = Question(method="GET", place=f"/v2/_catalog?n={_PAGE}", scopes=(tokens.CATALOG,))
    found: set[str] = set()
    try:
        for page in pages(said, question, what=f"listing the repositories at {said.guard.home}"):
            if page is None:
                raise _unlisted(said, "it has no such list.")
            found.update(_names(page.body, "repositories"))
    except errors.RefusedError as error:  # no such question (405), or not for us (401, 403)
        raise _unlisted(said, error.message) from error
    return sorted(_sound(found, values.is_repository, str(said.guard.home)))


def _unlisted(said: Conversation, why: str) -> errors.UnsupportedError:
    return errors.UnsupportedError(
        f"{said.guard.home} does not list its repositories: {why}", remedy="Name them one by one in the mirror."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its JSON object, and the media type that it came with."""

    body: dict[str, Json]
    media_type: str


class StrangeError(errors.IntegrityError):
    """What answers is no JSON object."""


def pages(
    said: Conversation, question: Question, *, what: str, absent: Collection[int] = _ABSENT
) -> Iterator[Page | None]:
    """The pages of a list, following ``Link``; a single None when the list is not there, by the statuses ``absent``.

    Raises:
        StrangeError: A page is no JSON object.
        IntegrityError: A page comes twice, or there is no end of them.
    """
    seen: set[str] = set()
    left = _LIST_BYTES
    place: str | Target | None = question.place
    while place is not None:
        asked = replace(question, place=place)
        with said.ask(asked) as answer:
            if answer.status in absent and not seen:
                yield None
                return
            require(answer, 200, what=what)
            raw = answer.read(_PAGE_BYTES)
            page = Page(body=_object(raw, answer, what), media_type=_media_type(answer))
            place = _next(said, answer)
            seen.add(answer.url)
        yield page
        left -= len(raw)
        if place is not None and (place.url in seen or len(seen) > _MOST_PAGES or left < 0):
            raise errors.IntegrityError(f"The registry pages for ever: {what}.", remedy="Find out what answers there.")


def _next(said: Conversation, answer: Answer) -> Target | None:
    for header in answer.headers("Link"):
        found = _NEXT.search(header[:_LONGEST_LINK])
        if found:
            target = said.guard.judge(found[1], at=answer.url)
            if target.origin != said.guard.home:
                raise errors.RefusedError(
                    f"{said.guard.home} has its next page at {target.origin}.", remedy="Check its address."
                )
            return target
    return None


def _object(raw: bytes, answer: Answer, what: str) -> dict[str, Json]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        kind = _media_type(answer) or "nothing"
        raise StrangeError(
            f"Not the answer of a registry: {what}: it answers with {kind}.",
            remedy="Check the address of the registry.",
        )
    return body


def _media_type(answer: Answer) -> str:
    return answer.header("Content-Type").partition(";")[0].strip().lower()[:100]


def _names(body: dict[str, Json], key: str) -> list[str]:
    listed = body.get(key, ...)
    if listed is None:  # Go writes an empty list so
        return []
    if not isinstance(listed, list) or len(listed) > _MOST_NAMES:
        raise errors.IntegrityError(
            f"A registry answers without a list of {key}.", remedy="Check the address of the registry."
        )
    return [name for name in listed if isinstance(name, str)]


def _sound(names: set[str], is_name: Callable[[str], bool], where: str) -> Iterator[str]:
    for name in names:
        if is_name(name):
            yield name
        else:
            _log.warning("%s lists %.80r, which is no name that anybody can ask for.", where, name)
