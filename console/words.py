"""How the words of the house are said to people: a label, a tone, and what it means in one sentence.

Tones are ``good``, ``note``, ``warn``, ``bad``, ``unknown`` and ``busy``; a colour never says what no word says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.language import mark
from lockstep.values import Health, Stance, Tier, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word as people read it; ``label`` and ``meaning`` are keys of the catalogue."""

    label: str
    tone: str
    meaning: str = ""


VERDICTS: Mapping[Verdict, Word] = {
    Verdict.UNKNOWN: Word(
        label=mark("Unknown"), tone="unknown", meaning=mark("It could not be read, so nobody can say that it is equal.")
    ),
    Verdict.MISSING_AT_STANDBY: Word(
        label=mark("Missing at standby"), tone="bad", meaning=mark("The primary runs it, the standby does not have it.")
    ),
    Verdict.PRIMARY_HOTFIX: Word(
        label=mark("Primary hot fix"),
        tone="bad",
        meaning=mark("Changed at the primary and not in git: the standby would start without it."),
    ),
    Verdict.STANDBY_DRIFT: Word(
        label=mark("Standby drift"), tone="bad", meaning=mark("Changed at the standby; git says something else.")
    ),
    Verdict.DIVERGED: Word(
        label=mark("Diverged"), tone="bad", meaning=mark("Both sites differ from git, each in its own way.")
    ),
    Verdict.EDITED_AT_BOTH: Word(
        label=mark("Edited at both"),
        tone="warn",
        meaning=mark("Both sites have the same, and git says something else."),
    ),
    Verdict.MISSING_AT_PRIMARY: Word(
        label=mark("Missing at primary"), tone="warn", meaning=mark("The standby has it, the primary does not.")
    ),
    Verdict.NOT_DEPLOYED: Word(
        label=mark("Not deployed"), tone="warn", meaning=mark("It is in git and at neither site.")
    ),
    Verdict.PRIMARY_BEHIND: Word(
        label=mark("Primary behind"), tone="warn", meaning=mark("The primary has what an older commit says.")
    ),
    Verdict.STANDBY_BEHIND: Word(
        label=mark("Standby behind"), tone="warn", meaning=mark("The standby has what an older commit says.")
    ),
    Verdict.UNDEPLOYED: Word(
        label=mark("Undeployed"), tone="warn", meaning=mark("Both sites have what an older commit says.")
    ),
    Verdict.DECLARED: Word(
        label=mark("Declared"), tone="note", meaning=mark("Git makes the sites differ here, on purpose.")
    ),
    Verdict.DISPERSED: Word(
        label=mark("Dispersed"), tone="good", meaning=mark("An archive holds what git says; nothing runs there.")
    ),
    Verdict.IN_SYNC: Word(label=mark("In sync"), tone="good", meaning=mark("Both sites have what git says.")),
}

HEALTHS: Mapping[Health, Word] = {
    Health.UNKNOWN: Word(
        label=mark("Health unknown"), tone="unknown", meaning=mark("Nobody could see whether it works.")
    ),
    Health.DEGRADED: Word(label=mark("Degraded"), tone="bad", meaning=mark("Something of it does not work.")),
    Health.MISSING: Word(label=mark("Missing"), tone="bad", meaning=mark("Nothing of it is there.")),
    Health.PROGRESSING: Word(
        label=mark("Progressing"), tone="busy", meaning=mark("Something of it starts, or waits for something.")
    ),
    Health.SUSPENDED: Word(
        label=mark("Suspended"), tone="note", meaning=mark("Somebody stopped something of it on purpose.")
    ),
    Health.HEALTHY: Word(label=mark("Healthy"), tone="good", meaning=mark("Everything that can say so works.")),
    Health.NOT_APPLICABLE: Word(
        label=mark("Not known from files"),
        tone="note",
        meaning=mark("The site keeps manifests in files: they say what should run, and not how it is."),
    ),
}

STANCES: Mapping[Stance, Word] = {
    Stance.NORMAL: Word(label=mark("Normal"), tone="good", meaning=mark("The primary is the truth.")),
    Stance.DRILL: Word(
        label=mark("Drill"), tone="note", meaning=mark("The standby is being exercised; nothing is written to it.")
    ),
    Stance.SWITCHED: Word(
        label=mark("Switched"),
        tone="warn",
        meaning=mark("The standby is the truth; only a deploy that names it writes to it."),
    ),
    Stance.RETURNING: Word(
        label=mark("Returning"), tone="warn", meaning=mark("The standby is still the truth, the primary is made ready.")
    ),
    Stance.UNKNOWN: Word(
        label=mark("Stance unknown"),
        tone="unknown",
        meaning=mark("Nobody can tell which site is the truth: nothing is written."),
    ),
}

