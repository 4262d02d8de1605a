"""Layouts: time and partition columns in paths, matched and rendered. No I/O.

A layout is a template over the key below the load path::

    {team}/{yyyy}/{MM}/{dd}/{HH}            directories
    dt={yyyy-MM-dd}/hr={HH}                 Hive-like, a combined token
    {dist}.{yyyy-MM-dd-HH}.*                tokens in the file name

A layout matches the leading segments of a key; any further segments may follow. Time tokens are local times in the layout's
time zone. Intervals are half-open, in microseconds since the epoch, UTC.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from pyspark_logs.errors import LayoutError
from pyspark_logs.layout.names import HIVE_NULL, escape_value, is_hidden, is_hidden_key, unescape_value
from pyspark_logs.layout.notation import (
    COLUMN,
    TEXT,
    TIME,
    WILDCARD,
    Part,
    Segment,
    add_tokens,
    parse_segments,
    stop_characters,
)
from pyspark_logs.layout.times import (
    DAY_US,
    GRANULARITY_US,
    HOUR_US,
    NO_TOKENS,
    TIME_TOKENS,
    Tokens,
    leading_tokens,
    time_span,
    token_texts,
)

__all__ = [
    "COLUMN",
    "DAY_US",
    "HIVE_NULL",
    "HOUR_US",
    "NO_TOKENS",
    "TEXT",
    "TIME",
    "TIME_TOKENS",
    "Layout",
    "LayoutMatch",
    "Part",
    "Tokens",
    "add_tokens",
    "escape_value",
    "hive_layout",
    "is_hidden",
    "is_hidden_key",
    "leading_tokens",
    "stop_characters",
    "time_span",
    "unescape_value",
]

_EXAMPLE_US = 1_795_327_200_000_000  # 2026-11-22T06:00:00Z


@dataclass(frozen=True, slots=True)
class LayoutMatch:
    """Interval ``[start_us, end_us)`` and partition values of a key."""

    start_us: int | None = None
    end_us: int | None = None
    values: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Layout:
    """A compiled layout; see :meth:`parse`, :func:`hive_layout` and the package.

    Attributes:
        text: text of the layout.
        zone: time zone of the time tokens.
        segments: segments from left to right.
        is_inferred: True for the layout of Hive directories that a listing showed. It matches every key: the columns of
            the segments from the first one that does not match on are null.
    """

    text: str
    zone: str
    segments: tuple[Segment, ...]
    is_inferred: bool = False

    @staticmethod
    def parse(text: str, zone: str = "UTC") -> Layout:
        """Compiles a layout.

        Raises:
            LayoutError: unbalanced braces, a control character, an unknown or repeated token, tokens with a gap (an hour without a day), an empty
                or hidden segment, or adjacent fields without a separator.

        Example:
            >>> layout = Layout.parse("{team}/{yyyy}/{MM}/{dd}")
            >>> layout.columns
            ('team',)
            >>> layout.match("web/2026/11/22/a.gz")
            LayoutMatch(start_us=1795305600000000, end_us=1795392000000000, values=('web',))
        """
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise LayoutError(f"layout {text!r}: {zone!r} is not a time zone") from error
        control = re.search(r"[\x00-\x1f\x7f]", text)
        if control is not None:
            raise LayoutError(
                f"layout {text!r}: {control[0]!r} at character {control.start() + 1} is a control character, which no path"
                " should have; write * to read paths that have one"
            )
        return Layout(text, zone, parse_segments(text))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the partition columns, in path order."""
        return tuple(part.value for part in self._fields if part.kind == COLUMN)

    @cached_property
    def digest(self) -> str:
        """Hash of everything that determines the times and values of keys, in 16 characters."""
        zone = self.zone if self.granularity_us else ""
        text = "\0".join((self.text, zone, "inferred" if self.is_inferred else ""))
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    @property
    def granularity_us(self) -> int:
        """Length of a key's interval in microseconds (the longest one for years and months); 0 without time tokens."""
        return GRANULARITY_US[len(self._time_groups) - 1] if self._time_groups else 0

    @property
    def default_slack_us(self) -> int:
        """Default of ``layoutSlack``: maximum distance of a record's time from the time in its path, in microseconds."""
        return max(self.granularity_us, HOUR_US)

    @cached_property
    def in_file_name(self) -> bool:
        """True if the last segment is a file name: it holds ``*``, or a dot outside braces."""
        return bool(self.segments) and (self.segments[-1].dotted or self.segments[-1].has(WILDCARD))

    @cached_property
    def ends_in_directory(self) -> bool:
        """True if the last segment can only be a directory: ``{HH}``, ``{team}``, ``dt={yyyy-MM-dd}``.

        ``logs-{yyyyMMdd}`` can be a directory or a file. A file beside ``{team}`` directories does not match as a team.
        """
        if not self.segments or self.in_file_name:
            return False
        last = self.segments[-1]
        if not last.has(TIME):
            return last.has(COLUMN)
        first = last.parts[0]
        bare = first.kind == TIME or first.value.endswith("=")
        return bare and last.parts[-1].kind == TIME and not last.has(COLUMN)

    def match(self, key: str) -> LayoutMatch | None:
        """Returns the interval and values of a key relative to the load path, or None if the key does not match.

        A column matches the shortest text with which its segment matches. Values are unescaped as Hive does;
        ``__HIVE_DEFAULT_PARTITION__`` is None. Keys with dates that do not exist do not match.
        """
        found = self._pattern.fullmatch(key)
        if found is None:
            return self._match_leading(key) if self.is_inferred else None
        texts = found.groups()
        values = tuple([unescape_value(texts[index]) for index in self._column_groups])
        if not self._time_groups:
            return LayoutMatch(None, None, values)
        span = time_span(tuple([int(texts[index]) for index in self._time_groups]), self.zone)
        return None if span is None else LayoutMatch(*span, values)

    def matches(self, key: str) -> bool:
        """True if :meth:`match` returns a result; faster, because it creates none."""
        found = self._pattern.fullmatch(key)
        if found is None or not self._time_groups:
            return found is not None or self.is_inferred
        texts = found.groups()
        return time_span(tuple([int(texts[index]) for index in self._time_groups]), self.zone) is not None

    def example(self, time_us: int | None = None) -> str:
        """Returns an example of a key, with names of columns in braces.

        Args:
            time_us: time in the key, in microseconds since the epoch; None for 2026-11-22 06:00.

        Example:
            >>> Layout.parse("{team}/dt={yyyy-MM-dd}/*.log").example()
            '{team}/dt=2026-11-22/*.log'
        """
        texts = token_texts(_EXAMPLE_US if time_us is None else time_us, self.zone)
        segments = [
            "".join(texts[part.value] if part.kind == TIME else str(part) for part in segment.parts)
            for segment in self.segments
        ]
        return "/".join(segments if self.in_file_name else [*segments, "..."])

    def _match_leading(self, key: str) -> LayoutMatch:
        values: list[str | None] = []
        for segment, name in zip(self.segments, key.split("/")[:-1], strict=False):
            fields = segment.read(name)
            if fields is None:
                break
            values += [unescape_value(text) for _, text in fields]
        return LayoutMatch(values=(*values, *[None] * (len(self.columns) - len(values))))

    def is_decided_by(self, directory: str) -> bool:
        """True if all files directly in a directory have the same match, so that any file name gives it.

        Args:
            directory: directory relative to the load path, ending in ``/``; empty for the load path itself.
        """
        return self.ends_in_directory or directory.count("/") >= len(self.segments)

    def spellings(self, directory: str) -> list[str]:
        """Returns all directories with the time and values of a written directory, which is the first.

        A value below ten in the path has up to two spellings. Of a column, only the written text is known.

        Example:
            >>> Layout.parse("month={MM}/{yyyy}").spellings("month=01/2026")
            ['month=01/2026', 'month=1/2026']
        """
        names = directory.split("/")
        choices = [
            segment.names(name) if segment else (name,)
            for name, segment in itertools.zip_longest(names, self.segments[: len(names)])
        ]
        return ["/".join(choice) for choice in itertools.product(*choices)]

    # One expression for all segments, with group indices computed once: match() runs for every key of a listing.

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        below = "/.*" if self.ends_in_directory else "(?:/.*)?" if self.segments else ".*"
        return re.compile("/".join(segment.regex for segment in self.segments) + below, re.DOTALL)

    @cached_property
    def _fields(self) -> list[Part]:
        return [part for segment in self.segments for part in segment.fields]

    @cached_property
    def _time_groups(self) -> list[int]:
        indices = {part.value: index for index, part in enumerate(self._fields) if part.kind == TIME}
        return [indices[token] for token in TIME_TOKENS if token in indices]

    @cached_property
    def _column_groups(self) -> list[int]:
        return [index for index, part in enumerate(self._fields) if part.kind == COLUMN]

    def render(self, time_us: int | None, values: Sequence[str | None]) -> str:
        """Returns the directory of a record, the inverse of :meth:`match`.

        Raises:
            LayoutError: the layout holds ``*``, a time is missing, or a value cannot be written so that it reads back (such
                as the empty string, which Hive cannot represent).

        Example:
            >>> Layout.parse("{team}/{yyyy}/{MM}").render(1795305600000000, ["a/b"])
            'a%2Fb/2026/11'
        """
        if len(values) != len(self.columns):
            raise LayoutError(f"layout {self.text!r}: {len(values)} values for {len(self.columns)} columns")
        texts = token_texts(time_us, self.zone) if time_us is not None else {}
        given = iter(values)
        names = []
        for segment in self.segments:
            name = ""
            for part, following in zip(segment.parts, (*segment.parts[1:], None), strict=True):
                if part.kind == WILDCARD or (part.kind == TIME and not texts):
                    raise LayoutError(f"layout {self.text!r}: {part} has no value to write; remove it from the layout")
                if part.kind == COLUMN:
                    name += escape_value(next(given), first=not name, stop=stop_characters(following))
                else:
                    name += texts.get(part.value, "") if part.kind == TIME else part.value
            names.append(name)
        path = "/".join(names)
        found = self.match(path + "/x")
        if found is None or found.values != tuple(values) or is_hidden_key(path):
            raise LayoutError(f"layout {self.text!r}: values {list(values)!r} cannot be written so that they read back")
        return path


def hive_layout(columns: Iterable[str], zone: str = "UTC") -> Layout:
    """Returns the layout ``a={a}/b={b}`` of Hive-style directories; without columns, the flat layout.

    Names are never interpreted as time tokens: ``dd=22`` gives a string column ``dd``. A file outside of the directories
    matches, too, and has null in the columns of the directories that it is not in.

    Example:
        >>> layout = hive_layout(["team", "dt"])
        >>> [layout.match(key).values for key in ("team=web/dt=2026-11-22/a.gz", "team=web/b.gz", "c.gz")]
        [('web', '2026-11-22'), ('web', None), (None, None)]
    """
    names = list(columns)
    segments = tuple(Segment((Part(TEXT, f"{name}="), Part(COLUMN, unescape_value(name) or name))) for name in names)
    return Layout("/".join(f"{name}={{{name}}}" for name in names), zone, segments, is_inferred=True)
