"""Old faults of objects, as git tells them while it runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.sites.git.faults import Faults

OID = "5f" * 20
TOLD = f"warning: object {OID}: badDate: invalid author/committer line - bad date\n"
OTHER = "error: object x: hasDotgit: contains '.git'\n"


def _sieved(text: str, cut: int) -> tuple[str, str]:
    faults, data = Faults(), text.encode()
    kept = b"".join(faults.feed(data[at : at + cut]) for at in range(0, len(data), cut))
    return (kept + faults.rest()).decode(), str(faults)


@given(st.lists(st.sampled_from([TOLD, OTHER, "\n", "half"]), max_size=6), st.integers(1, 200))
def test_what_is_taken_out_does_not_depend_on_how_it_comes_in_pieces(parts: list[str], cut: int) -> None:
    """Whole lines that tell of such a fault are counted, everything else is kept as it was."""
    text = "".join(parts)
    kept, told = _sieved(text, cut)
    lines = text.splitlines(keepends=True)
    count = lines.count(TOLD)
    assert kept == "".join(line for line in lines if line != TOLD)
    assert told == (f"badDate in {count} object{'s' if count > 1 else ''} ({OID[:12]})" if count else "")


@pytest.mark.parametrize(
    "line",
    [
        f"remote: {TOLD}",
        TOLD.replace("badDate", "hasDotgit"),
        TOLD.replace("warning", "error"),
        TOLD.replace(OID, "short"),
        TOLD.rstrip("\n") + "x" * 2000 + "\n",
    ],
    ids=["of the other side", "a fault that harms", "an error", "no id", "endless"],
)
def test_only_a_warning_of_our_own_git_about_such_a_fault_is_taken_out(line: str) -> None:
    """What else is written stays, for whoever reads what went wrong."""
    assert _sieved(line, 100) == (line, "")