TIERS: Mapping[Tier, Word] = {
    Tier.WARM: Word(label=mark("warm"), tone="note", meaning=mark("Everything is there and nothing runs.")),
    Tier.HOT: Word(label=mark("hot"), tone="note", meaning=mark("It runs at its floor.")),
    Tier.ACTIVE: Word(label=mark("active"), tone="note", meaning=mark("It runs as at the primary.")),
}

PLACES: Mapping[str, Word] = {
    "truth": Word(label=mark("runs the application"), tone="note"),
    "follower": Word(label=mark("protects it"), tone="note"),
    **{tier.value: word for tier, word in TIERS.items()},
}

MIRRORS: Mapping[str, Word] = {
    "equal": Word(label=mark("Equal"), tone="good"),
    "behind": Word(label=mark("Behind"), tone="warn", meaning=mark("It is known not to be equal.")),
    "held": Word(label=mark("Held"), tone="warn", meaning=mark("A guard or a stance holds it until a person decides.")),
    "refused": Word(label=mark("Refused"), tone="bad", meaning=mark("The site said no.")),
    "unreachable": Word(label=mark("Unreachable"), tone="unknown", meaning=mark("The site did not answer.")),
    "failed": Word(label=mark("Failed"), tone="bad"),
    "unequal": Word(label=mark("Not equal"), tone="bad", meaning=mark("Some tags are missing or name something else.")),
    "waiting": Word(label=mark("Not mirrored yet"), tone="unknown"),
}

TRANSFERS: Mapping[str, Word] = {
    "images": Word(label=mark("Images"), tone="busy", meaning=mark("Layers and manifests are read once and sent on.")),
    "counting": Word(label=mark("Counting"), tone="busy", meaning=mark("The objects that are lacking are looked for.")),
    "compressing": Word(label=mark("Compressing"), tone="busy", meaning=mark("The objects are packed.")),
    "receiving": Word(label=mark("Receiving"), tone="busy", meaning=mark("Objects come from there.")),
    "resolving": Word(label=mark("Checking"), tone="busy", meaning=mark("What came is unpacked and verified.")),
    "writing": Word(label=mark("Sending"), tone="busy", meaning=mark("Objects go there.")),
    "copying": Word(label=mark("Large files"), tone="busy", meaning=mark("Large files go there.")),
}

DELIVERIES: Mapping[str, Word] = {
    "received": Word(label=mark("Received"), tone="busy", meaning=mark("Stored; a worker will understand it.")),
    "done": Word(label=mark("Done"), tone="good", meaning=mark("It woke what is listed.")),
    "ignored": Word(label=mark("Ignored"), tone="note", meaning=mark("It concerns nothing that is configured.")),
    "failed": Word(label=mark("Failed"), tone="bad", meaning=mark("It could not be understood.")),
}

DEPLOYMENTS: Mapping[str, Word] = {
    "done": Word(label=mark("Deployed"), tone="good"),
    "rolling": Word(label=mark("Rolling out"), tone="busy", meaning=mark("It is written, and does not run yet.")),
    "rollingBack": Word(
        label=mark("Rolling back"), tone="busy", meaning=mark("It failed; the last good revision is being put back.")
    ),
    "recovering": Word(
        label=mark("Recovering"),
        tone="busy",
        meaning=mark("The last good revision is put back, and does not run yet."),
    ),
    "rolledBack": Word(
        label=mark("Rolled back"), tone="warn", meaning=mark("It failed; the last good revision runs again.")
    ),
    "stopped": Word(
        label=mark("Not seen through"),
        tone="warn",
        meaning=mark("It was written; its run ended before anybody saw it run."),
    ),
    "failed": Word(label=mark("Failed"), tone="bad"),
    "held": Word(label=mark("Held"), tone="warn", meaning=mark("A guard or a stance holds it until a person decides.")),
}

APPROVALS: Mapping[str, Word] = {
    "pending": Word(label=mark("Waits for a person"), tone="warn"),
    "approved": Word(label=mark("Approved"), tone="good"),
    "rejected": Word(label=mark("Rejected"), tone="bad"),
    "superseded": Word(label=mark("Superseded"), tone="note"),
    "cancelled": Word(label=mark("Cancelled"), tone="note"),
}

FINDINGS: Mapping[str, Word] = {
    "open": Word(label=mark("Open"), tone="bad"),
    "acknowledged": Word(label=mark("Acknowledged"), tone="warn"),
    "accepted": Word(label=mark("Accepted"), tone="note", meaning=mark("Somebody accepts what git declares here.")),
    "waived": Word(label=mark("Waived"), tone="note"),
    "flapping": Word(label=mark("Comes and goes"), tone="warn", meaning=mark("It came and went again and again.")),
    "resolved": Word(label=mark("Resolved"), tone="good"),
}

