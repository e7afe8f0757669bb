"""``lockstep notify``: the channels are listed and tried, and a secret is never said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lockstep import errors
from tests.console.cli.installed import run
from tests.support import receivers

SPEC = """apiVersion: lockstep.dev/v1alpha1
kind: Notification
metadata: {name: ops}
spec:
  apprise: [{file: chat}]
  webhooks: [{url: {file: url}, secrets: [{file: secret}]}]
"""


def test_a_test_message_goes_over_each_channel_and_says_what_became_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 when all took it, 1 when one did not; the others are tried all the same."""
    with receivers.served() as receiver, receivers.served() as chat:
        run(tmp_path, "validate", str(tmp_path / "config"))
        folder = tmp_path / "config"
        (folder / "notify.yaml").write_text(SPEC)
        (folder / "chat").write_text(f"json://127.0.0.1:{chat.port}/hidden-token")
        (folder / "url").write_text(receiver.url)
        (folder / "secret").write_text(receivers.SECRET)
        assert run(tmp_path, "notify", "test", "ops") == 0
        (came,) = receiver.came
        assert (came.believed, came.json["type"]) == (True, "lockstep.test")
        assert len(chat.came) == 1
        chat.answers.append((500, {}))
        capsys.readouterr()
        assert run(tmp_path, "notify", "test", "ops") == 1
        said = capsys.readouterr()
        assert "(500)" in said.err
        assert "hidden-token" not in said.out + said.err
        assert len(receiver.came) == 2
        assert run(tmp_path, "notify", "list", "-o", "json") == 0
        assert [one["channel"].partition(":")[0] for one in json.loads(capsys.readouterr().out)] == [
            "apprise",
            "webhook",
        ]
        with pytest.raises(errors.NotFoundError):
            run(tmp_path, "notify", "test", "nobody")
