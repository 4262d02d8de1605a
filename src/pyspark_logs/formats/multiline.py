"""Records of several lines: the option ``multiLine``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, from_texts
from pyspark_logs.errors import FormatError
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.re2_tokenizer import tokenize, truncate
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines, join_lines, preserves_lines, sanitise

MATCHING = "true"


class RecordStarts:
    """Joins lines to records: a line begins a record if it matches the format, or if a regular expression is found in it.

    Args:
        options: options of the format, with ``multi_line`` set.
        matcher: matcher of the lines that begin a record; None: the regular expression ``multi_line`` is found in them.

    Raises:
        FormatError: the regular expression is wrong.
    """

    def __init__(self, options: FormatOptions, matcher: Matcher | None) -> None:
        self.matcher, self.pattern = matcher, options.multi_line or ""
        if matcher is None:
            _check_pattern(self.pattern)
        self.encoding = options.encoding if preserves_lines(options.encoding) else "utf-8"
        self.max_record_bytes = options.max_record_bytes

    def starts(self, lines: Lines, context: TimestampContext) -> Bool:
        """Returns a mask of the lines of a block that begin a record.

        Args:
            lines: lines of a block, encoded as in the file or transcoded.
            context: time zone and year bound of the file; the same for all of its splits.
        """
        lines = sanitise(lines, self.encoding)
        if self.matcher is not None:
            return self.matcher.matching(lines, context)
        texts = spans.field_strings(lines.block, lines.starts, lines.ends)
        return as_bool(pc.match_substring_regex(texts, self.pattern))

    def rule(self, context: TimestampContext) -> Callable[[Lines], Bool]:
        """Returns the function :meth:`starts` for the blocks of a split, which are passed in order."""
        return lambda lines: self.starts(lines, context)

    def join(
        self, blocks: Iterator[Lines], context: TimestampContext, start: int, length: int | None,
        on_join: Callable[[int, int], None] | None = None,
    ) -> Iterator[Lines]:  # fmt: skip
        """Yields the records of a split; see :func:`~pyspark_logs.records.join_lines`."""
        joined = join_lines(
            blocks,
            self.rule(context),
            start=start,
            length=length,
            max_record_bytes=self.max_record_bytes,
            on_join=on_join,
        )
        for records in joined:
            yield sanitise(records, self.encoding) if self.encoding != "utf-8" else records


def _check_pattern(pattern: str) -> None:
    where = f"option 'multiLine': {truncate(pattern)!r}"
    list(tokenize(pattern, where))  # raises an error for syntax that RE2 lacks, with its name and position
    try:
        pc.match_substring_regex(from_texts([""]), pattern)
    except pa.ArrowInvalid as error:
        raise FormatError(
            f"{where} is not a regular expression of RE2, whose syntax is at https://github.com/google/re2/wiki/Syntax: {error}"
        ) from error