PROGRESS: Mapping[str, Word] = {
    "pending": Word(label=mark("Not started"), tone="note"),
    "queued": Word(label=mark("Queued"), tone="busy"),
    "running": Word(label=mark("Running"), tone="busy"),
    "waiting": Word(label=mark("Waits for a person"), tone="warn"),
    "succeeded": Word(label=mark("Succeeded"), tone="good"),
    "failed": Word(label=mark("Failed"), tone="bad"),
    "cancelled": Word(label=mark("Cancelled"), tone="note"),
    "skipped": Word(label=mark("Skipped"), tone="note"),
    "superseded": Word(label=mark("Superseded"), tone="note"),
}

JOBS: Mapping[str, Word] = {
    "queued": Word(label=mark("Queued"), tone="busy"),
    "running": Word(label=mark("Running"), tone="busy"),
    "done": Word(label=mark("Done"), tone="good"),
    "failed": Word(label=mark("Failed"), tone="bad", meaning=mark("It failed as often as it may.")),
    "aside": Word(label=mark("Set aside"), tone="bad", meaning=mark("It kept killing its worker.")),
    "cancelled": Word(label=mark("Cancelled"), tone="note"),
    "joined": Word(label=mark("Joined"), tone="note", meaning=mark("Another job for the same thing does its work.")),
}

CHANNELS: Mapping[str, Word] = {
    "working": Word(label=mark("Works"), tone="good"),
    "failing": Word(label=mark("Takes nothing"), tone="bad", meaning=mark("Its messages wait, and are tried again.")),
}

PREFLIGHTS: Mapping[str, Word] = {
    "GO": Word(label="GO", tone="good", meaning=mark("Every check was answered, and well.")),
    "CONDITIONAL": Word(
        label="CONDITIONAL", tone="warn", meaning=mark("Nothing blocks; what is open has to be signed for.")
    ),
    "NO-GO": Word(label="NO-GO", tone="bad", meaning=mark("Something blocks, or nobody can say that it does not.")),
}

OUTCOMES: Mapping[str, Word] = {
    "FAIL": Word(label=mark("Failed"), tone="bad"),
    "NOT_AUTHORIZED": Word(
        label=mark("Not authorised"), tone="unknown", meaning=mark("We may not look; that is never good.")
    ),
    "UNKNOWN": Word(
        label=mark("Unknown"), tone="unknown", meaning=mark("It could not be read, so nobody can say that it is equal.")
    ),
    "STALE": Word(label=mark("Stale"), tone="unknown", meaning=mark("The evidence is too old to stand on.")),
    "NOT_COVERED": Word(label=mark("Not covered"), tone="note", meaning=mark("Nobody has looked at it.")),
    "WARN": Word(label=mark("Warning"), tone="warn"),
    "WAIVED": Word(label=mark("Waived"), tone="note", meaning=mark("A person lives with it until a date.")),
    "PASS": Word(label=mark("Passed"), tone="good"),
    "N/A": Word(label=mark("Does not apply"), tone="note"),
}

SEVERITIES: Mapping[str, Word] = {
    "B": Word(label=mark("blocker"), tone="bad"),
    "M": Word(label=mark("major"), tone="warn"),
    "m": Word(label=mark("minor"), tone="note"),
}

HEALING_STOPPED = Word(
    label=mark("Healing is stopped"), tone="warn", meaning=mark("Nothing heals itself until a person lets it go on.")
)
STALE = Word(label=mark("Stale"), tone="unknown", meaning=mark("The evidence is too old to stand on."))
# Why a person must approve a plan (``pipelines.deploy.models.Why``).
NEEDS: Mapping[str, Word] = {
    "hotfix": Word(label=mark("overwrites an open hot fix"), tone="warn"),
    "deletes": Word(label=mark("deletes many objects"), tone="warn"),
    "unreadable": Word(label=mark("overwrites what could not be read"), tone="warn"),
}
OLDER = Word(label=mark("Older than git"), tone="warn", meaning=mark("Git has a newer commit."))
UNREAD = Word(
    label=mark("Not read"), tone="unknown", meaning=mark("It could not be read whole: what hides there is unknown.")
)
LAG_UNKNOWN = Word(label=mark("lag unknown"), tone="unknown")
TOO_LATE = Word(label=mark("More than the RPO"), tone="bad")
NEVER = Word(label=mark("Never compared"), tone="unknown", meaning=mark("Nobody has looked yet."))


def of(table: Mapping[str, Word], key: str) -> Word:
    """The word of a table; one that we do not know is shown as it is, and looks unknown."""
    return table.get(key, Word(label=key, tone="unknown"))


def verdict(text: str) -> Word:
    """The word of a stored verdict."""
    try:
        return VERDICTS[Verdict(text)]
    except ValueError:
        return Word(label=text, tone="unknown")
