"""The configuration in force while its files change."""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lockstep import clock, errors
from lockstep.topology import files, watch

GOOD = """apiVersion: lockstep.dev/v1alpha1
kind: Site
metadata: {name: NAME}
spec: {git: {directory: ../git}}
"""


class Later:
    """A clock that is an hour ahead: every file is at rest."""

    def now(self) -> datetime:
        """The wall time, an hour from now."""
        return datetime.now(UTC) + timedelta(hours=1)

    def monotonic(self) -> float:
        """Not asked for here."""
        raise NotImplementedError


def write(directory: Path, name: str) -> None:
    """A configuration of one site of this name."""
    directory.mkdir(exist_ok=True)
    (directory / "site.yaml").write_text(GOOD.replace("NAME", name))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A configuration of the site seoul."""
    write(tmp_path / "configuration", "seoul")
    return tmp_path / "configuration"


def sites(current: watch.Current) -> list[str]:
    """The names of the sites in force."""
    return list(current.topology.sites)


def test_the_first_load_of_a_broken_configuration_raises(tmp_path: Path) -> None:
    """There is no last good configuration to fall back to."""
    with pytest.raises(errors.ConfigurationError):
        watch.Current(tmp_path, clock.SystemClock())


def test_an_edit_comes_into_force(directory: Path) -> None:
    """What is in force changes, with its time, and only then."""
    current = watch.Current(directory, clock.SystemClock())
    before = current.loaded_at
    assert not current.refresh()
    assert current.loaded_at == before
    write(directory, "sejong")
    assert current.refresh()
    assert sites(current) == ["sejong"]
    assert current.loaded_at > before


def test_a_bad_edit_leaves_the_last_good_configuration_in_force(directory: Path) -> None:
    """The problems of the files are shown while what was good goes on, and go away when they are mended."""
    current = watch.Current(directory, clock.SystemClock())
    (directory / "pair.yaml").write_text("kind: [")
    assert not current.refresh()
    assert sites(current) == ["seoul"]
    assert [problem.file for problem in current.problems] == ["pair.yaml"]
    (directory / "pair.yaml").unlink()
    assert not current.refresh()
    assert not current.problems


def test_a_problem_without_a_file_goes_away_too(directory: Path) -> None:
    """A link that leads nowhere changes no file, neither when it comes nor when it goes."""
    current = watch.Current(directory, Later())
    (directory / "link.yaml").symlink_to("nowhere")
    assert not current.refresh()
    assert len(current.problems) == 1
    (directory / "link.yaml").unlink()
    current.refresh()
    assert not current.problems


def test_a_directory_that_is_gone_takes_nothing_with_it(directory: Path) -> None:
    """The last good configuration stays in force, and comes back into step when the directory does."""
    current = watch.Current(directory, clock.SystemClock())
    shutil.rmtree(directory)
    assert not current.refresh()
    assert sites(current) == ["seoul"]
    assert len(current.problems) == 1
    write(directory, "daegu")
    assert current.refresh()
    assert sites(current) == ["daegu"]
    assert not current.problems


def test_a_link_that_is_swapped_is_followed(tmp_path: Path) -> None:
    """git-sync and Kubernetes replace the directory by another one in one step; its own name stays."""
    write(tmp_path / "revision-1", "seoul")
    write(tmp_path / "revision-2", "sejong")
    link = tmp_path / "current"
    link.symlink_to("revision-1")
    current = watch.Current(link, Later())
    (tmp_path / "new").symlink_to("revision-2")
    (tmp_path / "new").rename(link)
    assert current.refresh()
    assert sites(current) == ["sejong"]
    assert current.topology.directory == link


def test_files_at_rest_are_not_read_again(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing changes a refresh only looks."""
    current = watch.Current(directory, Later())
    monkeypatch.delattr(files, "read")
    assert not current.refresh()


def test_a_file_that_has_just_changed_is_read_again(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two edits within one tick of the file system look the same: a young file is read until it is at rest."""
    stamp = files.stamp(directory)
    monkeypatch.setattr(files, "stamp", lambda _: stamp)
    current = watch.Current(directory, clock.SystemClock())
    write(directory, "sejong")
    assert current.refresh()
    assert sites(current) == ["sejong"]


def test_a_change_while_reading_is_left_for_the_next_look(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of an edit never comes into force."""
    current = watch.Current(directory, clock.SystemClock())
    read = files.read

    def read_in_the_middle(path: Path) -> files.Files:
        half = read(path)
        write(path, "sejong")
        return half

    write(directory, "half")
    monkeypatch.setattr(files, "read", read_in_the_middle)
    assert not current.refresh()
    assert sites(current) == ["seoul"]
    monkeypatch.setattr(files, "read", read)
    assert current.refresh()
    assert sites(current) == ["sejong"]


def test_many_threads_see_only_whole_configurations(directory: Path) -> None:
    """Whoever refreshes and whoever reads, a state is one that was written."""
    current = watch.Current(directory, clock.SystemClock())
    names = [f"site-{number}" for number in range(20)]
    seen: list[list[str]] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            current.refresh()
            seen.append(sites(current))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for name in names:
        new = directory / ".new"
        new.write_text(GOOD.replace("NAME", name))
        new.replace(directory / "site.yaml")
    done.set()
    for thread in threads:
        thread.join()
    current.refresh()
    assert sites(current) == [names[-1]]
    assert all(len(names) == 1 for names in seen)
    assert not current.problems
