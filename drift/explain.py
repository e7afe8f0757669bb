"""The narrowest rule that would cover a difference, for a person to read, to correct and to accept. Pure.

A rule says that two sites are meant to differ. It never speaks of a live field against its own git: what somebody
changed by hand is committed or undone, not explained.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from drift import paths, rule_rows
from drift.implied import SiteFacts
from drift.rows import Row
from drift.sides import ABSENT, Value
from lockstep import errors
from lockstep.topology import selectors, templates
from lockstep.values import Json, Verdict

# Long enough to plan by, short enough that somebody looks again.
_LASTS = timedelta(days=180)
_SLUG = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 63
# The tokens of a path as people write it: a key, a quoted key, the label of an entry.
_WRITTEN = re.compile(r'\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|\[(?P<label>[^\]]*)\]|(?P<key>[^.\[\]#]+)')
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+/[A-Z]+")


def propose(row: Row, *, application: str, facts: tuple[SiteFacts, SiteFacts], switched: bool, today: date) -> Json:
    """An ExpectedDifference that covers exactly this difference, as a document.

    Args:
        row: The difference.
        application: Whose it is.
        facts: The pair's primary and its standby.
        switched: Whether the configured standby is the truth while this is compared.
        today: The day from which it would hold.

    Raises:
        InputError: No rule may cover it, or nobody knows what it is.
    """
    if rule_rows.is_rule(row.key):
        raise errors.InputError("It is about a rule, which no rule explains.", remedy="Mend the rule, or take it out.")
    if row.verdict is Verdict.UNKNOWN:
        raise errors.InputError("Nobody has seen it, so no rule can say what is meant.", remedy="Make it readable.")
    values = row.values
    for live, git in (("primary", "gitPrimary"), ("standby", "gitStandby")):
        if _has_git(row) and values.get(live, ABSENT) != values.get(git, ABSENT):
            raise errors.InputError(
                f"{row.site} is not as git says, and no rule explains that: rules are about sites that differ.",
                remedy="Commit what was changed, or deploy again what git says.",
            )
    at_truth, at_follower = values.get("primary", ABSENT), values.get("standby", ABSENT)
    ours = (at_follower, at_truth) if switched else (at_truth, at_follower)
    return {
        "apiVersion": "lockstep.dev/v1alpha1",
        "kind": "ExpectedDifference",
        "metadata": {"name": _name(row)},
        "spec": {
            "applications": [application],
            "pairs": [row.pair],
            "at": [_at(row)],
            **_how(row, ours, facts),
            "reason": "TODO: why the sites differ here",
            "owner": "TODO: who answers for it",
            "expires": (today + _LASTS).isoformat(),
        },
    }


def _has_git(row: Row) -> bool:
    return "gitPrimary" in row.values or "gitStandby" in row.values


def _how(row: Row, values: tuple[Value, Value], facts: tuple[SiteFacts, SiteFacts]) -> dict[str, Json]:
    """The rule itself: the narrowest kind that the values allow."""
    left, right = values
    if left is ABSENT or right is ABSENT:
        return {"onlyAt": [facts[0 if right is ABSENT else 1].name]}
    texts = _text(left), _text(right)
    if row.key.kind == "Secret" or None in texts or any(_is_hidden(text) for text in texts):
        return {"ignore": True}
    template = _template(str(texts[0]), str(texts[1]), facts)
    if template:
        return {"perSite": template}
    # An expression may not be empty; this one matches nothing but the empty text.
    pattern = re.escape(str(texts[0])) or "(?:)"
    return {"map": [{"from": pattern, "to": str(texts[1]).replace("\\", r"\\")}]}


def _template(left: str, right: str, facts: tuple[SiteFacts, SiteFacts]) -> str:
    """A template that gives each site its own; empty when no one site value does."""
    mine, theirs = facts[0].values, facts[1].values
    for name in sorted(mine, key=lambda one: len(mine[one]), reverse=True):
        if not mine[name] or name not in theirs or mine[name] not in left:
            continue
        parts = [part.replace("{", "{{").replace("}", "}}") for part in left.split(mine[name])]
        template = f"{{{name}}}".join(parts)
        if [templates.fill(template, site.values) for site in facts] == [left, right]:
            return template
    return ""


def _text(value: Value) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _is_hidden(text: str | None) -> bool:
    """Whether a value is not what it reads as: masked, or cut because it is long."""
    return text is not None and ("(hidden " in text or text.startswith("hmac:") or text.endswith(" characters)"))


def _at(row: Row) -> str:
    key = row.key
    kind = f"{key.kind}.{key.group}" if key.group else key.kind
    if not row.path:
        return f"{kind}/{key.name}"
    outer, inside, inner = row.path.partition("#/")
    tokens, labels = selectors.parse_pointer(outer), _labels(row.people_path)
    # A key with signs of its own in it may be read as two: then entries go by their places.
    named = tuple(map(_named, tokens, labels)) if len(labels) == len(tokens) else tokens
    order = f"/{paths.ORDERED}" if row.people_path.endswith(f" {paths.ORDERED}") else ""
    return f"{kind}/{key.name} {selectors.write_pointer(named)}{'#/' + inner if inside else ''}{order}"


def _labels(people_path: str) -> list[str]:
    """The tokens of the path as people write it, entries by their labels."""
    found = _WRITTEN.finditer(people_path.removesuffix(f" {paths.ORDERED}").partition("#")[0])
    return [match["quoted"] or match["label"] or match["key"] or "" for match in found]


def _named(token: str, label: str) -> str:
    """An entry by what it is called, for places change; anything else as it stands."""
    return label if token.isdigit() and _LABEL.fullmatch(label) else token


def _name(row: Row) -> str:
    words = f"{row.key.kind} {row.key.name} {row.people_path.rpartition('.')[2]}".lower()
    return _SLUG.sub("-", words).strip("-")[:_LONGEST_NAME].strip("-")
