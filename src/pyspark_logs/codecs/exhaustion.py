"""Errors of decompressors that tell of the machine and not of the data, so that a file is not damaged because of them."""

from __future__ import annotations

import errno
import re

_ERRNOS = frozenset((errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE))
# zlib's Z_MEM_ERROR is -4 (https://zlib.net/manual.html#Constants). Arrow passes on the texts of zstd ("Allocation error : not
# enough memory") and lz4 ("ERROR_allocation_failed"), as errors of the class that it raises for damaged data, too.
_TEXTS = re.compile(r"^Error -4\b|allocation[ _](?:error|failed)", re.IGNORECASE)


def raise_if_exhausted(error: Exception, path: str) -> None:
    """Raises an error of a decompressor that tells that memory or another resource of the machine is used up.

    Args:
        error: error that a decompressor raised.
        path: path of the compressed file.

    Raises:
        MemoryError: the decompressor could not allocate memory.
        OSError: another resource is used up.
    """
    if isinstance(error, MemoryError) or getattr(error, "errno", None) in _ERRNOS:
        raise error
    if _TEXTS.search(str(error)):
        raise MemoryError(f"{path}: no memory to decompress it: {error}") from error
