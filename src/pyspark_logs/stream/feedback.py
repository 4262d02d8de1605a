"""Detection of a streaming query that would read its own output.

A sink does not know the source of its query, but the checkpoint does: Spark writes the offsets of all sources to
``<checkpoint>/offsets/<batch>`` before a batch runs, and the offsets of this package name their load paths.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from pyspark_logs.errors import LogSourceError, OptionError
from pyspark_logs.layout import is_hidden_key
from pyspark_logs.options import StoreOptions
from pyspark_logs.options.containment import is_inside
from pyspark_logs.store import join, normalise, open_store, split_scheme
from pyspark_logs.stream.stream_root import StreamRoot
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)


def check_feedback(checkpoint: str, batch: int, sink: str, options: StoreOptions) -> None:
    """Raises OptionError if a source of a batch reads the directory to which the batch is written.

    A checkpoint that cannot be read is not checked; the reason is logged at level DEBUG.

    Args:
        checkpoint: option ``checkpointLocation`` of the query.
        batch: id of the batch.
        sink: root of the sink.
        options: endpoint and credentials, also for the checkpoint.
    """
    try:
        path = join(normalise(checkpoint), f"offsets/{batch}")
        text = (open_store(path, options).get(path) or b"").decode("utf-8", "replace")
    except LogSourceError as error:
        _log.debug("the offsets of batch %d in %s cannot be read: %s", batch, checkpoint, error)
        return
    for load_path in _load_paths(text):
        if _reads(load_path, sink) or _reads(_resolve(load_path), _resolve(sink)):
            raise OptionError(
                f"the stream reads {load_path} and writes to {sink}, so each batch would be read again as new files; write to a"
                " directory outside of the load path, or to one below it with a name that begins with '_'"
            )


def _reads(load_path: str, sink: str) -> bool:
    return is_inside(sink, load_path) and not is_hidden_key(_relative(sink, load_path))


def _resolve(path: str) -> str:
    """Returns a local path without symbolic links, up to its first wildcard; other paths are returned as they are."""
    scheme, local = split_scheme(path)
    if scheme:
        return path
    directory = StreamRoot.of([local]).prefix
    return join(os.path.realpath(directory), local[len(directory) :])


def _load_paths(text: str) -> Iterator[str]:
    """Yields the load paths of this package's offsets in an offset file of Spark."""
    for line in text.splitlines():
        try:
            offset = json.loads(line)
        except ValueError:
            continue
        if isinstance(offset, dict) and {"root", "identity", "seen"} <= offset.keys():
            yield from _decode_root(offset["root"])


def _decode_root(root: Any) -> list[str]:
    """Returns the load paths that ``StreamRoot.text`` identifies."""
    text = str(root)
    return [str(path) for path in json.loads(text)] if text.startswith('["') else [text]


def _relative(sink: str, load_path: str) -> str:
    """Returns the part of the sink's path below the load path, or below the directory before its first wildcard."""
    return sink.rstrip("/").removeprefix(StreamRoot.of([load_path]).prefix.rstrip("/")).strip("/")
