"""Mail and chat by Apprise, to real servers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from lockstep import errors
from lockstep.sites.channels import chat
from tests.support import receivers, smtp

PASSWORD = "hunter2-is-no-secret"


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Everything that any part of the process logs, where the service's log is."""
    kept = StringIO()
    handler, root = logging.StreamHandler(kept), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield kept
    root.removeHandler(handler)
    root.setLevel(level)


def mail(port: int) -> chat.Chat:
    """A channel to a mail server."""
    return chat.Chat(
        url=f"mailto://127.0.0.1:{port}?smtp=127.0.0.1&mode=insecure&from=lockstep@bank.example&to=ops@bank.example"
    )


def test_a_mail_comes_with_title_and_text_as_they_are() -> None:
    """Korean, signs that mean something elsewhere, and lines."""
    with smtp.served() as mails:
        mail(mails.port).send(title="[Lockstep] pay: 새로 생김 2건", body="• <b>ConfigMap</b> pay/app\n• *두 번째*")
        (came,) = mails.came
    assert came["Subject"] == "[Lockstep] pay: 새로 생김 2건"
    text = came.get_body(("plain", "html")).get_content()  # type: ignore[union-attr]  # it has one
    assert "ConfigMap" in text
    assert "두 번째" in text


def test_a_server_that_says_no_is_tried_again_later() -> None:
    """A refusal and a silent port are temporary."""
    with smtp.served() as mails:
        mails.refuse = True
        with pytest.raises(errors.UnreachableError):
            mail(mails.port).send(title="t", body="b")
    with pytest.raises(errors.UnreachableError):
        mail(mails.port).send(title="t", body="b")


@pytest.mark.parametrize("url", ["", "nonsense", "unknown://x/y", f"slack://{PASSWORD}"])
def test_a_url_that_apprise_does_not_know_is_refused_and_not_repeated(url: str, log: StringIO) -> None:
    """Neither the error nor any log has it."""
    with pytest.raises(errors.InputError) as refused:
        chat.Chat(url=url).send(title="t", body="b")
    assert PASSWORD not in str(refused.value) + log.getvalue() + repr(chat.Chat(url=url))


def test_no_secret_of_a_url_reaches_a_log(log: StringIO) -> None:
    """A chat that answers with a failure: its status is told, and nothing of the URL."""
    with receivers.served() as receiver:
        url = f"json://ops:{PASSWORD}@127.0.0.1:{receiver.port}/{PASSWORD}"
        receiver.answers += [(403, {})]
        with pytest.raises(errors.UnreachableError, match="403") as failed:
            chat.Chat(url=url).send(title="t", body="b")
    assert PASSWORD not in str(failed.value) + log.getvalue()
