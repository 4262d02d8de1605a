"""The walk over the prefixes that a query's time range and partition filters allow.

The walk follows the parts of the layout from the left; ``listing_tree`` knows the prefixes, and the walk makes the requests. Where the next values are known (a time token in a bounded range, a
column with few selected values), it *constructs* the longer prefixes without a request. Elsewhere it *discovers* them with
one delimiter listing. A time token has two spellings for a value below 10 (``01`` and ``1``): these values are also
discovered if one page of the listing shows all of them; otherwise both prefixes are constructed. A prefix below which everything
is selected is listed recursively. If that listing is large, the prefix is split and its children are listed in parallel. In a
range without an end, the years are discovered. If the listing has too many pages, because the names hold finer tokens
(``app.2026-11-22-10.log``), the existing years are searched by one request each.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pyspark_logs.jobs import COMMITS
from pyspark_logs.layout import TIME, TIME_TOKENS, LayoutMatch, add_tokens, is_hidden
from pyspark_logs.planning.listing_result import ListingResult
from pyspark_logs.planning.listing_tree import ListingNode, ListingTree, year_of
from pyspark_logs.planning.selection import HIDDEN, MAX_CONSTRUCTED, UNMATCHED
from pyspark_logs.store import Page, Store, StoredFile

# A prefix is split if one page of its listing spans no more children than this: each then fills half a page or more.
_FEW_CHILDREN = 2

# Pages of names that are listed before years are searched, which saves nothing in smaller directories.
_DISCOVERY_PAGES = 16

_DIGITS = tuple("0123456789")
_AFTER_DIGITS = ":"  # follows "9"
_NESTED_COMMITS = f"/{COMMITS}"  # of a root at or below the load path


@dataclass(frozen=True)
class PrefixWalk:
    """The walk for one selection; :meth:`visit` is a visit of :func:`~pyspark_logs.planning.threads.run_in_threads`.

    Attributes:
        store: store of the load paths.
        tree: prefixes that are selected.
    """

    store: Store
    tree: ListingTree

    def visit(self, node: ListingNode) -> tuple[ListingResult, list[ListingNode]]:
        """Lists a node or splits it; returns the listed files and the children that are still to be visited."""
        result = ListingResult()
        node = self.tree.skip_literals(node)
        if self.tree.is_selected_whole(node):
            return result, self._list_recursively(node, result)
        # An unpadded prefix seldom exists: one request shows that, before many are made below it.
        if node.is_unpadded or (self.tree.is_in_time(node) and self.tree.construct_column(node) is None):
            # The node holds other partitions, too; but one page may be all of it.
            return result, self._list_recursively(node, result, one_page=True)
        return result, self._split(node, result)

    def select_named(self, file: StoredFile, load_path: int) -> ListingResult:
        """Returns the result for a file that a load path names; only its name is matched with the layout."""
        result = ListingResult(load_paths={load_path})
        result.counts["files_listed"] += 1
        directory, slash, name = file.path.rpartition("/")
        outcome = self.tree.selection.match(name, file, named=True)
        if isinstance(outcome, LayoutMatch):
            result.files.add([file], [outcome], (load_path, directory + slash))
        else:
            result.counts[outcome] += 1
        return result

    # --- listing -----------------------------------------------------------------------------

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
            is_large = page.next_token is not None and self.tree.next_part(node) is not None and at_power_of_two
            if is_large and (one_page or self._spans_few_children(node, page)):
                result.load_paths.add(node.load_path)
                return self._split(node, result)
        for page in pages:
            self._add_page(node, page, result)
        return []

    def _spans_few_children(self, node: ListingNode, page: Page) -> bool:
        """True if the files of a page lie in so few children that each child is worth its own listing."""
        part = self.tree.next_part(node)
        start = len(node.prefix)
        if part is not None and part.kind == TIME:
            children = {file.path[start : start + len(part.value)] for file in page.files}
        else:
            # A file without a further slash counts as a child.
            children = {file.path[start:].partition("/")[0] for file in page.files}
        return len(children) <= _FEW_CHILDREN

    def _add_page(self, node: ListingNode, page: Page, result: ListingResult) -> None:
        """Adds the selected files of a page to the result, and counts the reasons for the exclusion of the others."""
        selection, start = self.tree.selection, len(node.directory)
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

    # --- splitting ---------------------------------------------------------------------------

    def _split(self, node: ListingNode, result: ListingResult) -> list[ListingNode]:
        """Returns the children of a node: constructed if their names are known, else discovered."""
        node = replace(node, is_unpadded=False, ends_in_digit=False)
        children = self.tree.construct_time(node)
        if children is None:
            children = self.tree.construct_column(node)
        if children is None:
            pages = self._pages(node, result, recursive=False)
            first = list(itertools.islice(pages, _DISCOVERY_PAGES))
            years = self._search_years(node, result) if first[-1].next_token is not None else None
            if years is None:
                return self._discover(node, itertools.chain(first, pages), result)
            result.load_paths.add(node.load_path)
            children = self.tree.time_children(node, 0, years)
        if any(child.is_unpadded for child in children) and self.tree.is_directory(node.segment):
            page = next(self._pages(node, result, recursive=False))
            if page.next_token is None:
                return self._discover(node, [page], result)
        return children

    def _search_years(self, node: ListingNode, result: ListingResult) -> list[int] | None:
        """Returns the years from the start of a window without an end on that occur in the names below a node.

        Costs one LIST for each year, and one. Names in the order of keys show the next year after any text.

        Returns:
            ``None`` if the next part is not the year, or the years cannot be told from the names.
        """
        part, window = self.tree.next_part(node), self.tree.selection.listing_window
        if part is None or part.value != TIME_TOKENS[0] or part.kind != TIME:
            return None
        if window.start_us is None or window.end_us is not None or not self.store.lists_in_order:
            return None
        start = len(node.prefix)
        years: list[int] = []
        last = max(1, year_of(window.start_us) - 1) - 1  # a time zone may put the year before that of UTC
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

    def _discover(self, node: ListingNode, pages: Iterable[Page], result: ListingResult) -> list[ListingNode]:
        """Returns a child for each selected directory among the pages of a listing with a delimiter."""
        segment = self.tree.selection.layout.segments[node.segment]
        children = []
        for page in pages:
            self._add_page(node, page, result)
            for directory in page.directories:
                name = directory[:-1].rpartition("/")[2]
                fields = None if is_hidden(name) else segment.read(name)
                if fields is not None and self.tree.selects(fields, tokens := add_tokens(node.tokens, fields)):
                    children.append(replace(node, prefix=directory, segment=node.segment + 1, part=0, tokens=tokens))
                elif fields is None and not is_hidden(name) and self.tree.selects_others(node):
                    segments = len(self.tree.selection.layout.segments)
                    children.append(replace(node, prefix=directory, segment=segments, part=0))
                else:
                    result.counts["directories_pruned"] += 1
                    if directory.endswith(_NESTED_COMMITS):
                        result.nested_roots.add(node.prefix)
        return children
