"""Which files a query wants, judged by path, size and modification time alone. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from pyspark_logs.layout import Layout, LayoutMatch, Part, escape_value, is_hidden_key, stop_characters, time_span
from pyspark_logs.planning.globs import Glob
from pyspark_logs.store import StoredFile

# The values of a partition column that are wanted: the values themselves, or a test of one (None: null).
Allowed = Collection[str | None] | Callable[[str | None], bool]

# So few values are looked up one by one; more are found by listing what is there.
MOST_CONSTRUCTED = 16

# Why a listed file is not planned; the names are those of the counts in a PlanReport.
EMPTY = "skipped_empty"
HIDDEN = "skipped_hidden"
UNMATCHED = "skipped_by_layout"
OTHER_PARTITION = "pruned_by_partition"
OTHER_TIME = "pruned_by_time"
OTHER_NAME = "pruned_by_glob"
OTHER_MODIFIED = "pruned_by_modified"


@dataclass(frozen=True)
class Window:
    """A half-open range of time in microseconds; None is open-ended.

    Example:
        >>> Window(10, 20).touches((0, 10)), Window(10, None).holds((10, 15))
        (False, True)
    """

    start_us: int | None = None
    end_us: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing lies in it."""
        return self.start_us is not None and self.end_us is not None and self.start_us >= self.end_us

    @property
    def is_open(self) -> bool:
        """Whether everything lies in it."""
        return self.start_us is None and self.end_us is None

    def touches(self, span: tuple[int, int]) -> bool:
        """Whether an interval has an instant in the window."""
        return (self.end_us is None or span[0] < self.end_us) and (self.start_us is None or span[1] > self.start_us)

    def holds(self, span: tuple[int, int]) -> bool:
        """Whether an interval lies in the window as a whole."""
        return (self.start_us is None or span[0] >= self.start_us) and (self.end_us is None or span[1] <= self.end_us)

    def has(self, instant_us: int) -> bool:
        """Whether an instant lies in the window."""
        return (self.start_us is None or instant_us >= self.start_us) and (
            self.end_us is None or instant_us < self.end_us
        )

    def widen(self, slack_us: int) -> Window:
        """The window, longer on both sides. Intervals that touch it are those that, widened, touched this one.

        One that is empty stays so: nothing can drift into it.
        """
        if self.is_empty:
            return self
        start = None if self.start_us is None else self.start_us - slack_us
        return Window(start, None if self.end_us is None else self.end_us + slack_us)


@dataclass(frozen=True)
class Selection:
    """What is wanted of the files below a load path.

    Attributes:
        layout: says what time and which partition values a key has.
        window: the time wanted, slack included.
        allowed: partition column (as the layout spells it) to its wanted values; others are all wanted.
        by_start: a file counts at one instant, where its layout interval starts or else when it was
            modified, and that must lie in the window; otherwise its interval must touch the window.
        name: glob on the file name.
        modified_after_ms: inclusive.
        modified_before_ms: exclusive.
    """

    layout: Layout
    window: Window
    allowed: Mapping[str, Allowed]
    by_start: bool = False
    name: Glob | None = None
    modified_after_ms: int | None = None
    modified_before_ms: int | None = None

    def judge(self, key: str, file: StoredFile, *, named: bool = False) -> LayoutMatch | str:
        """What the layout says about a file that is wanted, or the reason why it is not.

        Args:
            key: the path relative to the load path.
            file: the file.
            named: the user named this very file, which is reason enough to read it: it may be
                hidden or not fit the layout.
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
        if not all(self.wants(*item) for item in zip(self.layout.columns, match.values, strict=True)):
            return OTHER_PARTITION
        if not self._in_time(match, file):
            return OTHER_TIME
        if self.name is not None and not self.name.matches(key.rpartition("/")[2]):
            return OTHER_NAME
        after, before = self.modified_after_ms, self.modified_before_ms
        if (after is not None and file.modified_ms < after) or (before is not None and file.modified_ms >= before):
            return OTHER_MODIFIED
        return match

    def wants(self, column: str, value: str | None) -> bool:
        """Whether a partition value is wanted."""
        allowed = self.allowed.get(column)
        if allowed is None:
            return True
        return allowed(value) if callable(allowed) else value in allowed

    def touches(self, tokens: tuple[int, ...]) -> bool:
        """Whether a path whose leading time tokens these are can hold wanted files."""
        span = time_span(tokens, self.layout.zone, outer=True)
        return span is not None and self.window.touches(span)

    def holds(self, tokens: tuple[int, ...]) -> bool:
        """Whether every file below a path whose leading time tokens these are is in time."""
        span = time_span(tokens, self.layout.zone, outer=True)
        return span is not None and self.window.holds(span)

    def spellings(self, column: str, following: Part | None, *, first: bool) -> list[str] | None:
        """Every text that a wanted value has in a path; None if they are too many, or cannot be told.

        Only values of plain characters can be told: others are escaped by some writers and not by others.
        """
        allowed = self.allowed.get(column)
        if allowed is None or callable(allowed) or len(allowed) > MOST_CONSTRUCTED:
            return None
        values = [value for value in allowed if value != ""]
        if not all(value is None or _is_plain(value) for value in values):
            return None
        raw = {value for value in values if value is not None}
        return sorted(raw | {escape_value(value, first=first, stop=stop_characters(following)) for value in values})

    def _in_time(self, match: LayoutMatch, file: StoredFile) -> bool:
        if self.window.is_empty:
            return False
        if self.by_start:
            instant = file.modified_ms * 1000 if match.start_us is None else match.start_us
            return self.window.has(instant)
        if match.start_us is None or match.end_us is None:
            return True
        return self.window.touches((match.start_us, match.end_us))


def _is_plain(value: str) -> bool:
    return value.isascii() and value.replace("-", "").replace("_", "").replace(".", "").isalnum()
