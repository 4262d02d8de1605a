"""The explanation of a plan without files: an example of the existing keys, and the expected form."""

from __future__ import annotations

import datetime as dt

from pyspark_logs.errors import LogSourceError
from pyspark_logs.layout import LayoutMatch, is_hidden
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning.load_paths import resolve_load_paths
from pyspark_logs.planning.selection import (
    EMPTY,
    HIDDEN,
    OTHER_MODIFIED,
    OTHER_NAME,
    OTHER_PARTITION,
    OTHER_TIME,
    UNMATCHED,
    Selection,
)
from pyspark_logs.store import Store, StoredFile

# List requests of the search for an example.
MAX_LISTS = 20

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


def explain_empty(store: Store, options: ReadOptions, selection: Selection) -> str:
    """Returns the reason for which no file is read. Costs up to ``MAX_LISTS`` list requests.

    Args:
        store: store of the load paths.
        options: load paths and filters of the query.
        selection: criteria of the query.
    """
    head = f"no file is read from {', '.join(options.plan.paths)}: "
    if selection.window.is_empty:
        return head + "the time ranges of the options, the condition and the filters have no instant in common"
    try:
        load_paths, _ = resolve_load_paths(store, options.plan.paths)
        for load_path in load_paths:
            file = load_path.file or _example(store, load_path.path)
            if file is not None:
                key = file.path[len(load_path.directory) :]
                return head + _reason(options, selection, file, key, named=load_path.file is not None)
    except LogSourceError as error:  # credentials may allow to list the directories of the query only
        return f"{head}nothing in it is selected, and no example can be listed: {error}"
    return head + "there is no file in it"


def _example(store: Store, directory: str) -> StoredFile | None:
    """Returns a file below a directory, if possible one with content whose name is not hidden."""
    other: StoredFile | None = None
    pending = [directory]
    for _ in range(MAX_LISTS):
        if not pending:
            break
        page = store.list_page(pending.pop(), recursive=False)
        visible = [file for file in page.files if file.size and not is_hidden(file.path.rpartition("/")[2])]
        if visible:
            return visible[0]
        other = other or next(iter(page.files), None)
        pending += [path for path in reversed(page.directories) if not is_hidden(path[:-1].rpartition("/")[2])]
    return other


def _reason(options: ReadOptions, selection: Selection, file: StoredFile, key: str, *, named: bool) -> str:
    outcome = selection.match(key, file, named=named)
    layout, window = selection.layout, selection.window
    if isinstance(outcome, LayoutMatch):
        return f"files such as {key!r} belong to write jobs that are not committed, or that an overwrite replaced"
    modified = _text(file.modified_ms * 1000)
    reasons = {
        EMPTY: "has no content",
        HIDDEN: "has a hidden name: names that begin with '_' or '.' are not data",
        UNMATCHED: f"does not fit the layout {layout.text!r}, which expects keys such as {layout.example()!r}",
        OTHER_PARTITION: f"is of another partition than the condition or the filters select ({_partitions(selection)})",
        OTHER_TIME: f"is not in the time range from {_text(window.start_us)} to {_text(window.end_us)}, layoutSlack included;"
        + (f" expected are keys such as {_expected(selection)!r}" if layout.granularity_us else f" it was modified at {modified}"),
        OTHER_NAME: f"does not match pathGlobFilter {options.plan.path_glob!r}",
        OTHER_MODIFIED: f"was modified at {modified}, outside of modifiedAfter and modifiedBefore",
    }  # fmt: skip
    return f"an existing file, {key!r}, {reasons[outcome]}"


def _partitions(selection: Selection) -> str:
    return ", ".join(
        name if callable(values) else f"{name} = {' or '.join(map(repr, values)) or 'no value'}"
        for name, values in selection.allowed.items()
    )


def _expected(selection: Selection) -> str:
    window = selection.window
    instant_us = window.start_us if window.start_us is not None or window.end_us is None else window.end_us - 1
    try:
        return selection.layout.example(instant_us)
    except OverflowError:
        return selection.layout.example()


def _text(instant_us: int | None) -> str:
    if instant_us is None:
        return "no bound"
    try:
        return (_EPOCH + dt.timedelta(microseconds=instant_us)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return "no bound"
