r"""The parts into which container runtimes cut long lines.

CRI: the first tag of a line is ``P`` if the next line of the stream continues it, else ``F``:
https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md. containerd cuts at
``max_container_log_line_size``, 16 KiB by default: https://github.com/containerd/containerd/blob/main/docs/cri/config.md.

Docker: the driver ``json-file`` appends a line end to the text of all entries but those that are continued by the next one of the
stream: ``marshalMessage`` in https://github.com/moby/moby/blob/master/daemon/logger/jsonfilelog/jsonfilelog.go.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.records import LinePart, Lines

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'


class CriParts:
    """Parts in lines ``timestamp stream tags log``. A joined record has the timestamp of its first part, and the last tags."""

    column = "tags"
    _LINE = re.compile(rb"(\d{4}-\d\d-\d\dT[^ ]+ (stdout|stderr) )([PF])((?::[^ :]+)*)(?: (.*))?", re.DOTALL)

    def candidates(self, lines: Lines) -> Int64:
        """Returns the indices of the lines that may contain a tag ``P``."""
        # A search for the longer strings takes ten times as long: all lines contain their beginnings.
        raw = np.frombuffer(lines.block, np.uint8)
        marks = np.flatnonzero(raw == ord("P"))
        marks = marks[_contains_at(raw, marks - 2, b"t P") | _contains_at(raw, marks - 2, b"r P")]
        return _rows(lines, marks)

    def parse(self, line: bytes) -> LinePart | None:
        """Returns the parts of a line; None if the line is not of the format."""
        match = self._LINE.fullmatch(line)
        if match is None:
            return None
        head, stream, mark, tags, text = match.groups(b"")
        return LinePart(stream, mark == b"F", head, mark + tags + b" ", text, b"")


class DockerParts:
    """Parts in entries as Docker writes them. A joined record has the time of its first part, and the whole ``log``."""

    column = "log"
    _STREAM = re.compile(rb'","stream":"std')
    _LINE = re.compile(
        rb'(\{"log":")([^"\\]*(?:\\.[^"\\]*)*)'
        rb'(","stream":"(stdout|stderr)"(?:,"attrs":\{(?:' + _STRING + rb'[:,]?)*\})?,"time":"[^"\\]*"\})',
        re.DOTALL,
    )

    def candidates(self, lines: Lines) -> Int64:
        """Returns the indices of the lines in which the text before the stream may lack a line end."""
        block = lines.block
        streams = block.count(b'","stream":"std')
        # An escaped backslash before an n is not a line end.
        if block.count(b'\\n","stream":"std') == streams and b'\\\\n","stream":"std' not in block:
            return np.zeros(0, np.int64)
        found = (match.start() for match in self._STREAM.finditer(block))
        unended = [at for at in found if block[at - 2 : at] != b"\\n" or block[at - 3 : at - 2] == b"\\"]
        return _rows(lines, np.array(unended, np.int64))

    def parse(self, line: bytes) -> LinePart | None:
        """Returns the parts of an entry; None if it is not as Docker writes it."""
        match = self._LINE.fullmatch(line.rstrip(b" \t\r"))
        if match is None:
            return None
        head, text, tail, stream = match.groups()
        without_n = text.removesuffix(b"n")
        escapes = len(without_n) - len(without_n.rstrip(b"\\"))
        return LinePart(stream, len(without_n) < len(text) and escapes % 2 == 1, head, b"", text, tail)


def _contains_at(raw: npt.NDArray[np.uint8], offsets: Int64, text: bytes) -> Bool:
    """Returns a mask of the offsets at which a block contains the text."""
    found = (offsets >= 0) & (offsets + len(text) <= len(raw))
    for index, byte in enumerate(text):
        candidates = np.flatnonzero(found)
        found[candidates] = raw[offsets[candidates] + index] == byte
    return found


def _rows(lines: Lines, offsets: Int64) -> Int64:
    """Returns the ascending indices of the lines in which these offsets of the block are."""
    rows = np.unique(np.searchsorted(lines.starts, offsets, "right") - 1)
    return rows[rows >= 0]
