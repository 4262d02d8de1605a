"""The criteria of a query for files: path, size and modification time. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from pyspark_logs.layout import (
    Layout,
    LayoutMatch,
    Part,
    escape_value,
    is_hidden,
    is_hidden_key,
    stop_characters,
    time_span,
)
from pyspark_logs.planning.globs import Glob
from pyspark_logs.store import StoredFile

# Selected values of a partition column: a collection of values, or a predicate on a value. None is the null partition.
Allowed = Collection[str | None] | Callable[[str | None], bool]

# Prefixes are constructed for at most this many values of a column or years; more are found by a delimiter listing.
MAX_CONSTRUCTED = 16

# Reasons for the exclusion of a listed file, by the names of their counts in a PlanReport.
EMPTY = "skipped_empty"
HIDDEN = "skipped_hidden"
UNMATCHED = "skipped_by_layout"
OTHER_PARTITION = "pruned_by_partition"
OTHER_TIME = "pruned_by_time"
OTHER_NAME = "pruned_by_glob"
OTHER_MODIFIED = "pruned_by_modified"
UNWANTED = "skipped_unwanted"


@dataclass(frozen=True)
class Window:
    """A half-open time range in microseconds since the epoch; ``None`` is unbounded.

    Example:
        >>> Window(10, 20).touches((0, 10)), Window(10, None).covers((10, 15))
        (False, True)
    """

    start_us: int | None = None
    end_us: int | None = None

    @property
    def is_empty(self) -> bool:
        """True if the window has no instant."""
        return self.start_us is not None and self.end_us is not None and self.start_us >= self.end_us

    @property
    def is_unbounded(self) -> bool:
        """True if the window has every instant."""
        return self.start_us is None and self.end_us is None

    def touches(self, span: tuple[int, int]) -> bool:
        """True if a half-open interval and the window overlap."""
        return (self.end_us is None or span[0] < self.end_us) and (self.start_us is None or span[1] > self.start_us)

    def covers(self, span: tuple[int, int]) -> bool:
        """True if a half-open interval lies within the window."""
        return (self.start_us is None or span[0] >= self.start_us) and (self.end_us is None or span[1] <= self.end_us)

    def contains(self, instant_us: int) -> bool:
        """True if an instant lies within the window."""
        return (self.start_us is None or instant_us >= self.start_us) and (
            self.end_us is None or instant_us < self.end_us
        )

    def intersect(self, other: Window) -> Window:
        """Returns the instants that lie within both windows."""
        starts = [start for start in (self.start_us, other.start_us) if start is not None]
        ends = [end for end in (self.end_us, other.end_us) if end is not None]
        return Window(max(starts, default=None), min(ends, default=None))

    def widen(self, slack_us: int) -> Window:
        """Returns the window extended by ``slack_us`` on both sides; an empty window stays empty."""
        if self.is_empty:
            return self
        start = None if self.start_us is None else self.start_us - slack_us
        return Window(start, None if self.end_us is None else self.end_us + slack_us)


UNBOUNDED = Window()


@dataclass(frozen=True)
class FileFilters:
    """The filters of a query on files, which apply beside those of the options.

    Attributes:
        window: time range of the records.
        allowed: selected values by partition column: a collection or a predicate, in which None is the null partition.
            Column names are case-insensitive; columns that the layout does not have are ignored.
        whole_files: True if the format has no time column, so that files are filtered as a whole: a file counts at the
            start of its layout interval, else at its modification time, without slack.
    """

    window: Window = UNBOUNDED
    allowed: Mapping[str, Allowed] = field(default_factory=dict)
    whole_files: bool = False


NO_FILTERS = FileFilters()


@dataclass(frozen=True)
class Selection:
    """The criteria for files below a load path.

    Attributes:
        layout: layout that reads time and partition values from a key.
        window: selected time range, slack included.
        open_window: time range of the layout intervals that may have received files since an earlier listing. Prefixes and
            files whose interval does not touch it are excluded, also with ``by_start``: a directory receives files until its
            interval ends.
        allowed: selected values by partition column, in the layout's spelling; other columns are not restricted.
        by_start: True to select a file by one instant, the start of its layout interval or else its modification time;
            False to select it if its layout interval touches the window.
        name: glob for the file name.
        modified_after_ms: earliest modification time, inclusive.
        modified_before_ms: latest modification time, exclusive.
        wanted: predicate that is false for other files to exclude; None if there are none.
    """

    layout: Layout
    window: Window
    allowed: Mapping[str, Allowed]
    open_window: Window = UNBOUNDED
    by_start: bool = False
    name: Glob | None = None
    modified_after_ms: int | None = None
    modified_before_ms: int | None = None
    wanted: Callable[[StoredFile], bool] | None = None

    @property
    def listing_window(self) -> Window:
        """Time range that the interval of a listed prefix must touch."""
        return self.window.intersect(self.open_window)

    def match(self, key: str, file: StoredFile, *, named: bool = False) -> LayoutMatch | str:
        """Returns the layout's values of a selected file, or the reason for its exclusion.

        Args:
            key: path relative to the load path.
            file: file in the store.
            named: True if a load path names the file itself, which may then be hidden or not fit the layout.
        """
        if file.size == 0:
            return EMPTY
        if not named and is_hidden_key(key):
            return HIDDEN
        match = self.layout.match(key)
        if match is None:
            if not named:
                return UNMATCHED
            match = LayoutMatch(None, None, (None,) * len(self.layout.columns))
        return self._exclude_match(match) or self._exclude_file(match, key.rpartition("/")[2], file) or match

    def match_directory(self, directory: str) -> LayoutMatch | str | None:
        """Returns the match that all files of a directory share, or the reason for which all of them are excluded.

        Args:
            directory: directory relative to the load path, ending in ``/``; empty for the load path itself.

        Returns:
            None if the match depends on the names of the files.
        """
        if is_hidden_key(directory):
            return HIDDEN
        if not self.layout.is_decided_by(directory):
            return None
        match = self.layout.match(directory + "name")
        return UNMATCHED if match is None else self._exclude_match(match) or match

    def match_in_directory(self, shared: LayoutMatch | str, name: str, file: StoredFile) -> LayoutMatch | str:
        """Returns the result of :meth:`match` for a file of a directory.

        Args:
            shared: result of :meth:`match_directory`.
            name: file name.
            file: file in the store.
        """
        if file.size == 0:
            return EMPTY
        if is_hidden(name):
            return HIDDEN
        if isinstance(shared, str):
            return shared
        return self._exclude_file(shared, name, file) or shared

    def allows(self, column: str, value: str | None) -> bool:
        """True if a value of a partition column is selected."""
        allowed = self.allowed.get(column)
        if allowed is None:
            return True
        return allowed(value) if callable(allowed) else value in allowed

    def touches(self, tokens: tuple[int, ...]) -> bool:
        """True if files with these leading time tokens may lie in the window."""
        span = time_span(tokens, self.layout.zone, outer=True)
        return span is not None and self.window.touches(span) and self.open_window.touches(span)

    def covers(self, tokens: tuple[int, ...]) -> bool:
        """True if all files with these leading time tokens lie in the window."""
        span = time_span(tokens, self.layout.zone, outer=True)
        return span is not None and self.window.covers(span) and self.open_window.covers(span)

    def spellings(self, column: str, following: Part | None, *, first: bool) -> list[str] | None:
        """Returns all spellings of a column's selected values in a path; ``None`` if they are unknown or too many.

        The spellings are known for values of ASCII letters, digits, ``-``, ``_`` and ``.``: some writers escape other
        characters and some do not. A null of an inferred layout has no spelling, since any other name has it, too.

        Args:
            column: partition column.
            following: part of the layout after the column, within the segment.
            first: True if the column begins its segment.
        """
        allowed = self.allowed.get(column)
        if allowed is None or callable(allowed) or len(allowed) > MAX_CONSTRUCTED:
            return None
        if self.layout.is_inferred and None in allowed:
            return None
        values = [value for value in allowed if value != ""]
        if not all(value is None or _is_plain(value) for value in values):
            return None
        raw = {value for value in values if value is not None}
        return sorted(raw | {escape_value(value, first=first, stop=stop_characters(following)) for value in values})

    def _exclude_match(self, match: LayoutMatch) -> str:
        """Returns the reason for the exclusion of files by their path; empty if there is none."""
        if not all(self.allows(*item) for item in zip(self.layout.columns, match.values, strict=True)):
            return OTHER_PARTITION
        return "" if self._is_in_time(match) else OTHER_TIME

    def _exclude_file(self, match: LayoutMatch, name: str, file: StoredFile) -> str:
        """Returns the reason for the exclusion of a file whose path is selected; empty if there is none."""
        if self.by_start and match.start_us is None and not self.window.contains(file.modified_ms * 1000):
            return OTHER_TIME
        if self.name is not None and not self.name.matches(name):
            return OTHER_NAME
        after, before = self.modified_after_ms, self.modified_before_ms
        if (after is not None and file.modified_ms < after) or (before is not None and file.modified_ms >= before):
            return OTHER_MODIFIED
        return UNWANTED if self.wanted is not None and not self.wanted(file) else ""

    def _is_in_time(self, match: LayoutMatch) -> bool:
        """True unless the layout interval excludes the files."""
        if self.window.is_empty:
            return False
        if match.start_us is None or match.end_us is None:
            return True
        span = (match.start_us, match.end_us)
        if not self.open_window.touches(span):
            return False
        return self.window.contains(span[0]) if self.by_start else self.window.touches(span)


def _is_plain(value: str) -> bool:
    return value.isascii() and value.replace("-", "").replace("_", "").replace(".", "").isalnum()
