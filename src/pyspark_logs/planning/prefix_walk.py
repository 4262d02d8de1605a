"""The walk over the prefixes that a query's time range and partition filters allow.

The walk follows the parts of the layout from the left. Where the next values are known (a time token in a bounded range, a
column with few selected values), it *constructs* the longer prefixes without a request. Elsewhere it *discovers* them with
one delimiter listing. A time token has two spellings for a value below 10 (``01`` and ``1``): these values are also
discovered if one page of the listing shows all of them; otherwise both prefixes are constructed. A prefix below which everything
is selected is listed recursively. If that listing is large, the prefix is split and its children are listed in parallel. In a
range without an end, the years are discovered. If the listing has too many pages, because the names hold finer tokens
(``app.2026-11-22-10.log``), the existing years are searched by one request each.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pyspark_logs.jobs import COMMITS
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
from pyspark_logs.planning.file_table import Origin
from pyspark_logs.planning.listing_result import ListingResult
from pyspark_logs.planning.selection import HIDDEN, MAX_CONSTRUCTED, UNMATCHED, Selection
from pyspark_logs.store import Page, Store, StoredFile

# A prefix is split if one page of its listing spans no more children than this: each then fills half a page or more.
_FEW_CHILDREN = 2

# Pages of names that are listed before years are searched, which saves nothing in smaller directories.
_DISCOVERY_PAGES = 16

_DIGITS = tuple("0123456789")
_AFTER_DIGITS = ":"  # follows "9"
_NESTED_COMMITS = f"/{COMMITS}"  # of a root at or below the load path

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
class PrefixWalk:
    """The walk for one selection; :meth:`visit` is a visit of :func:`~pyspark_logs.planning.threads.run_in_threads`.

    Attributes:
        store: store of the load paths.
        selection: criteria for files.
    """

    store: Store
    selection: Selection

    def visit(self, node: ListingNode) -> tuple[ListingResult, list[ListingNode]]:
        """Lists a node or splits it; returns the listed files and the children that are still to be visited."""
        result = ListingResult()
        node = self._skip_literals(node)
        if self._is_selected_whole(node):
            return result, self._list_recursively(node, result)
        # An unpadded prefix seldom exists: one request shows that, before many are made below it.
        if node.is_unpadded or (self._is_in_time(node) and self._construct_column(node) is None):
            # The node holds other partitions, too; but one page may be all of it.
            return result, self._list_recursively(node, result, one_page=True)
        return result, self._split(node, result)

    def select_named(self, file: StoredFile, load_path: int) -> ListingResult:
        """Returns the result for a file that a load path names; only its name is matched with the layout."""
        result = ListingResult(load_paths={load_path})
        result.counts["files_listed"] += 1
        directory, slash, name = file.path.rpartition("/")
        outcome = self.selection.match(name, file, named=True)
        if isinstance(outcome, LayoutMatch):
            result.files.add([file], [outcome], (load_path, directory + slash))
        else:
            result.counts[outcome] += 1
        return result

    # --- position in the layout -----------------------------------------------------------------

    def _skip_literals(self, node: ListingNode) -> ListingNode:
        """Extends the prefix by literal text of the layout and the slashes between its segments."""
        layout = self.selection.layout
        prefix, segment, part = node.prefix, node.segment, node.part
        while segment < len(layout.segments):
            if part == 0 and self._selects_others(replace(node, segment=segment, part=part)):
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

    def _next_part(self, node: ListingNode) -> Part | None:
        segments = self.selection.layout.segments
        return segments[node.segment].parts[node.part] if node.segment < len(segments) else None

    def _remaining_parts(self, node: ListingNode) -> Iterator[Part]:
        for index, segment in enumerate(self.selection.layout.segments[node.segment :]):
            yield from segment.parts[node.part if index == 0 else 0 :]

    def _is_in_time(self, node: ListingNode) -> bool:
        """True if the known tokens put all files of the node into the selected time."""
        known = leading_tokens(node.tokens)
        return bool(known) and self.selection.covers(known)

    def _is_selected_whole(self, node: ListingNode) -> bool:
        """True if neither time nor partition values can exclude a file of the node."""
        any_time = self.selection.listing_window.is_unbounded or self._is_in_time(node)
        return not any(
            (part.kind == COLUMN and part.value in self.selection.allowed) or (part.kind == TIME and not any_time)
            for part in self._remaining_parts(node)
        )

    # --- listing --------------------------------------------------------------------------------

    def _pages(self, node: ListingNode, result: ListingResult, *, recursive: bool) -> Iterator[Page]:
        token = None
        result.prefixes.append(node.prefix)
        while True:
            page = self.store.list_page(node.prefix, recursive=recursive, token=token)
            result.counts["list_calls"] += 1
            yield page
            token = page.next_token
            if token is None:
                return

    def _list_recursively(
        self, node: ListingNode, result: ListingResult, *, one_page: bool = False
    ) -> list[ListingNode]:
        """Lists all files of a node, or splits a large node and returns its children.

        Args:
            node: node to list.
            result: result to which the files are added.
            one_page: True to split the node if it has more than one page, however its files are distributed.
        """
        pages: list[Page] = []
        for page in self._pages(node, result, recursive=True):
            pages.append(page)
            # A split discards the pages read so far: a store that does not list in key order may not have returned any
            # child completely. The cost is small, because a node is split only if its children fill half a page or more.
            # Testing at pages 1, 2, 4, 8.. keeps a short last child from deciding.
            at_power_of_two = len(pages) & (len(pages) - 1) == 0
            is_large = page.next_token is not None and self._next_part(node) is not None and at_power_of_two
            if is_large and (one_page or self._spans_few_children(node, page)):
                result.load_paths.add(node.load_path)
                return self._split(node, result)
        for page in pages:
            self._add_page(node, page, result)
        return []

    def _spans_few_children(self, node: ListingNode, page: Page) -> bool:
        """True if the files of a page lie in so few children that each child is worth its own listing."""
        part = self._next_part(node)
        start = len(node.prefix)
        if part is not None and part.kind == TIME:
            children = {file.path[start : start + len(part.value)] for file in page.files}
        else:
            # A file without a further slash counts as a child.
            children = {file.path[start:].partition("/")[0] for file in page.files}
        return len(children) <= _FEW_CHILDREN

    def _add_page(self, node: ListingNode, page: Page, result: ListingResult) -> None:
        """Adds the selected files of a page to the result, and counts the reasons for the exclusion of the others."""
        selection, start = self.selection, len(node.directory)
        # Layouts usually end in a directory, and then all its files match alike.
        shared_by: dict[str, LayoutMatch | str | None] = {}
        files: list[StoredFile] = []
        matches: list[LayoutMatch] = []
        listed = 0
        for file in page.files:
            if node.ends_in_digit and file.path[len(node.prefix) :][:1] in _DIGITS:
                continue  # of another value, whose own prefix is listed
            key = file.path[start:]
            listed += 1
            cut = key.rfind("/") + 1
            directory = key[:cut]
            if directory in shared_by:
                shared = shared_by[directory]
            else:
                shared = shared_by[directory] = selection.match_directory(directory)
            if shared is None:
                outcome = selection.match(key, file)
            else:
                outcome = selection.match_in_directory(shared, key[cut:], file)
            if isinstance(outcome, LayoutMatch):
                files.append(file)
                matches.append(outcome)
            else:
                self._exclude(file, key, outcome, result)
        result.files.add(files, matches, node.origin)
        result.counts["files_listed"] += listed
        result.add_skipped_links(page.skipped_links)
        if page.files or page.directories:
            result.load_paths.add(node.load_path)

    def _exclude(self, file: StoredFile, key: str, reason: str, result: ListingResult) -> None:
        """Counts an excluded file by the reason of its exclusion."""
        result.counts[reason] += 1
        if reason == HIDDEN and _NESTED_COMMITS in f"/{key}":
            result.nested_roots.add(file.path[: file.path.rindex(_NESTED_COMMITS) + 1])
        if reason == UNMATCHED:
            result.unmatched_path = min(result.unmatched_path or file.path, file.path)

    # --- splitting ------------------------------------------------------------------------------

    def _split(self, node: ListingNode, result: ListingResult) -> list[ListingNode]:
        """Returns the children of a node: constructed if their names are known, else discovered."""
        node = replace(node, is_unpadded=False, ends_in_digit=False)
        children = self._construct_time(node)
        if children is None:
            children = self._construct_column(node)
        if children is None:
            pages = self._pages(node, result, recursive=False)
            first = list(itertools.islice(pages, _DISCOVERY_PAGES))
            years = self._search_years(node, result) if first[-1].next_token is not None else None
            if years is None:
                return self._discover(node, itertools.chain(first, pages), result)
            result.load_paths.add(node.load_path)
            children = self._time_children(node, 0, years)
        if any(child.is_unpadded for child in children) and self._is_directory(node.segment):
            page = next(self._pages(node, result, recursive=False))
            if page.next_token is None:
                return self._discover(node, [page], result)
        return children

    def _is_directory(self, segment: int) -> bool:
        """True if names of a segment are those of directories, so that a discovery lists few names."""
        layout = self.selection.layout
        return segment + 1 < len(layout.segments) or not layout.in_file_name

    def _construct_time(self, node: ListingNode) -> list[ListingNode] | None:
        """Returns a child for each spelling of each selected value of a time token.

        The result is ``None`` if the next part is no time token or is unbounded.
        """
        part = self._next_part(node)
        if part is None or part.kind != TIME:
            return None
        known = leading_tokens(node.tokens)
        index = TIME_TOKENS.index(part.value)
        # If a coarser token is still unknown, as the year is in {dd}.{MM}.{yyyy}, no value can be excluded.
        values = self._token_values(index) if index == len(known) else None
        if values is None:
            return None
        return self._time_children(node, index, values)

    def _time_children(self, node: ListingNode, index: int, values: Iterable[int]) -> list[ListingNode]:
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
        years = range(max(1, _year(window.start_us) - 1), min(9999, _year(window.end_us) + 1) + 1)
        return years if len(years) <= MAX_CONSTRUCTED else None

    def _search_years(self, node: ListingNode, result: ListingResult) -> list[int] | None:
        """Returns the years from the start of a window without an end on that occur in the names below a node.

        Costs one LIST for each year, and one. Names in the order of keys show the next year after any text.

        Returns:
            ``None`` if the next part is not the year, or the years cannot be told from the names.
        """
        part, window = self._next_part(node), self.selection.listing_window
        if part is None or part.value != TIME_TOKENS[0] or part.kind != TIME:
            return None
        if window.start_us is None or window.end_us is not None or not self.store.lists_in_order:
            return None
        start = len(node.prefix)
        years: list[int] = []
        last = max(1, _year(window.start_us) - 1) - 1  # a time zone may put the year before that of UTC
        while len(years) <= MAX_CONSTRUCTED:
            page = self.store.list_after(node.prefix, f"{node.prefix}{last:04d}{_AFTER_DIGITS}")
            result.counts["list_calls"] += 1
            texts = [file.path[start:] for file in page.files]
            year = next((text[:4] for text in texts if len(text) > 3 and set(_DIGITS).issuperset(text[:4])), None)
            if year is None:
                is_last = page.next_token is None or texts[-1:] > [_AFTER_DIGITS]
                return years if is_last else None
            if int(year) <= last:
                return None  # a character that is greater than digits and separators follows the year
            last = int(year)
            years.append(last)
        return None

    def _construct_column(self, node: ListingNode) -> list[ListingNode] | None:
        """Returns a child for each selected value of a column; ``None`` if the next part is none or not constructible."""
        part = self._next_part(node)
        if part is None or part.kind != COLUMN:
            return None
        parts = self.selection.layout.segments[node.segment].parts
        following = parts[node.part + 1] if node.part + 1 < len(parts) else None
        spellings = self.selection.spellings(part.value, following, first=node.part == 0)
        if spellings is None:
            return None
        return [replace(node, prefix=node.prefix + text, part=node.part + 1) for text in spellings]

    def _discover(self, node: ListingNode, pages: Iterable[Page], result: ListingResult) -> list[ListingNode]:
        """Returns a child for each selected directory among the pages of a listing with a delimiter."""
        segment = self.selection.layout.segments[node.segment]
        children = []
        for page in pages:
            self._add_page(node, page, result)
            for directory in page.directories:
                name = directory[:-1].rpartition("/")[2]
                fields = None if is_hidden(name) else segment.read(name)
                if fields is not None and self._selects(fields, tokens := add_tokens(node.tokens, fields)):
                    children.append(replace(node, prefix=directory, segment=node.segment + 1, part=0, tokens=tokens))
                elif fields is None and not is_hidden(name) and self._selects_others(node):
                    segments = len(self.selection.layout.segments)
                    children.append(replace(node, prefix=directory, segment=segments, part=0))
                else:
                    result.counts["directories_pruned"] += 1
                    if directory.endswith(_NESTED_COMMITS):
                        result.nested_roots.add(node.prefix)
        return children

    def _selects(self, fields: Iterable[tuple[Part, str]], tokens: Tokens) -> bool:
        """True if the values that a directory name holds are selected."""
        known = leading_tokens(tokens)
        return (not known or self.selection.touches(known)) and all(
            self.selection.allows(part.value, unescape_value(text)) for part, text in fields if part.kind == COLUMN
        )

    def _selects_others(self, node: ListingNode) -> bool:
        """True if directories that do not match an inferred layout, whose remaining columns are null there, are selected."""
        columns = (part.value for part in self._remaining_parts(node) if part.kind == COLUMN)
        return self.selection.layout.is_inferred and all(self.selection.allows(column, None) for column in columns)


def _year(instant_us: int) -> int:
    try:
        return (_EPOCH + dt.timedelta(microseconds=instant_us)).year
    except OverflowError:
        return 1 if instant_us < 0 else 9999
