"""Standard output and standard error of a command, which may be closed, or encode fewer characters than logs have."""

from __future__ import annotations

import codecs
import io
import os
import sys
from pathlib import Path

_ESCAPES = "pyspark_logs.escape"


def prepare_streams() -> None:
    r"""Makes standard output and standard error take any text.

    A closed stream (``>&-``) discards the text. Characters that the encoding of a stream lacks are written as ``\u20ac``, as
    JSON escapes them, so that JSON remains valid: on Windows, pipes usually have the encoding cp1252.
    """
    codecs.register_error(_ESCAPES, _escape)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # The file stays open until the process ends, as standard streams do.
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPES)


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Returns the escapes of the characters that cannot be encoded, and the index after them, for :mod:`codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    escapes = (f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True))
    return "".join(escapes), error.end
