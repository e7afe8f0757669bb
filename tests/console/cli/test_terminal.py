"""What strangers wrote is shown as it is: it neither styles nor steers a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cli import terminal


@given(st.text())
def test_no_text_steers_a_terminal(text: str) -> None:
    """No control but tab and line feed is left, and what is safe stays as it is."""
    shown = terminal.safe(text)
    assert not any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 for sign in shown if sign not in "\t\n")
    assert terminal.safe(shown) == shown


@pytest.mark.parametrize("text", ["[red]x[/]", "[/nothing]", "\x1b[2J", "결재 \u202egpj.exe"])
def test_a_cell_of_a_table_is_what_it_says(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Brackets are no markup, and an escape sequence is written out."""
    terminal.write_table(("a",), [(text,)], empty="-")
    terminal.say(text, lead=text)
    out, err = capsys.readouterr()
    assert terminal.safe(text) in out
    assert terminal.safe(text) in err
    assert "\x1b" not in out + err


def test_a_table_without_rows_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty table would look like a mistake."""
    terminal.write_table(("run",), [], empty="No runs yet.")
    assert capsys.readouterr().out == "No runs yet.\n"
