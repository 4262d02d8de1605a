r"""Line ends of texts whose lines end in ``\r`` alone.

The first ``BLOCK_BYTES`` of a text decide: with a ``\r`` and without a ``\n`` in them, each ``\r`` of the text is a line end. It
is replaced by ``\n``, which leaves all offsets as they are.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from pyspark_logs.errors import CorruptFileError
from pyspark_logs.records.blocks import BLOCK_BYTES


def ends_in_carriage_returns(chunks: Iterator[bytes]) -> bool:
    r"""Returns True if lines end in ``\r`` alone; takes as many chunks of the beginning of a text as it needs.

    >>> ends_in_carriage_returns(iter([b"one\rtwo\r"])), ends_in_carriage_returns(iter([b"one\r\n"]))
    (True, False)
    """
    rest, found = BLOCK_BYTES, False
    for chunk in chunks:
        piece = chunk[:rest] if len(chunk) > rest else chunk
        if b"\n" in piece:
            return False
        found = found or b"\r" in piece
        rest -= len(piece)
        if rest == 0:
            break
    return found


def unify_line_ends(chunks: Iterator[bytes], in_carriage_returns: bool | None = None) -> Iterator[bytes]:
    r"""Yields a text in which ``\r`` is replaced by ``\n`` if its lines end in ``\r`` alone.

    Args:
        chunks: the text, or a part of it, in chunks of any size; a generator is closed at the end.
        in_carriage_returns: True if lines end in ``\r`` alone; None: the chunks begin with the text and decide.

    >>> list(unify_line_ends(iter([b"one\rtwo\r"])))
    [b'one\ntwo\n']
    """
    taken: list[bytes] = []
    damage: CorruptFileError | None = None

    def beginning() -> Iterator[bytes]:
        for chunk in chunks:
            taken.append(chunk)
            yield chunk

    try:
        if in_carriage_returns is None:
            try:
                in_carriage_returns = ends_in_carriage_returns(beginning())
            except CorruptFileError as error:  # the text before the damage is read
                damage = error
                in_carriage_returns = ends_in_carriage_returns(iter(taken))
        if not in_carriage_returns:
            yield from taken
            taken.clear()
            yield from chunks
        else:
            for chunk in taken:
                yield chunk.replace(b"\r", b"\n")
            taken.clear()
            for chunk in chunks:
                yield chunk.replace(b"\r", b"\n")
        if damage is not None:
            raise damage
    finally:
        if isinstance(chunks, Generator):
            chunks.close()
