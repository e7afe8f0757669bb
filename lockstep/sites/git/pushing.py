"""Pushes exact ids to a remote, ref by ref.

A push starts from a *view*: a repository without objects of its own that borrows ours, and whose refs are
exactly what is to be written, named as the other side names them. So the other side gets these ids and no
others, whatever is fetched meanwhile; and one pattern names them all, where git takes seconds to match a
thousand names one by one.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lockstep import children
from lockstep.sites.ends import PushOutcome, PushResult, RefUpdate
from lockstep.sites.git import failures, locks, names, packed, packs, process, seeding
from lockstep.sites.git.progress import Heard
from lockstep.sites.git.remote import Remote

# Bytes of arguments for one push: an eighth of what Linux allows (execve(2), ARG_MAX).
_MOST_ARGUMENTS = 256 * 1024
# The receiving end refuses the whole push for one ref: then the rest is tried without it, in halves.
_ALL_OR_NOTHING = ("pre-receive hook declined", "unpacker error")
# After so many new refs a repository on disk has them packed: git reads each loose one as a file of its own.
_MANY = 200
# What git itself finds when it compares leases with what the other side has, and what the other side finds after that.
_STALE = ("stale info", "fetch first", "non-fast-forward", "already exists", "needs force", "remote ref updated since")
_STALE_THERE = ("already exists", "but expected")
_THERE = "[remote rejected]"
_UNPACKING = "error: remote unpack failed:"
_LOCKED = ("cannot lock ref", "failed to update ref", "unable to create")


@dataclass(slots=True, kw_only=True)
class Pusher:
    """One pushing of some refs to a remote."""

    repository: Path
    """The bare repository that has the objects."""
    views: Path
    """Where views are made."""
    remote: Remote
    heard: Heard | None = None
    """Is told how far it is."""
    most: int = 64
    """Pushes that may be spent on finding the refs that spoil one; the others are then reported as they are."""

    def push(self, updates: Sequence[RefUpdate]) -> list[PushResult]:
        """One result for each update, in order."""
        self.remote.sweep()
        if self._seeds(updates):
            return [PushResult(update=update, outcome=PushOutcome.UPDATED, message="") for update in updates]
        results: dict[str, PushResult] = {}
        for stage in names.stages(updates):
            for batch in _batches(stage):
                results |= {result.update.ref: result for result in self._push(batch)}
        if sum(not update.old for update in updates) >= _MANY:
            self.remote.pack_refs()
        return [results[update.ref] for update in updates]

    def _seeds(self, updates: Sequence[RefUpdate]) -> bool:
        """Whether all was written at once, to a repository on disk that has nothing yet."""
        writes = {update.ref: update.new for update in updates if update.new and not update.old}
        if len(writes) < len(updates) or not seeding.is_blank(self.remote):
            return False
        return self._brings(writes) and seeding.write(self.remote, writes)

    def _brings(self, writes: dict[str, str]) -> bool:
        """Whether the objects are there now, in a shorter way than a push would take."""
        pack = packs.only_one(self.repository)
        if pack is not None and packs.bring(pack, self.remote, writes.values(), heard=self.heard):
            return True
        if len(writes) < _MANY:
            return False
        with self._view(writes) as view:
            seeding.fetch(self.remote, view, writes.values(), heard=self.heard)
        return True

    def _push(self, updates: Sequence[RefUpdate]) -> list[PushResult]:
        results = self._once(updates)
        if any(_says(result, _LOCKED) for result in results) and self.remote.clear_stale_locks():
            results = self._once(updates)
        return self._sift(results)

    def _sift(self, results: list[PushResult]) -> list[PushResult]:
        """When one ref spoiled a whole push, push the others without it: in halves, until it stands alone."""
        if len(results) < 2 or not all(_says(result, _ALL_OR_NOTHING) for result in results):
            return results
        middle = len(results) // 2
        sifted: list[PushResult] = []
        for half in (results[:middle], results[middle:]):
            again = self.most > 0
            sifted += self._sift(self._once([result.update for result in half])) if again else half
        return sifted

    def _once(self, updates: Sequence[RefUpdate]) -> list[PushResult]:
        self.most -= 1
        finished = self._run(updates)
        said = names.parse_pushed(finished.out)
        if finished.code and not all(update.ref in said for update in updates):
            raise self.remote.failure(finished)
        remark = failures.clean(_remarks(finished), secrets=self.remote.access.secrets)
        return [_result(update, *said.get(update.ref, ("!", "no answer")), remark=remark) for update in updates]

    def _run(self, updates: Sequence[RefUpdate]) -> children.Finished:
        writes = {update.ref: update.new for update in updates if update.new}
        # A ref that is new there is not forced, which git grants only for what loses nothing. All others get a
        # lease; never a "+", which would override it (git-push(1), "--force-with-lease").
        leases = [f"--force-with-lease={update.ref}:{update.old}" for update in updates if update.old]
        wanted = ["refs/*:refs/*"] if writes else [f":{update.ref}" for update in updates]
        told = "--progress" if self.heard else "--no-progress"
        options = ["--porcelain", "--no-verify", told, *self.remote.push_options, *leases]
        with self._view(writes) as view, self.remote.environment() as env:
            return process.run(
                process.Call(
                    arguments=["push", *options, "--", self.remote.location, *wanted],
                    directory=view,
                    env=env,
                    timeout_seconds=self.remote.patience.transfer_seconds,
                ),
                heard=self.heard,
            )

    @contextlib.contextmanager
    def _view(self, refs: dict[str, str]) -> Iterator[Path]:
        """A repository with exactly these refs and our objects (gitrepository-layout(5))."""
        self.views.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.views) as folder:
            view = Path(folder)
            for name in ("objects/info", "refs"):
                (view / name).mkdir(parents=True)
            (view / "HEAD").write_text("ref: refs/heads/none\n")
            (view / "config").write_bytes((self.repository / "config").read_bytes())
            (view / "objects/info/alternates").write_text(f"{os.path.realpath(self.repository / 'objects')}\n")
            packed.write(view, refs, lasting=False)
            yield view


def _batches(updates: Sequence[RefUpdate]) -> Iterator[list[RefUpdate]]:
    """The same updates, in parts whose names fit into the arguments of one command."""
    batch: list[RefUpdate] = []
    size = 0
    for update in updates:
        # A lease and a delete each name the ref; a new ref is named in the view alone.
        cost = 2 * len(os.fsencode(update.ref)) + 128 if update.old else 0
        if batch and size + cost > _MOST_ARGUMENTS:
            yield batch
            batch, size = [], 0
        batch.append(update)
        size += cost
    if batch:
        yield batch


def _says(result: PushResult, words: Sequence[str]) -> bool:
    refused = result.outcome in (PushOutcome.REJECTED, PushOutcome.LOCKED)
    return refused and any(word in result.message.lower() for word in words)


def _remarks(finished: children.Finished) -> str:
    """What the other side's hooks said, and why it could not unpack what it was sent: its disk, mostly."""
    starts = ("remote:", _UNPACKING)
    lines = (line.strip() for line in finished.said.splitlines() if line.startswith(starts))
    return "\n".join(line.removeprefix("remote:").removeprefix(_UNPACKING) for line in lines)


def _result(update: RefUpdate, flag: str, summary: str, *, remark: str) -> PushResult:
    if flag == "=":
        return PushResult(update=update, outcome=PushOutcome.UNCHANGED, message="")
    if flag != "!":
        return PushResult(update=update, outcome=PushOutcome.UPDATED, message="")
    reason = failures.clean(summary.partition("(")[2].rpartition(")")[0] or summary)
    # "non-fast-forward" of the other side is its rule (receive.denyNonFastForwards), and stays so.
    if any(word in reason for word in (_STALE_THERE if summary.startswith(_THERE) else _STALE)):
        return PushResult(update=update, outcome=PushOutcome.STALE, message=reason)
    said = f"{reason}: {remark}" if remark else reason
    outcome = PushOutcome.LOCKED if locks.SAID.search(said) else PushOutcome.REJECTED
    return PushResult(update=update, outcome=outcome, message=said)
