"""The installation's token: made once, kept to ourselves, compared by hash."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from console import token
from console.token import Token
from lockstep import errors


def test_the_first_start_makes_a_token_that_only_we_can_read(tmp_path: Path) -> None:
    """The file has mode 0600, and what is given to be printed is what it holds."""
    file = tmp_path / "state" / "token"
    made, text = token.open_token(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() == text
    assert made.matches(text)
    assert [entry.name for entry in file.parent.iterdir()] == ["token"]


def test_later_starts_read_it_and_print_nothing(tmp_path: Path) -> None:
    """The token stays the same; its text is given away once."""
    _, text = token.open_token(tmp_path / "token")
    again, printed = token.open_token(tmp_path / "token")
    assert again.matches(text)
    assert printed == ""


def test_processes_that_start_at_once_agree_on_one_token(tmp_path: Path) -> None:
    """Of several starts one makes the token, and all have the same."""
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: token.open_token(tmp_path / "token"), range(8)))
    assert len({made.mark for made, _ in opened}) == 1
    assert sum(bool(text) for _, text in opened) == 1


@pytest.mark.parametrize("text", ["", "short", "   \n"])
def test_a_file_without_a_token_is_refused(tmp_path: Path, text: str) -> None:
    """An empty or guessable token would let anybody in."""
    (tmp_path / "token").write_text(text)
    with pytest.raises(errors.InputError, match="no token"):
        token.open_token(tmp_path / "token")


def test_a_place_that_cannot_hold_a_token_is_said(tmp_path: Path) -> None:
    """A directory in the place of the file is an error with a remedy."""
    (tmp_path / "token").mkdir()
    with pytest.raises(errors.InputError, match="cannot be used"):
        token.open_token(tmp_path / "token")


def test_a_token_that_others_may_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It works, as a mounted Secret must, and the log says what to change."""
    (tmp_path / "token").write_text("x" * 32)
    (tmp_path / "token").chmod(0o644)
    token.open_token(tmp_path / "token")
    assert "make its mode 0600" in caplog.text


@pytest.mark.parametrize("text", ["", "the toke", "the token ", "THE TOKEN", "토큰", "\udcff"])
def test_only_the_token_matches(text: str) -> None:
    """Cut, longer, of another case, of other letters: no."""
    assert not Token.of("the token").matches(text)


def test_a_token_does_not_show_itself() -> None:
    """Neither the token nor its digest is in what is printed of it."""
    assert repr(Token.of("the token")) == "Token()"
