"""Encoding of offsets in checkpoints."""

from __future__ import annotations

import base64
import itertools
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import TypeVar

from pyspark_logs.errors import OptionError
from pyspark_logs.offsets.files import EMPTY_BATCH, BatchPlan, FullListing, StreamFile

VERSION = 1
VERSION_WITH_KEY = 2  # the offset has a key at its floor

Seen = tuple[tuple[int, int], ...]  # (second, hash)
Part = TypeVar("Part")

_NEW_CHECKPOINT = "start the query with a new checkpoint"


def read_parts(
    value: object, root: str, identity: str
) -> tuple[int, int, int | None, Seen, BatchPlan, FullListing | None, str, str]:
    """Decodes the fields of an offset that follow root and identity, in the order of ``Offset``'s attributes.

    Raises:
        OptionError: see ``Offset.from_dict``.
    """
    if not isinstance(value, Mapping):
        raise OptionError(f"the checkpoint's offset is not an offset of this source: {value!r:.80}; {_NEW_CHECKPOINT}")
    _check_origin(value, root, identity)
    return (
        _read(value, "ts", _integer),
        _read(value, "floor", _integer),
        None if value.get("from") == "" else _read(value, "from", _integer),
        _read(value, "seen", _unpack_seen),
        _read(value, "batch", _unpack_batch),
        _read_full_listing(value),
        "" if value["v"] == VERSION else _read(value, "floor_key", _unpack_key),
        _read(value, "layout", _string) if "layout" in value else "",  # offsets of earlier builds do not have the key
    )


def _read(value: Mapping[str, object], part: str, parse: Callable[[object], Part]) -> Part:
    try:
        return parse(value[part])
    except (KeyError, TypeError, ValueError, zlib.error, struct.error) as error:
        raise OptionError(f"the checkpoint's offset is damaged in {part!r}; {_NEW_CHECKPOINT}") from error


def _check_origin(value: Mapping[str, object], root: str, identity: str) -> None:
    version = value.get("v")
    if type(version) is not int or version not in (VERSION, VERSION_WITH_KEY):
        raise OptionError(
            f"the checkpoint's offset has version {version!r:.40}, this release reads versions up to {VERSION_WITH_KEY}: continue with the"
            f" release that wrote it, or {_NEW_CHECKPOINT}"
        )
    if value.get("root") != root:
        raise OptionError(
            f"the checkpoint belongs to a stream over {value.get('root')!r}, but this query reads {root!r}: load the path of"
            f" the checkpoint, or {_NEW_CHECKPOINT}"
        )
    if value.get("identity") != identity:
        then, now = ("true", "false") if identity == "key" else ("false", "true")
        raise OptionError(
            f"the checkpoint was written with allowOverwrites={then}, but this query has {now}: restore the option,"
            f" or {_NEW_CHECKPOINT}"
        )


def _read_full_listing(value: Mapping[str, object]) -> FullListing | None:
    if value.get("full", "") == "":  # offsets of release 0.1.0 do not have the key
        return None
    return FullListing(_read(value, "full", _integer), _read(value, "took", _integer))


def _integer(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not an integer")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not a string")
    return value


def _pack(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")


def _unpack(text: object) -> bytes:
    return zlib.decompress(base64.b64decode(_string(text), validate=True))


def pack_key(key: str) -> str:
    """Encodes a key. Names of files that are not UTF-8 hold surrogates, which JSON writers of other languages refuse."""
    return _pack(json.dumps(key).encode("ascii"))


def _unpack_key(text: object) -> str:
    return _string(json.loads(_unpack(text)))


def pack_seen(seen: Seen) -> str:
    """Encodes ``seen``: the differences between seconds, most of them zero, then the hashes.

    A hash takes 8 bytes, which are 11 characters in base64.
    """
    if not seen:
        return ""
    seconds = [second for second, _ in seen]
    steps = (after - before for before, after in itertools.pairwise([0, *seconds]))
    return _pack(struct.pack(f">{len(seen)}q{len(seen)}Q", *steps, *(hashed for _, hashed in seen)))


def _unpack_seen(text: object) -> Seen:
    if text == "":
        return ()
    data = _unpack(text)
    count = len(data) // 16
    numbers = struct.unpack(f">{count}q{count}Q", data)
    return tuple(zip(itertools.accumulate(numbers[:count]), numbers[count:], strict=True))


def pack_batch(batch: BatchPlan) -> str:
    """Encodes a batch column by column, which compresses better than file by file."""
    if batch == EMPTY_BATCH:
        return ""
    files = [(f.key, f.size, f.modified_ms, f.etag, f.layout_start_us, f.layout_end_us, f.values) for f in batch.files]
    value = {"columns": batch.columns, "slack": batch.slack_us, "files": list(zip(*files, strict=True))}
    return _pack(json.dumps(value, separators=(",", ":")).encode("ascii"))


def _unpack_batch(text: object) -> BatchPlan:
    if text == "":
        return EMPTY_BATCH
    value = json.loads(_unpack(text))
    files = (
        StreamFile(key, size, modified_ms, etag, start_us, end_us, tuple(values))
        for key, size, modified_ms, etag, start_us, end_us, values in zip(*value["files"], strict=True)
    )
    return BatchPlan(tuple(value["columns"]), _integer(value["slack"]), tuple(files))
