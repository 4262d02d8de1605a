"""Detection: which format a file has.

The beginning of a file is read by everything that it may be, as any query would read it. What counts is how many
records match, and how much the format says about them: a line of text matches every line, and says nothing.

Inside, imports run one way: ``detect`` -> ``candidates``, ``samples``, ``scores`` -> ``proposal`` -> ``shapes``.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from pyspark_logs.api.scan import scan
from pyspark_logs.detection.candidates import DIALECTS, TELLS, fits, general, presets, templates
from pyspark_logs.detection.samples import Head, Sample, encoding_of, on_disk, read_head
from pyspark_logs.detection.scores import is_plausible, specificity
from pyspark_logs.errors import FormatError, OptionError
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.registry import takes_any_column
from pyspark_logs.options import FORMATS, FormatOptions, parse_read_options
from pyspark_logs.schema import parse_ddl, to_ddl

SAMPLE_BYTES = 256 << 10  # about a thousand lines
_FEWEST_FIRST = 0.2  # of the lines match, where the others go on with them
GOOD_SHARE = 0.95  # of the records; with fewer a format is not what the file is written in
_LEAST_SHARE = 0.05
_ENOUGH_RECORDS = 20
_LEAST_TELLING, _LEAST_TELLING_OF_FEW = (
    0.9,
    0.6,
)  # of what a template made for the lines says, or a format fits by chance


@dataclass(frozen=True)
class Candidate:
    """A format that a file may have.

    Attributes:
        options: those that name it: ``{"preset": "aws_alb"}``; ready for ``spark.read.format("logs").options(**...)``.
        records: of the sample, as the format counts them.
        matched: those that match.
        specificity: how much its columns say about a record, on average: times most, then numbers, words, prose.
        schema: its columns, as Spark DDL.
    """

    options: Mapping[str, str]
    records: int
    matched: int
    specificity: float
    schema: str

    @property
    def columns(self) -> list[str]:
        """Names of its columns."""
        return parse_ddl(self.schema).names

    @property
    def share(self) -> float:
        """Of the records, how many match: 0 to 1."""
        return self.matched / self.records

    @property
    def name(self) -> str:
        """The options in words: ``preset aws_alb``, ``template {a} {b}, multiLine``."""
        return ", ".join(name if value == "true" else f"{name} {value}" for name, value in self.options.items())


def detect(path: str | os.PathLike[str], **options: Any) -> list[Candidate]:
    r"""Which formats fit a file, the best one first.

    Formats that ship come before those that servers are often configured for, these before general ones (JSON), and
    these before templates made for these very lines, unless they say less than such a template; among their like, what matches more and says more comes first. Formats
    that fewer than 95 of 100 records match come last.

    Args:
        path: a file; of a directory or a glob the first file by key is looked at.
        **options: of the reader, without a line format: ``encoding``, ``compression``, ``endpoint`` ... An encoding is
            not needed for UTF-16 that begins with a byte order mark; it is among the options that are found then.

    Returns:
        The formats that at least one in twenty records matches; an empty list where the file is empty.

    Raises:
        OptionError: a line format is given.
        FormatError: the file does not look like text.
        PathNotFoundError: there is no such file.
        StoreError: the store refused or failed.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "app.log")
    >>> _ = file.write_text("2026-11-22 01:00:11,045 ERROR user=17 took=3.5ms status=500 no such order\n")
    >>> detect(file)[0].options["template"]
    '{ts:timestamp} {level} user={user:long} took={took:double}ms status={status:long} {message}'
    """
    given = [name for name in options if name.lower() in {format_name.lower() for format_name in FORMATS}]
    if given:
        raise OptionError(f"option {given[0]!r} names a line format, which is what detect() finds out; leave it out")
    encoding = {}
    head = _head(path, options)
    if "encoding" not in {name.lower() for name in options} and (told := encoding_of(head)):
        encoding = {"encoding": told}
        head = _head(path, {**options, **encoding})
    options = {**options, **encoding}
    reading = {
        name.lower(): value for name, value in options.items() if name.lower() in ("encoding", "timezone", "nullvalue")
    }
    with on_disk(head, reading) as sample:
        formats = (presets(), DIALECTS, general(sample.lines), templates(sample.lines))
        groups = [_fitting(sample, group) for group in formats]
        telling = {name for name, tell in TELLS.items() if any(map(tell.search, sample.lines))}
    made = max((one for one in groups[-1] if one.share >= GOOD_SHARE), key=lambda one: one.specificity, default=None)
    least = 0.0
    if made is not None:
        # Of a few lines a template can be made that says more of them than it should, by chance.
        least = made.specificity * (_LEAST_TELLING if made.records >= _ENOUGH_RECORDS else _LEAST_TELLING_OF_FEW)
    ranked = [
        # A header that names the columns says what no template can.
        (len(groups) if one.specificity < least and "header" not in one.options else group, one)
        for group, found in enumerate(groups)
        for one in found
    ]
    ranked.sort(
        key=lambda pair: (pair[1].share < GOOD_SHARE, *_order(*pair), pair[1].options.get("preset") not in telling)
    )
    return [replace(one, options={**one.options, **encoding}) for _, one in ranked]


def _head(path: str | os.PathLike[str], options: Mapping[str, Any]) -> Head:
    return read_head(parse_read_options({**options, "path": path, "template": "{line}"}), SAMPLE_BYTES)


def preview(path: str | os.PathLike[str], described: Mapping[str, str], most_rows: int, **options: Any) -> pa.Table:
    """The first rows of a file by a format.

    Args:
        path: as :func:`detect` takes it.
        described: the options that name the format.
        most_rows: so many at most.
        **options: of the reader.

    Raises:
        LogSourceError: as :func:`pyspark_logs.scan`.
    """
    found, batches = 0, []
    with scan(os.fspath(path), **{**options, **described}) as reader:
        for batch in reader:
            batches.append(batch.slice(0, most_rows - found))
            found += batches[-1].num_rows
            if found >= most_rows:
                break
        return pa.Table.from_batches(batches, reader.schema)


def _order(group: int, one: Candidate) -> tuple[float, ...]:
    if one.share < GOOD_SHARE:
        return (-one.share, group)
    return (group, -round(one.share**2 * one.specificity, 3))


def _fitting(sample: Sample, formats: Iterable[Mapping[str, str]]) -> list[Candidate]:
    found = []
    for described in formats:
        read = sample.read(described)
        if read is None or not read[1]:
            continue
        if not is_plausible(read[0]):
            continue
        one = _candidate(described, *read)
        if _FEWEST_FIRST <= one.share < 1:
            lines = {**described, "multiLine": "true"}
            joined = sample.read(lines)
            if joined is not None and joined[1]:
                one = max(one, _candidate(lines, *joined), key=lambda either: either.share)
        if one.share >= _LEAST_SHARE and one.columns and _is_like_its_own(described, read[0]):
            found.append(one)
    return found


def _is_like_its_own(described: Mapping[str, str], rows: pa.Table) -> bool:
    """Whether rows of a preset whose columns may all be missing are like those of its sample."""
    name = described.get("preset")
    if name is None or not takes_any_column(FormatOptions("preset", name)):
        return True
    return bool(rows.num_rows) and fits(rows, _own_rows(name))


@functools.lru_cache(maxsize=64)
def _own_rows(name: str) -> pa.Table:
    text = "\n".join(PRESETS[name].sample).encode() + b"\n"
    with on_disk(Head(name, text, 0), {}) as sample:
        read = sample.read({"preset": name})
    if read is None:
        raise FormatError(f"preset {name!r} does not read its own sample; please report this")
    return read[0]


def _candidate(described: Mapping[str, str], rows: pa.Table, records: int) -> Candidate:
    return Candidate(described, records, rows.num_rows, specificity(rows), to_ddl(rows.schema))
