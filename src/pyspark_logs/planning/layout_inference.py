"""The layout of a load path: the option, or the layout of Hive's ``key=value`` directories."""

from __future__ import annotations

from pyspark_logs.layout import Layout, hive_layout, is_hidden
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning.load_paths import resolve_load_paths
from pyspark_logs.store import Page, Store


def resolve_layout(store: Store, options: ReadOptions) -> Layout:
    """Returns the layout of the options, else that of Hive's ``key=value`` directories, else a flat layout.

    Directories are Hive's if all directories of a level have the same key and the level has no data file, so that the
    inferred layout excludes no file.

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
        page = store.list_page(prefix, recursive=False)
        has_data = any(file.size and not is_hidden(_name(file.path)) for file in page.files)
        key = None if has_data else _common_key(page)
        if key is None or key.lower() in (known.lower() for known in keys):
            break
        keys.append(key)
        prefix = next(path for path in page.directories if not is_hidden(_name(path)))
    return hive_layout(keys, zone)


def _common_key(page: Page) -> str | None:
    """Returns the key of all ``key=value`` directories of a page; ``None`` if they have different keys or none."""
    pairs = [_name(path).partition("=") for path in page.directories if not is_hidden(_name(path))]
    keys = {key for key, equals, value in pairs if equals and value}
    all_have_keys = all(equals and value for _, equals, value in pairs)
    return keys.pop() or None if all_have_keys and len(keys) == 1 else None


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
