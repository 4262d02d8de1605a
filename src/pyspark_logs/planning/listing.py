"""Listing no more than a query wants: a walk over the prefixes that its time range and partitions allow.

The walk goes through the parts of the layout from the left. Where it knows what may follow (a time
token in a bounded range, a column with a few wanted values) it *constructs* the longer prefixes
and asks for nothing; where it does not, it *discovers* them with one delimiter listing. A prefix
of which everything is wanted is listed as a whole; if it turns out large it is split and its
children are listed in parallel.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pyspark_logs.layout import (
    COLUMN,
    NO_TOKENS,
    TEXT,
    TIME,
    TIME_TOKENS,
    LayoutMatch,
    Part,
    Tokens,
    add_tokens,
    is_hidden,
    leading_tokens,
    unescape_value,
)
from pyspark_logs.planning.selection import HIDDEN, MOST_CONSTRUCTED, UNMATCHED, Selection
from pyspark_logs.store import Page, Store, StoredFile

LIST_THREADS = 16

# A listing is split where a page spans at most so many children: each then fills about half a page or more.
_FEW_CHILDREN = 2

_COMMITS = "/_commits/"  # of a directory below the load path, which is written to by itself

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)

# A wanted file, what the layout says of it, and the load path (its number, and the root) below which it was found.
FoundFile = tuple[StoredFile, LayoutMatch, tuple[int, str]]

Node = TypeVar("Node")
Result = TypeVar("Result")


def work_through(visit: Callable[[Node], tuple[Result, Iterable[Node]]], nodes: Iterable[Node]) -> list[Result]:
    """Visit nodes, and those that the visits turn up, in parallel threads; results in any order.

    The first visit that raises ends the walk: its error comes out once the visits under way are over.
    """
    results: list[Result] = []
    executor = ThreadPoolExecutor(LIST_THREADS, thread_name_prefix="pyspark-logs-list")
    try:
        pending: set[Future[tuple[Result, Iterable[Node]]]] = {executor.submit(visit, node) for node in nodes}
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                result, more = future.result()
                results.append(result)
                pending |= {executor.submit(visit, node) for node in more}
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    return results


@dataclass
class Found:
    """What visits found.

    Attributes:
        files: wanted files, with the load path (its number, and the root) below which they were found.
        counts: by the names of a PlanReport.
        prefixes: those listed.
        sources: the load paths below which there was any file or directory.
        unmatched: a path that did not fit the layout.
        decided_ms: job of ours -> when its record was written.
        nested: directories below a load path that have a ``_commits/`` of their own.
    """

    files: list[FoundFile] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    prefixes: list[str] = field(default_factory=list)
    sources: set[int] = field(default_factory=set)
    unmatched: str = ""
    decided_ms: dict[str, int] = field(default_factory=dict)
    nested: set[str] = field(default_factory=set)

    def merge(self, other: Found) -> None:
        """Add what another visit found."""
        self.files += other.files
        self.counts += other.counts
        self.prefixes += other.prefixes
        self.sources |= other.sources
        self.nested |= other.nested
        self.unmatched = min(filter(None, (self.unmatched, other.unmatched)), default="")


@dataclass(frozen=True)
class Place:
    """How far the walk has come on one way.

    Attributes:
        root: the load path, a directory that ends in ``/``.
        prefix: what all paths from here on start with.
        segment: the layout's segment that comes next; as many as there are: the layout is done.
        part: the part of it that comes next.
        tokens: the time tokens known by now.
        source: which load path this is about.
    """

    root: str
    prefix: str
    segment: int = 0
    part: int = 0
    tokens: Tokens = NO_TOKENS
    source: int = 0


@dataclass(frozen=True)
class Walk:
    """The walk for one selection. ``visit`` is made for :func:`work_through`."""

    store: Store
    selection: Selection

    def visit(self, place: Place) -> tuple[Found, list[Place]]:
        """List a place, or say which places it consists of."""
        found = Found()
        place = self._spell_out(place)
        if self._is_wanted_whole(place):
            return found, self._list_whole(place, found, patient=True)
        if self._is_in_time(place) and self._construct_column(place) is None:
            # In time, but other partitions are in it: worth one page, which may be all of it.
            return found, self._list_whole(place, found, patient=False)
        return found, self._expand(place, found)

    # --- where a place is -----------------------------------------------------------------------

    def _spell_out(self, place: Place) -> Place:
        """Go on over literal text and the slashes between segments."""
        layout = self.selection.layout
        prefix, segment, part = place.prefix, place.segment, place.part
        while segment < len(layout.segments):
            parts = layout.segments[segment].parts
            while part < len(parts) and parts[part].kind == TEXT:
                prefix += parts[part].value
                part += 1
            if part < len(parts):
                break
            segment, part = segment + 1, 0
            if segment < len(layout.segments) or layout.ends_in_directory:
                prefix += "/"
        return replace(place, prefix=prefix, segment=segment, part=part)

    def _next(self, place: Place) -> Part | None:
        segments = self.selection.layout.segments
        return segments[place.segment].parts[place.part] if place.segment < len(segments) else None

    def _rest(self, place: Place) -> Iterator[Part]:
        for index, segment in enumerate(self.selection.layout.segments[place.segment :]):
            yield from segment.parts[place.part if index == 0 else 0 :]

    def _is_in_time(self, place: Place) -> bool:
        known = leading_tokens(place.tokens)
        return bool(known) and self.selection.holds(known)

    def _is_wanted_whole(self, place: Place) -> bool:
        """Whether nothing that is still to come could be a reason to leave something out."""
        any_time = self.selection.window.is_open or self._is_in_time(place)
        return not any(
            (part.kind == COLUMN and part.value in self.selection.allowed) or (part.kind == TIME and not any_time)
            for part in self._rest(place)
        )

    # --- listing --------------------------------------------------------------------------------

    def _pages(self, place: Place, found: Found, *, recursive: bool) -> Iterator[Page]:
        token = None
        found.prefixes.append(place.prefix)
        while True:
            page = self.store.page(place.prefix, recursive=recursive, token=token)
            found.counts["list_calls"] += 1
            yield page
            token = page.next_token
            if token is None:
                return

    def _list_whole(self, place: Place, found: Found, *, patient: bool) -> list[Place]:
        """List everything below; split what is large. An impatient one looks at one page only."""
        pages: list[Page] = []
        for page in self._pages(place, found, recursive=True):
            pages.append(page)
            # The pages so far are thrown away, never used in part: not every store lists in the order
            # of keys, so they say nothing about which children they hold completely. That is cheap:
            # children of about a page or more make it one request in many, and asking only at pages
            # 1, 2, 4, 8.. keeps the decision from hanging on how the last child happens to end.
            at_power_of_two = len(pages) & (len(pages) - 1) == 0
            large = page.next_token is not None and self._next(place) is not None and at_power_of_two
            if large and (not patient or self._spans_few(place, page)):
                found.sources.add(place.source)
                return self._expand(place, found)
        for page in pages:
            self._take(place, page, found)
        return []

    def _spans_few(self, place: Place, page: Page) -> bool:
        """Whether a page's files lie in so few children that each of them is worth a listing of its own."""
        part = self._next(place)
        start = len(place.prefix)
        if part is not None and part.kind == TIME:
            children = {file.path[start : start + len(part.value)] for file in page.files}
        else:
            # A file without a further slash is its own child.
            children = {file.path[start:].partition("/")[0] for file in page.files}
        return len(children) <= _FEW_CHILDREN

    def _take(self, place: Place, page: Page, found: Found) -> None:
        for file in page.files:
            self._judge(file, file.path[len(place.root) :], (place.source, place.root), found)
        if page.files or page.directories:
            found.sources.add(place.source)

    def take_named(self, file: StoredFile, source: int) -> Found:
        """Judge a file that a load path names: its name alone is matched with the layout."""
        found = Found(sources={source})
        directory, _, name = file.path.rpartition("/")
        self._judge(file, name, (source, directory), found, named=True)
        return found

    def _judge(self, file: StoredFile, key: str, origin: tuple[int, str], found: Found, *, named: bool = False) -> None:
        found.counts["files_listed"] += 1
        verdict = self.selection.judge(key, file, named=named)
        if isinstance(verdict, LayoutMatch):
            found.files.append((file, verdict, origin))
            return
        found.counts[verdict] += 1
        if verdict == HIDDEN and _COMMITS in key:
            found.nested.add(file.path[: file.path.rindex(_COMMITS) + 1])
        if verdict == UNMATCHED:
            found.unmatched = min(found.unmatched or file.path, file.path)

    # --- splitting ------------------------------------------------------------------------------

    def _expand(self, place: Place, found: Found) -> list[Place]:
        """The places that a place consists of."""
        children = self._construct_time(place)
        if children is None:
            children = self._construct_column(place)
        return self._discover(place, found) if children is None else children

    def _construct_time(self, place: Place) -> list[Place] | None:
        part = self._next(place)
        if part is None or part.kind != TIME:
            return None
        known = leading_tokens(place.tokens)
        index = TIME_TOKENS.index(part.value)
        # Month before year, as in {dd}.{MM}.{yyyy}: nothing says which months there are.
        values = self._values(index) if index == len(known) else None
        if values is None:
            return None
        return [
            replace(
                place,
                prefix=place.prefix + f"{value:0{len(part.value)}}",
                part=place.part + 1,
                tokens=(*known, value, *place.tokens[index + 1 :]),
            )
            for value in values
            if self.selection.touches((*known, value))
        ]

    def _values(self, index: int) -> Iterable[int] | None:
        """Numbers that a time token can be; those of years that the window holds, None if it is too long."""
        if index > 0:
            return (range(1, 13), range(1, 32), range(24), range(60))[index - 1]
        window = self.selection.window
        if window.start_us is None or window.end_us is None:
            return None
        # One year more on both sides: the zone may be ahead or behind. touches() decides.
        years = range(max(1, _year(window.start_us) - 1), min(9999, _year(window.end_us) + 1) + 1)
        return years if len(years) <= MOST_CONSTRUCTED else None

    def _construct_column(self, place: Place) -> list[Place] | None:
        part = self._next(place)
        if part is None or part.kind != COLUMN:
            return None
        parts = self.selection.layout.segments[place.segment].parts
        following = parts[place.part + 1] if place.part + 1 < len(parts) else None
        spellings = self.selection.spellings(part.value, following, first=place.part == 0)
        if spellings is None:
            return None
        return [replace(place, prefix=place.prefix + text, part=place.part + 1) for text in spellings]

    def _discover(self, place: Place, found: Found) -> list[Place]:
        """Ask which names the next segment has; they say all that it knows at once."""
        segment = self.selection.layout.segments[place.segment]
        children = []
        for page in self._pages(place, found, recursive=False):
            self._take(place, page, found)
            for directory in page.directories:
                name = directory[:-1].rpartition("/")[2]
                fields = None if is_hidden(name) else segment.read(name)
                if fields is not None and self._wants(fields, tokens := add_tokens(place.tokens, fields)):
                    children.append(replace(place, prefix=directory, segment=place.segment + 1, part=0, tokens=tokens))
                else:
                    found.counts["directories_pruned"] += 1
                    if directory.endswith(_COMMITS) and place.prefix != place.root:
                        found.nested.add(place.prefix)
        return children

    def _wants(self, fields: Iterable[tuple[Part, str]], tokens: Tokens) -> bool:
        known = leading_tokens(tokens)
        return (not known or self.selection.touches(known)) and all(
            self.selection.wants(part.value, unescape_value(text)) for part, text in fields if part.kind == COLUMN
        )


def _year(instant_us: int) -> int:
    try:
        return (_EPOCH + dt.timedelta(microseconds=instant_us)).year
    except OverflowError:
        return 1 if instant_us < 0 else 9999
