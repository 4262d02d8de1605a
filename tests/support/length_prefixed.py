"""The user-defined binary format of docs/custom.md: length-prefixed records."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa


class LengthPrefixed:
    """Records of a length (4 bytes, big-endian), a time (8 bytes, milliseconds since 1970) and a UTF-8 text."""

    suffix = "rec"

    def schema(self) -> pa.Schema:
        return pa.schema([("ts", pa.timestamp("ms", "UTC")), ("message", pa.string())])

    def decode(self, blocks: Iterator[bytes]) -> Iterator[pa.RecordBatch]:
        rest = b""
        for block in blocks:
            data = rest + block
            times, texts, offset = [], [], 0
            while offset + 4 <= len(data):
                (size,) = struct.unpack_from(">I", data, offset)
                if size < 8:
                    raise ValueError(f"a record of {size} bytes")
                if offset + 4 + size > len(data):
                    break
                times.append(struct.unpack_from(">q", data, offset + 4)[0])
                texts.append(data[offset + 12 : offset + 4 + size].decode())
                offset += 4 + size
            rest = data[offset:]
            yield pa.record_batch(
                [pa.array(times, pa.timestamp("ms", "UTC")), pa.array(texts)], names=["ts", "message"]
            )
        if rest:
            raise ValueError(f"the last record is cut off after {len(rest)} bytes")

    def encode(self, batch: pa.RecordBatch) -> bytes:
        pieces = []
        for ts, message in zip(batch["ts"].cast(pa.int64()).to_pylist(), batch["message"].to_pylist(), strict=True):
            text = message.encode()
            pieces.append(struct.pack(">Iq", 8 + len(text), ts) + text)
        return b"".join(pieces)
