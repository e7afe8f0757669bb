"""What strangers wrote is shown as it is: it neither styles nor steers a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cli import acting, terminal


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


@pytest.mark.parametrize("total", [None, 20_000_000])
@pytest.mark.parametrize("of_bytes", [False, True])
def test_progress_is_shown_also_where_nobody_knows_yet_how_much_there_is_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], total: int | None, of_bytes: bool
) -> None:
    """At a terminal, on stderr; bytes are told as people read them, and a pipe gets nothing."""
    for forced, is_shown in (("1", True), ("", False)):
        monkeypatch.setenv("FORCE_COLOR", forced)
        with acting.progress(*(acting.of_bytes() if of_bytes else ())) as bar:
            task = bar.add_task("mirroring", total=None)
            bar.update(task, completed=5_000_000, total=total)
        out, err = capsys.readouterr()
        assert out == ""
        assert ("mirroring" in err) is is_shown
        assert not (is_shown and of_bytes) or "5.0" in err
