"""``Fetch``: the files of a commit, from our own copy of the repository, into a workspace.

Params: ``repository`` (the application's by default), ``revision`` (the run's by default). Results: ``commit``,
``subject``, ``author``, ``committed-at``. The workspace is emptied first, so that a fetch that is done twice
leaves what one fetch leaves.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from lockstep import children, errors
from lockstep.sites import checkout
from pipelines.delivery import inputs
from pipelines.delivery.world import World
from pipelines.tasks import Context, Finished, Outcome


class Fetch:
    """Puts the files of a commit into a workspace."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, context: Context) -> Outcome:
        """Fetch. Raises LockstepError when there is no such commit, or it would do harm."""
        world = self._world
        revision = inputs.text(context.params, "revision", context.run.revision)
        repository = self._repository(context)
        cache = world.doors.git_cache(repository)
        commit = cache.resolve(revision)
        if commit is None:
            application = world.application(context.run.application)
            world.renderings.require(world.topology(), application, revision)
            commit = revision
        into = inputs.workspace(context)
        scratch = world.places.state / "fetching"
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            tree = Path(folder) / "tree"
            found = checkout.extract(cache, commit, tree)
            _give(tree, context.identity)
            _empty(into)
            for entry in tree.iterdir():
                entry.rename(into / entry.name)
        about = cache.commit(commit)
        context.log(f"{repository} {commit[:12]}: {found.files} files, {about.subject!r} by {about.author}")
        for path in found.submodules:
            context.log(f"{path} is a submodule: its content is in another repository and was not fetched.")
        for path in found.lfs:
            context.log(f"{path} is a pointer to large content: the content was not fetched.")
        results = {
            "commit": commit,
            "subject": about.subject,
            "author": about.author,
            "committed-at": about.committed_at.isoformat(),
        }
        return Finished(results=results, detail={"commit": commit, "files": found.files})

    def _repository(self, context: Context) -> str:
        given = inputs.text(context.params, "repository")
        if not context.run.application:
            if given and self._world.topology().git_mirrors_of(given):
                return given
            raise errors.InputError(
                f"No GitMirror covers the repository {given!r}.",
                remedy="Mirror it, or start the run for an application.",
            )
        own = self._world.application(context.run.application).spec.source.repository
        if given not in ("", own):
            raise errors.InputError(
                f"{given} is not the repository of {context.run.application}.",
                remedy=f"Fetch {own}, or leave the param repository out.",
            )
        return own


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _give(tree: Path, identity: children.Identity | None) -> None:
    """Make the files those of the user whose steps work on them."""
    if identity is None:
        return
    for folder, _, files in os.walk(tree):
        for path in (folder, *(str(Path(folder) / name) for name in files)):
            os.lchown(path, identity.uid, identity.gid)
