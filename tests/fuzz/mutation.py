"""Random changes of inputs, the same for the same seed."""

from __future__ import annotations

from random import Random

LONGEST = 2048
_TOKENS = (
    b"\n", b"\r", b"\r\n", b"\0", b"\t", b" ", b"\\", b'"', b'""', b'\\"', b"'", b"-", b"=", b":", b",", b".", b"%", b"#", b"{", b"}",
    b"[", b"]", b"(", b")", b"*", b"?", b"|", b"/", b"..", b"{}", b"[]", b"null", b"true", b"NaN", b"Infinity", b"1e999", b"-0",
    b"0", b"9" * 20, b"2026-11-22T06:00:00Z", b"24:00", b":60", b"+99:99", b"\\u0000", b"\\ud800", b"\\x", b"\xff", b"\xc3\xa9",
    b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"\xe2\x80\xa8", b"\x1b[31m", b"\x85",
)  # fmt: skip


def mutate(random: Random, raw: bytes, other: bytes) -> bytes:
    """Returns an input with one to four changes; some copy a part of another input."""
    for _ in range(random.randint(1, 4)):
        begin = random.randint(0, len(raw))
        end = min(len(raw), begin + random.choice((0, 0, 1, 1, 2, 5, 20)))
        kind = random.randrange(6)
        if kind == 0:
            new = random.choice(_TOKENS)
        elif kind == 1:
            new = bytes([random.randrange(256)])
        elif kind == 2:
            new = b""
        elif kind == 3:
            start = random.randint(0, len(other))
            new = other[start : start + random.randint(1, 30)]
        elif kind == 4:
            new = raw[begin:end] * random.choice((2, 3, 20))
        else:
            new = bytes([raw[begin] ^ 1 << random.randrange(8)]) if begin < len(raw) else b""
            end = begin + 1
        raw = raw[:begin] + new + raw[end:]
    return raw[:LONGEST]
