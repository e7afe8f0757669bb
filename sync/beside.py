"""Many questions, a few at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


def answers(ask: Callable[[_Asked], _Answer], asked: Sequence[_Asked], *, looks: int) -> list[_Answer]:
    """What ``ask`` says of each, in their order; ``looks`` are asked at once.

    A future for each of them, which ``Executor.map`` makes beforehand, would take ten times the memory of an answer.

    Raises:
        Exception: What ``ask`` raised first; what was not asked by then is not.
    """
    found: dict[int, _Answer] = {}
    places = iter(range(len(asked)))

    def work() -> None:
        for place in places:
            try:
                found[place] = ask(asked[place])
            except BaseException:
                for _ in places:  # the others end
                    pass
                raise

    with ThreadPoolExecutor(max(1, min(looks, len(asked)))) as pool:
        workers = [pool.submit(work) for _ in range(min(looks, len(asked)))]
    for worker in workers:
        worker.result()
    return [found[place] for place in range(len(asked))]
