"""The prefixes of a layout as a tree: which of them a query selects, and their children where the names are known. No I/O."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pyspark_logs.layout import (
    COLUMN,
    NO_TOKENS,
    TEXT,
    TIME,
    TIME_TOKENS,
    Part,
    Tokens,
    leading_tokens,
    unescape_value,
)
from pyspark_logs.planning.file_table import Origin
from pyspark_logs.planning.selection import MAX_CONSTRUCTED, Selection

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


@dataclass(frozen=True)
class ListingNode:
    """A prefix and the parts of the layout that are matched below it.

    Attributes:
        directory: listed directory of the load path, ending in ``/``.
        prefix: prefix of all paths of this node.
        segment: index of the layout's next segment; their number if the layout is matched completely.
        part: index of the next part in that segment.
        tokens: time tokens known so far.
        load_path: index of the load path.
        is_unpadded: True if the last time value of the prefix was constructed without its leading zero.
        ends_in_digit: True if the prefix ends in this value, so that other names (``app.10``) begin with it (``app.1``), too.
    """

    directory: str
    prefix: str
    segment: int = 0
    part: int = 0
    tokens: Tokens = NO_TOKENS
    load_path: int = 0
    is_unpadded: bool = False
    ends_in_digit: bool = False

    @property
    def origin(self) -> Origin:
        """Load path and directory of the node's files."""
        return self.load_path, self.directory


@dataclass(frozen=True)
class ListingTree:
    """The prefixes of one selection.

    Attributes:
        selection: criteria for files.
    """

    selection: Selection

    # --- position in the layout -----------------------------------------------------------------

    def skip_literals(self, node: ListingNode) -> ListingNode:
        """Extends the prefix by literal text of the layout and the slashes between its segments."""
        layout = self.selection.layout
        prefix, segment, part = node.prefix, node.segment, node.part
        while segment < len(layout.segments):
            if part == 0 and self.selects_others(replace(node, segment=segment, part=part)):
                break  # other names than those of the literal text are selected, too
            parts = layout.segments[segment].parts
            while part < len(parts) and parts[part].kind == TEXT:
                prefix += parts[part].value
                part += 1
            if part < len(parts):
                break
            segment, part = segment + 1, 0
            if segment < len(layout.segments) or layout.ends_in_directory:
                prefix += "/"
        ends_in_digit = node.is_unpadded and prefix == node.prefix
        return replace(node, prefix=prefix, segment=segment, part=part, ends_in_digit=ends_in_digit)

    def next_part(self, node: ListingNode) -> Part | None:
        """Returns the part of the layout after the prefix; None if the layout is matched completely."""
        segments = self.selection.layout.segments
        return segments[node.segment].parts[node.part] if node.segment < len(segments) else None

    def _remaining_parts(self, node: ListingNode) -> Iterator[Part]:
        for index, segment in enumerate(self.selection.layout.segments[node.segment :]):
            yield from segment.parts[node.part if index == 0 else 0 :]

    def is_directory(self, segment: int) -> bool:
        """True if names of a segment are those of directories, so that a discovery lists few names."""
        layout = self.selection.layout
        return segment + 1 < len(layout.segments) or not layout.in_file_name

    # --- selected prefixes -------------------------------------------------------------------

    def is_in_time(self, node: ListingNode) -> bool:
        """True if the known tokens put all files of the node into the selected time."""
        known = leading_tokens(node.tokens)
        return bool(known) and self.selection.covers(known)

    def is_selected_whole(self, node: ListingNode) -> bool:
        """True if neither time nor partition values can exclude a file of the node."""
        any_time = self.selection.listing_window.is_unbounded or self.is_in_time(node)
        return not any(
            (part.kind == COLUMN and part.value in self.selection.allowed) or (part.kind == TIME and not any_time)
            for part in self._remaining_parts(node)
        )

    def selects(self, fields: Iterable[tuple[Part, str]], tokens: Tokens) -> bool:
        """True if a directory may hold selected files, by the values in its name.

        Args:
            fields: parts of the name with their texts.
            tokens: time tokens of the directory, those of its name included.
        """
        known = leading_tokens(tokens)
        return (not known or self.selection.touches(known)) and all(
            self.selection.allows(part.value, unescape_value(text)) for part, text in fields if part.kind == COLUMN
        )

    def selects_others(self, node: ListingNode) -> bool:
        """True if directories that do not match an inferred layout, whose remaining columns are null there, are selected."""
        columns = (part.value for part in self._remaining_parts(node) if part.kind == COLUMN)
        return self.selection.layout.is_inferred and all(self.selection.allows(column, None) for column in columns)

    # --- children ----------------------------------------------------------------------------

    def construct_time(self, node: ListingNode) -> list[ListingNode] | None:
        """Returns a child for each spelling of each selected value of a time token.

        The result is ``None`` if the next part is not a time token or is unbounded.
        """
        part = self.next_part(node)
        if part is None or part.kind != TIME:
            return None
        known = leading_tokens(node.tokens)
        index = TIME_TOKENS.index(part.value)
        # If a coarser token is still unknown, as the year is in {dd}.{MM}.{yyyy}, no value can be excluded.
        values = self._token_values(index) if index == len(known) else None
        if values is None:
            return None
        return self.time_children(node, index, values)

    def construct_column(self, node: ListingNode) -> list[ListingNode] | None:
        """Returns a child for each selected value of a column; ``None`` if the next part is none or not constructible."""
        part = self.next_part(node)
        if part is None or part.kind != COLUMN:
            return None
        parts = self.selection.layout.segments[node.segment].parts
        following = parts[node.part + 1] if node.part + 1 < len(parts) else None
        spellings = self.selection.spellings(part.value, following, first=node.part == 0)
        if spellings is None:
            return None
        return [replace(node, prefix=node.prefix + text, part=node.part + 1) for text in spellings]

    def time_children(self, node: ListingNode, index: int, values: Iterable[int]) -> list[ListingNode]:
        """Returns a child for each spelling of each selected one among the values of a time token, the node's next part."""
        part = self.selection.layout.segments[node.segment].parts[node.part]
        known = leading_tokens(node.tokens)
        spellings = self.selection.layout.segments[node.segment].spellings
        return [
            replace(
                node,
                prefix=node.prefix + text,
                part=node.part + 1,
                tokens=(*known, value, *node.tokens[index + 1 :]),
                is_unpadded=len(text) < len(part.value),
            )
            for value in values
            if self.selection.touches((*known, value))
            for text in spellings(node.part, value)
        ]

    def _token_values(self, index: int) -> Iterable[int] | None:
        """Returns the possible values of a time token; ``None`` for years of a window that is unbounded or too long."""
        if index > 0:
            return (range(1, 13), range(1, 32), range(24), range(60))[index - 1]
        window = self.selection.listing_window
        if window.start_us is None or window.end_us is None:
            return None
        # A time zone may put the year before or after that of UTC; touches() decides.
        years = range(max(1, year_of(window.start_us) - 1), min(9999, year_of(window.end_us) + 1) + 1)
        return years if len(years) <= MAX_CONSTRUCTED else None


def year_of(instant_us: int) -> int:
    """Returns the year of an instant in microseconds; 1 or 9999 for an instant outside of these years."""
    try:
        return (_EPOCH + dt.timedelta(microseconds=instant_us)).year
    except OverflowError:
        return 1 if instant_us < 0 else 9999
