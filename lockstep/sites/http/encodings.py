"""Bodies that a server packed (RFC 9110, 8.4). We ask for them as they are; some proxies pack all the same. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from lockstep import errors

_PLAIN = frozenset({"", "identity"})
_GZIP = frozenset({"gzip", "x-gzip"})
# So much is unpacked at once: whoever reads stops when it is too much, however small it was packed.
_PIECE_BYTES = 2**16
# zlib: a gzip header, the largest window.
_WINDOW_BITS = 31


def is_plain(encoding: str) -> bool:
    """Whether a body with this ``Content-Encoding`` is sent as it is."""
    return encoding.strip().lower() in _PLAIN


def decoded(chunks: Iterable[bytes], encoding: str, *, where: str) -> Iterator[bytes]:
    """A body as it is, in pieces.

    Args:
        chunks: What is sent.
        encoding: ``Content-Encoding``, empty when there is none.
        where: Who answers, for a message.

    Raises:
        IntegrityError: It is packed in another way than by gzip, or is not what it says.
    """
    if is_plain(encoding):
        yield from chunks
        return
    if encoding.strip().lower() not in _GZIP:
        raise _wrong(f"{where} answers in the encoding {encoding[:40]!r}, which nobody asked for.")
    unpacking = zlib.decompressobj(_WINDOW_BITS)
    for chunk in chunks:
        left = chunk
        while left:
            try:
                piece = unpacking.decompress(left, _PIECE_BYTES)
            except zlib.error as error:
                raise _wrong(f"{where} answers with what it calls gzip and is none.") from error
            left = unpacking.unconsumed_tail
            if piece:
                yield piece
    if not unpacking.eof:
        raise _wrong(f"{where} answers with gzip that is cut.")


def _wrong(message: str) -> errors.IntegrityError:
    return errors.IntegrityError(message, remedy="Check the address, and the proxies before that server.")
