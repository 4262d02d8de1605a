"""The limit of the text of compressed files, so that a small file cannot occupy a task for hours."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from pyspark_logs.errors import CorruptFileError

FREE_BYTES = 64 << 20  # text of any file that is not counted against the ratio


class ExpansionLimit:
    """Counts the text of one file, in all its layers of compression and members.

    Args:
        path: path of the file, for messages.
        stored_bytes: size of the file.
        ratio: largest text as a multiple of the size of the file, beyond the first 64 MiB; None for no limit.
    """

    def __init__(self, path: str, stored_bytes: int, ratio: int | None) -> None:
        self._path, self._stored_bytes, self._ratio = path, stored_bytes, ratio
        self._text_bytes = 0

    def check(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yields decompressed pieces; a generator is closed at the end.

        Raises:
            CorruptFileError: the text of the file exceeds the limit.
        """
        try:
            for piece in pieces:
                self._text_bytes += len(piece)
                if self._ratio is not None and self._text_bytes > FREE_BYTES + self._ratio * self._stored_bytes:
                    raise CorruptFileError(
                        f"{self._path}: its {self._stored_bytes} bytes give more than {FREE_BYTES >> 20} MiB and"
                        f" {self._ratio} times as much text, which logs do not: it may be a decompression bomb. If it is a log,"
                        " raise the option maxInflateRatio, or set it to 0 for no limit; otherwise remove the file, or set"
                        " ignoreCorruptFiles=true to read the text up to the limit"
                    )
                yield piece
        finally:
            if isinstance(pieces, Generator):
                pieces.close()
