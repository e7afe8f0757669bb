"""Mail, chat and many more, by Apprise: the one module that imports it.

An Apprise URL holds passwords and tokens, and Apprise writes what services answer to its log. That log is shut
here: of a failure only the status that a service gave is told.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field

from lockstep import errors

_STATUS = re.compile(r"error[= ](\d{3})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One Apprise URL; it is a secret, and never shown."""

    url: str = field(repr=False)

    def send(self, *, title: str, body: str) -> None:
        """Send plain text once.

        Raises:
            InputError: Apprise does not know such a URL.
            UnreachableError: The service does not take it now.
        """
        _shut_logs()
        # It brings a hundred services: only who tells somebody waits for them.
        import apprise

        asset = apprise.AppriseAsset(app_id="Lockstep", async_mode=False, http_redirects=False)
        # One URL, whatever commas are in it: a text that is added would be read as a list.
        service = apprise.Apprise.instantiate(self.url, asset=asset)
        if service is None:
            raise errors.InputError(
                "Apprise does not know the URL of a channel.", remedy="Write one as Apprise's documentation has it."
            )
        opened = apprise.Apprise(asset=asset)
        opened.add(service)
        result = opened.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
        if not result:
            said = " ".join(entry.message for entry in result.logs())
            status = _STATUS.search(said)
            why = f" ({status[1]})" if status else ""
            raise errors.UnreachableError(
                f"The channel does not take messages{why}.", remedy="Check its URL, and that this machine reaches it."
            )


def _shut_logs() -> None:
    """Keep Apprise's log to itself, and of its HTTP client's the part that has the paths of requests in it."""
    logging.getLogger("apprise").propagate = False
    requests = logging.getLogger("urllib3.connectionpool")
    if requests.level == logging.NOTSET:
        requests.setLevel(logging.INFO)
