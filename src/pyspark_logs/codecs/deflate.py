"""The libraries of deflate: zlib, and faster ones where the extra ``fast`` is installed.

Measured on an application log on one core, in MB/s of text (and size of the text by size of the output):

==========  ========  ===========  ===========  ===========
library     inflate   level 1      level 2      level 6
==========  ========  ===========  ===========  ===========
zlib        295       115 (3.15)   105 (3.30)   33 (4.07)
zlib-ng     618       246 (2.49)   164 (3.32)   46 (4.06)
ISA-L       774       409 (3.29)   381 (3.29)   none
==========  ========  ===========  ===========  ===========

ISA-L does not inflate here: it accepts headers with reserved flags, and finds damage at other bytes than zlib, while zlib-ng
gave the same text and the same error for each of 3,000 damaged files.
"""

from __future__ import annotations

import functools
import zlib
from typing import Any, Protocol


class Deflate(Protocol):
    """Common interface of the compression objects of all libraries."""

    def compress(self, data: Any, /) -> bytes: ...
    def flush(self) -> bytes: ...


GZIP_WBITS = zlib.MAX_WBITS | 16


@functools.cache
def zlib_library() -> Any:
    """Returns zlib-ng's module if it is installed, else zlib; both have the functions of zlib."""
    try:
        from zlib_ng import zlib_ng
    except ImportError:
        return zlib
    return zlib_ng


@functools.cache
def isal_library() -> Any | None:
    """Returns ISA-L's module, which has other levels than zlib; None if it is not installed."""
    try:
        from isal import isal_zlib
    except ImportError:
        return None
    return isal_zlib


def new_gzip_deflate(level: int) -> Deflate:
    """Creates a compression object of gzip, by the fastest library whose output is as small as that of zlib's level."""
    isal = isal_library()
    if level == 1:
        # zlib-ng's first level is fast, but its output is a quarter larger.
        return zlib.compressobj(1, wbits=GZIP_WBITS) if isal is None else isal.compressobj(1, wbits=GZIP_WBITS)
    return zlib_library().compressobj(level, wbits=GZIP_WBITS)
