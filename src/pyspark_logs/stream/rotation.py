"""Files that a log rotation renamed or compressed after they were read: their new keys make them new files. No I/O."""

from __future__ import annotations

import re
from dataclasses import replace

from pyspark_logs.codecs import codec_for
from pyspark_logs.offsets import Offset, StreamFile, identity_hash

_ROTATED = re.compile(
    r"(.*[^/])(?:\.\d{1,4}|[.-]\d{8}(?:-\d+)?)"
)  # app.log.1, app.log-20261122, app.log-20261122-1795327200


def original_of(offset: Offset, file: StreamFile) -> str | None:
    """Returns the key of a processed file of which another file seems to be a copy; None if there is none.

    A copy has the same modification time, as ``gzip`` and ``mv`` preserve it, and a name to which a rotation appended
    numbers or the suffix of a codec.

    Args:
        offset: offset whose ``seen`` has the processed files.
        file: file of a batch.
    """

    def is_processed(key: str) -> bool:
        former = replace(file, key=key)
        return offset.seconds.get(identity_hash(former, offset.identity)) == file.modified_ms // 1000

    return next(filter(is_processed, _former_keys(file.key)), None)


def _former_keys(key: str) -> list[str]:
    """Returns the keys that a file may have had before it was rotated.

    >>> _former_keys("web/app.log.1.gz"), _former_keys("web/app.log")
    (['web/app.log.1', 'web/app.log'], [])
    """
    suffixes = codec_for(key).suffixes
    suffix = next((suffix for suffix in suffixes if key.lower().endswith(suffix)), "")
    plain = key[: len(key) - len(suffix)]
    rotated = _ROTATED.fullmatch(plain)
    return [*([plain] if suffix else []), *([rotated[1]] if rotated else [])]
