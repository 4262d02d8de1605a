"""The layout of a load path: the option, or the layout of Hive's ``key=value`` directories."""

from __future__ import annotations

from pyspark_logs.layout import Layout, hive_layout, is_hidden
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning.load_paths import resolve_load_paths
from pyspark_logs.store import Page, Store
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)


def resolve_layout(store: Store, options: ReadOptions) -> Layout:
    """Returns the layout of the options, else that of Hive's ``key=value`` directories, else a flat layout.

    A level of the paths is a column if it has ``key=value`` directories and all of them have the same key. Files and other
    directories beside them have null in this column, so that the inferred layout excludes no file. Directories of different
    keys are not a column, and a warning names two of them.

    Raises:
        LayoutError: the option is malformed.
    """
    zone = options.time.zone
    if options.plan.layout is not None:
        return Layout.parse(options.plan.layout, zone)
    load_paths, _ = resolve_load_paths(store, options.plan.paths[:1])
    prefix = next((path.path for path in load_paths if path.file is None), None)
    keys: list[str] = []
    while prefix is not None:
        directories = _hive_directories(store.list_page(prefix, recursive=False))
        found = {key for key, _ in directories}
        if len(found) > 1:
            _warn_of_keys(directories)
        if len(found) != 1 or not {key.lower() for key in found}.isdisjoint(key.lower() for key in keys):
            break
        (key, prefix), *_ = directories
        keys.append(key)
    return hive_layout(keys, zone)


def _warn_of_keys(directories: list[tuple[str, str]]) -> None:
    (key, path), *others = directories
    other, other_path = next(pair for pair in others if pair[0] != key)
    _log.warning(
        "the directories %s and %s beside each other have the keys %r and %r, so none of them is a column. Move the files that"
        " are not part of the data, or give the option layout, e.g. layout='%s={%s}', which skips keys that do not match",
        path, other_path, key, other, key, key,
    )  # fmt: skip


def _hive_directories(page: Page) -> list[tuple[str, str]]:
    """Returns key and path of each ``key=value`` directory of a page."""
    pairs = [(_name(path).partition("="), path) for path in page.directories if not is_hidden(_name(path))]
    return [(key, path) for (key, _, value), path in pairs if key and value]


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
