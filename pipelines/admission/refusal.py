"""A run that cannot start: the reason and the message that Tekton gives for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines import graph


class Refusal(Exception):  # noqa: N818 - it is an answer, told by the name of Tekton's reason
    """The run is refused: its condition becomes False with this reason and message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def condition(self) -> graph.Condition:
        """The condition of the run."""
        return graph.Condition(status="False", reason=self.reason, message=self.message)


def user_error(reason: str, message: str) -> Refusal:
    """A refusal that the author of a document can mend; Tekton says so in front."""
    return Refusal(reason, f"[User error] {message}")


def go_list(items: Iterable[str]) -> str:
    """A list as Go prints it: ``[a b]``."""
    return f"[{' '.join(items)}]"


def go_map(items: Mapping[str, Iterable[str]]) -> str:
    """A mapping of lists as Go prints it: ``map[a:[b c]]``."""
    return f"map[{' '.join(f'{key}:{go_list(items[key])}' for key in sorted(items))}]"
