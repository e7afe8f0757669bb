"""Every rule of comparing that is kept is shown by a folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from drift import catalogue, verdict
from lockstep.topology.selectors import write_pointer
from lockstep.values import Json, Verdict
from tests.drift import golden
from tests.drift.mutation import filling

FOLDERS = sorted(folder for folder in golden.FOLDER.iterdir() if folder.is_dir())
KEPT = {row.id for row in catalogue.ROWS if row.attitude is not catalogue.Attitude.NOT_OURS}
# The ids of the studies; an id that is missing here was never weighed.
WEIGHED = (
    {f"N{number:02}" for number in range(1, 35)}
    | {f"F{number:02}" for number in range(1, 15)}
    | {f"R{number:02}" for number in range(1, 6)}
    | {f"X{number:02}" for number in range(1, 19)}
    | {"X14b", "2.5", "L01", "L02", "L03"}
    | {f"2.6.{number}" for number in range(1, 10)}
    | {f"G{number}" for number in range(1, 11)}
)
# Rows that say what has to be told, where others are silent; N07 is what reading a file makes of its numbers.
TOLD = {"F08", "F11", "F12", "F13", "G6", "N02", "N07", "N20", "N28", "N34", "X03", "X12", "X14b", "X15"}
_OTHER = {"primary": "standby", "standby": "primary"}
# Verdicts that speak of one site, with the site that they do not speak of.
_ELSEWHERE = {"StandbyDrift": "primary", "MissingAtStandby": "primary", "PrimaryHotfix": "standby"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_finds_exactly_what_it_expects(folder: Path) -> None:
    """What is noise is not found, and what differs is, each with its verdict and its place."""
    case = golden.Case.read(folder)
    found = [golden.row(difference) for difference in case.survey().differences]
    assert found == case.found, case.about


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_seen_from_the_other_site_is_mirrored(folder: Path) -> None:
    """When the standby is the truth, the same differences are found with the other site's names."""
    case = golden.Case.read(folder)
    if case.protection is not None:
        pytest.skip("a tier protects the follower, and the follower has none when it is the truth")
    found = Counter((one.key, one.verdict, one.path) for one in case.survey().differences)
    other = Counter((one.key, verdict.mirrored(one.verdict), one.path) for one in case.survey(swapped=True).differences)
    assert found == other


def _written(manifests: list[dict[str, Json]]) -> dict[tuple[str, ...], dict[str, str]]:
    """What stands at the ends of some objects as they are written, by object and place."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for one in manifests:
        ends = {write_pointer(path): repr(value) for path, value in filling.walk(one) if _is_end(value)}
        found.setdefault((one["kind"], one["metadata"]["name"]), {}).update({**ends, "": "there"})
    return found


def _is_end(value: Json) -> bool:
    return value in ({}, []) or not isinstance(value, dict | list)


def _silent(case: golden.Case, site: str) -> set[tuple[tuple[str, ...], str]]:
    """Where a site differs from git as it is written, or from the other site, and nothing is told of it there."""
    both = {"primary": _written(case.primary), "standby": _written(case.standby)}
    git, here, other = _written(case.git[site == "standby"]), both[site], both[_OTHER[site]]
    told = [(one["object"].partition(" ")[2].rpartition("/")[2], one["at"]) for one in case.found]
    told = [one for one, found in zip(told, case.found, strict=True) if _ELSEWHERE.get(found["verdict"]) != site]
    return {
        (key, place)
        for key in {*git, *here, *other}
        for place in {**git.get(key, {}), **here.get(key, {}), **other.get(key, {})}
        if here.get(key, {}).get(place) != (git or other).get(key, {}).get(place)
        and not any(name == key[1] and place.startswith(at.partition("#")[0]) for name, at in told)
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_shows_what_its_row_is_about(folder: Path) -> None:
    """Something differs as it is written and is silent, or it is a row of what others miss and is told."""
    case = golden.Case.read(folder)
    silent = {*_silent(case, "primary"), *_silent(case, "standby")}
    assert silent or (folder.name in TOLD and case.found), case.about


def test_every_row_was_weighed_once() -> None:
    """No row of the studies was passed over, and none was weighed twice."""
    assert Counter(row.id for row in catalogue.ROWS) == Counter(WEIGHED)


def test_every_row_that_is_kept_has_a_folder() -> None:
    """A rule that nobody can look at is not kept; a folder without a rule shows nothing."""
    assert {folder.name for folder in FOLDERS} == KEPT


def test_rows_that_are_not_ours_say_why() -> None:
    """Whoever looks for a rule finds the reason why it is not there."""
    assert all(row.reason for row in catalogue.ROWS if row.attitude is catalogue.Attitude.NOT_OURS)


def test_no_folder_hides_everything() -> None:
    """Rules take noise away from beside a difference: together the folders show most verdicts."""
    shown = {one["verdict"] for folder in FOLDERS for one in golden.Case.read(folder).found}
    assert shown >= {
        verdict_.value
        for verdict_ in (Verdict.STANDBY_DRIFT, Verdict.PRIMARY_HOTFIX, Verdict.DIVERGED, Verdict.UNKNOWN)
    }
