"""Large files at the end of a line that carries only so much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from lockstep.sites.ends import LargeFile, LargeFiles
from lockstep.sites.line import Pace


class Paced:
    """Large files that are written no faster than a line may carry; implements ``ends.LargeFiles``."""

    def __init__(self, files: LargeFiles, pace: Pace) -> None:
        self._files = files
        self._pace = pace

    @property
    def address(self) -> str:
        """Where they are."""
        return self._files.address

    def lacks(self, files: Sequence[LargeFile]) -> set[LargeFile]:
        """As the files themselves."""
        return self._files.lacks(files)

    def read(self, file: LargeFile) -> AbstractContextManager[Iterator[bytes]]:
        """As the files themselves: what comes from the site is not held up."""
        return self._files.read(file)

    def write(self, file: LargeFile, chunks: Iterable[bytes]) -> None:
        """Write one, in portions that the line can carry."""
        self._files.write(file, self._portions(chunks))

    def _portions(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        size = self._pace.portion
        for chunk in chunks:
            for at in range(0, len(chunk), size):
                portion = chunk[at : at + size]
                self._pace.wait(len(portion))
                yield portion
