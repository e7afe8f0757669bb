"""Sentences that other rooms wrote down in English, said in the reader's language.

What a worker notes (why a delivery was ignored, how many tasks a run has completed) is stored as a sentence.
Each sentence that people meet often stands here as it is made, with its parts named, the longer one before its own
beginning; one that is not here is shown as it was written. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from console import readiness, words
from console.language import Catalogue, mark

SAYINGS: Sequence[str] = (
    # webhooks.admission and webhooks.receiver
    mark("it came from a network that may not post"),
    mark("its media type is not one that this sender posts"),
    mark("its body is compressed"),
    mark("it was not signed"),
    mark("its signature is not ours"),
    mark("it is larger than the hook allows"),
    # webhooks.process and webhooks.providers
    mark("the hook is not configured any more"),
    mark("no GitMirror that this hook may wake covers %(name)s"),
    mark("no ImageMirror that this hook may wake takes %(name)s"),
    mark("the event '%(event)s' moves no ref"),
    mark("the action '%(action)s' brings no image"),
    mark("%(type)s is not a manifest"),
    mark("Lockstep pushed it itself"),
    mark("a push that names no ref"),
    mark("a push that names no image"),
    mark("the post names no repository"),
    mark("the envelope holds no event"),
    mark("The body is not JSON: %(why)s"),
    # pipelines.delivery
    mark("the pair %(pair)s is in the stance %(stance)s"),
    mark("deployed to %(sites)s"),
    # pipelines.approval
    mark("approved by %(names)s"),
    mark("rejected by %(names)s: %(why)s"),
    mark("rejected by %(names)s"),
    # drift.inventory, drift.implied, drift.judging and drift.examine, and the ends of sites that could not be read
    mark("everything at %(site)s: %(why)s"),
    mark("everything at %(site)s"),
    mark("The archive %(directory)s is not there. Mount its disk, or make the directory."),
    mark(
        "The directory %(directory)s is not there. Mount its disk, or make it: an empty directory is an empty cluster."
    ),
    mark("imagePrefix of the sites"),
    mark("site value %(name)s"),
    mark("CronJobs are suspended at a standby"),
    mark("floor of the tier hot"),
    mark("an overlay does not excuse another image"),
    mark("an overlay does not excuse a missing variable"),
    mark("an overlay does not excuse a missing key of a Secret"),
    mark("an overlay does not excuse another probe"),
    mark("an overlay does not excuse smaller resources"),
    mark("an overlay does not excuse fewer replicas than the floor"),
    # drift.expected
    mark("It expired on %(day)s. %(owner)s renews it or takes it out."),
    mark("Its expression takes too long. Write a simpler one."),
    mark("It covers no difference. Mend what it is at, or take it out."),
    mark("It explains differences in more than a quarter of all objects. Write what exactly may differ."),
    mark("It says otherwise of a field than %(rule)s, which is as narrow. Neither counts: mend one of them."),
    mark("against the rule %(name)s: %(why)s"),
    mark("it is still encrypted in git: decrypt it while rendering, or list it under outOfGit"),
    mark("served as %(versions)s, which we cannot compare with each other"),
    # drift.imaging
    mark("another image runs than the one that is pinned"),
    mark("one tag is several images where it runs, or in the registries that it is pulled from"),
    mark("nobody knows whether what runs is what is pinned: nobody looked into that image"),
    mark("nobody knows whether what runs at both sites is one image"),
    mark("nobody knows which image is meant: %(why)s"),
    mark("no digest of %(image)s is known"),
    # drift.heard and drift.asking
    mark("the server of %(site)s makes it so when git is applied"),
    mark("the server of %(site)s would refuse to change it: %(why)s"),
    mark("the server-side dry run at %(site)s failed: %(why)s"),
    mark("what it says is not shown, because it may quote the Secret"),
    # drift.health and lockstep.manifests.health
    mark("nothing of it is there"),
    mark("it is not known from files"),
    mark("is being deleted"),
    mark("is paused"),
    mark("is suspended"),
    mark("waits for its controller"),
    mark("made no progress within its deadline"),
    mark("has %(some)s of %(all)s replicas updated"),
    mark("has %(some)s of %(all)s replicas available"),
    mark("has %(some)s of %(all)s replicas ready"),
    mark("has %(some)s of %(all)s Pods updated"),
    mark("has %(some)s of %(all)s Pods available"),
    mark("has replicas of the version before"),
    mark("is being updated"),
    mark("cannot start %(container)s: %(reason)s"),
    mark("is placed on no node: %(why)s"),
    mark("has not started"),
    mark("is running"),
    mark("is not ready"),
    mark("is not ready, and was restarted: %(reason)s"),
    mark("is not ready, and was restarted"),
    mark("%(container)s ended with %(code)s: %(reason)s"),
    mark("did not succeed the last time"),
    mark("has no load balancer yet"),
    mark("is served by no load balancer yet"),
    mark("has no volume yet"),
    mark("has lost its volume"),
    mark("is not established yet"),
    # Tekton's own sentences
    mark("PipelineRun was stopping"),
    mark("PipelineRun was gracefully cancelled"),
    mark("PipelineRun was gracefully stopped"),
    mark("When Expressions evaluated to false"),
    mark("Parent Tasks were skipped"),
    mark("Results were missing"),
    mark("Matrix Parameters have an empty array"),
    mark('PipelineRun "%(name)s" was cancelled: %(newer)s has taken its place'),
    mark('PipelineRun "%(name)s" was cancelled'),
    mark("CustomRun cancelled as the PipelineRun it belongs to has been cancelled."),
    mark('"%(step)s" exited with code %(code)s: Error'),
    mark(
        "Tasks Completed: %(completed)s (Failed: %(failed)s, Cancelled %(cancelled)s), "
        "Incomplete: %(incomplete)s, Skipped: %(skipped)s"
    ),
    mark("Tasks Completed: %(completed)s (Failed: %(failed)s, Cancelled %(cancelled)s), Skipped: %(skipped)s"),
    mark("All Steps have completed executing"),
    *readiness.SAYINGS,
    # What something that an object owns suffers from: its name is anybody's.
    mark("%(kind)s %(name)s: %(why)s"),
)
_PART = re.compile(r"%\((\w+)\)s")


def _pattern(saying: str) -> re.Pattern[str]:
    pieces = _PART.split(saying)
    texts, names = pieces[::2], pieces[1::2]
    parts = [f"(?P<{name}>.*?)" for name in names]
    joined = re.escape(texts[0]) + "".join(part + re.escape(text) for part, text in zip(parts, texts[1:], strict=True))
    return re.compile(joined, re.DOTALL)


# Some have a semicolon of their own.
_WHOLE = frozenset(saying for saying in SAYINGS if not _PART.search(saying))
_PATTERNS = tuple((saying, _pattern(saying)) for saying in SAYINGS)


def say(sentence: str, catalogue: Catalogue) -> str:
    """A stored sentence in the reader's language, as far as it is known; several are joined by a semicolon."""
    if sentence in _WHOLE:
        return catalogue.text(sentence)
    return "; ".join(_one(part, catalogue) for part in sentence.split("; ")) if sentence else ""


def _one(sentence: str, catalogue: Catalogue) -> str:
    for saying, pattern in _PATTERNS:
        if match := pattern.fullmatch(sentence):
            parts = {name: _part(name, part, catalogue) for name, part in match.groupdict().items()}
            return catalogue.text(saying) % parts
    return sentence


def _part(name: str, part: str, catalogue: Catalogue) -> str:
    """A part of a sentence: a reason is a sentence of its own, a verdict has a word; names stay as they are."""
    if name == "why":
        return _one(part, catalogue)
    return catalogue.text(words.verdict(part).label) if name == "verdict" else part
