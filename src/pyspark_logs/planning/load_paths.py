"""Resolution of load paths: globs are expanded level by level, and files are told from directories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark_logs.errors import OptionError
from pyspark_logs.planning.globs import Glob, is_glob, split_glob
from pyspark_logs.planning.threads import LIST_THREADS, run_in_threads
from pyspark_logs.store import Store, StoredFile, join, normalise, split_bucket, split_scheme


@dataclass(frozen=True)
class LoadPath:
    """A directory or file that a load path option names, directly or by a glob.

    Attributes:
        path: path; a directory ends in ``/``.
        index: index of the option's value among the load paths.
        file: file at the path; ``None`` for a directory.
        is_known: True if the store has shown it. A directory given without a glob is not looked up: its listing shows
            that it exists.
    """

    path: str
    index: int
    file: StoredFile | None = None
    is_known: bool = True

    @property
    def directory(self) -> str:
        """The directory, or that of the file; ends in ``/``."""
        return self.path if self.file is None else self.path.rpartition("/")[0] + "/"


@dataclass(frozen=True)
class _GlobNode:
    """A partly expanded glob.

    Attributes:
        prefix: expanded part.
        names: globs of the names below the prefix.
        index: index of the load path.
        is_listed: True if a listing has returned the prefix.
    """

    prefix: str
    names: tuple[Glob, ...]
    index: int
    is_listed: bool = False


def resolve_load_paths(
    store: Store, paths: Sequence[str], threads: int = LIST_THREADS
) -> tuple[list[LoadPath], Counter[str]]:
    """Returns the directories and files of load paths, sorted by index and path, and the number of list requests.

    A directory without a glob costs no request; a path without a glob whose last name has a dot costs one HEAD.

    Raises:
        OptionError: a path or glob is malformed, or a glob stands for a bucket.
    """
    nodes: list[_GlobNode] = []
    for index, path in enumerate(paths):
        if is_glob(path):
            nodes += [_GlobNode("", tuple(names), index) for names in split_glob(normalise(path))]
        else:
            nodes.append(_GlobNode(normalise(path), (), index))
    calls: Counter[str] = Counter()
    resolved: set[LoadPath] = set()
    for found, count in run_in_threads(lambda node: _expand(store, node), nodes, threads):
        resolved.update(found)
        calls["list_calls"] += count
    return sorted(resolved, key=lambda path: (path.index, path.path)), calls


def find_path(store: Store, path: str) -> tuple[StoredFile | None, bool, int]:
    """Returns the file at a path, whether a directory is there, and the number of list requests.

    Args:
        store: store of the path.
        path: path without a slash at the end.
    """
    page = store.list_page(path, recursive=False)
    file = next((file for file in page.files if file.path == path), None)
    if page.next_token is None:
        return file, join(path, "") in page.directories, 1
    # More than a page of paths begin with this one; in key order "app-1" comes before "app/".
    below = store.list_page(join(path, ""), recursive=True)
    return file or store.head(path), bool(below.files), 2


def find_load_path(store: Store, load_path: LoadPath) -> tuple[StoredFile | None, bool, int]:
    """Returns the result of :func:`find_path` for a load path that is not known to exist.

    A bucket exists if it can be listed.
    """
    scheme, _ = split_scheme(load_path.path)
    if scheme not in ("", "memory") and not split_bucket(load_path.path)[2]:
        store.list_page(load_path.path, recursive=False)
        return None, True, 1
    if not load_path.path.strip("/"):
        return None, True, 0
    return find_path(store, load_path.path.rstrip("/"))


def _expand(store: Store, node: _GlobNode) -> tuple[tuple[list[LoadPath], int], list[_GlobNode]]:
    """Expands the next name of a glob: load paths and number of list requests, and the nodes of the next level."""
    prefix, names = node.prefix, node.names
    while names and names[0].literal is not None and (len(names) > 1 or not node.is_listed):
        # A slash at the end of a path makes an empty last name: the path before it must be a directory.
        prefix += names[0].literal + "/" * (len(names) > 1)
        names = names[1:]
    if not names:
        return ([_plain_load_path(store, prefix, node)], 0), []
    name = names[0]
    if not _is_within_bucket(prefix):
        raise OptionError(f"path {prefix}{name.text}: a glob cannot stand for a bucket; name the bucket")
    if name.literal is not None:
        return _find_last_name(store, prefix + name.literal, node), []

    found: list[LoadPath] = []
    nodes: list[_GlobNode] = []
    is_last = len(names) == 1
    token, count = None, 0
    while count == 0 or token is not None:
        page = store.list_page(prefix + name.prefix, recursive=False, token=token)
        token, count = page.next_token, count + 1
        for directory in page.directories:
            if name.finds(directory[:-1].rpartition("/")[2]):
                if is_last:
                    found.append(LoadPath(directory, node.index))
                else:
                    nodes.append(_GlobNode(directory, names[1:], node.index, is_listed=True))
        if is_last:
            files = (file for file in page.files if name.finds(file.path.rpartition("/")[2]))
            found += [LoadPath(file.path, node.index, file) for file in files]
    return (found, count), nodes


def _plain_load_path(store: Store, path: str, node: _GlobNode) -> LoadPath:
    """Returns the load path of a path without a glob: a file if it is one and its name has a dot, else a directory."""
    if path.endswith("/"):
        return LoadPath(path, node.index, is_known=node.is_listed)
    if "." in path.rpartition("/")[2]:
        file = store.head(path)
        if file is not None:
            return LoadPath(path, node.index, file)
    return LoadPath(join(path, ""), node.index, is_known=node.is_listed)


def _find_last_name(store: Store, path: str, node: _GlobNode) -> tuple[list[LoadPath], int]:
    """Returns the load paths of a literal last name below a listed directory, and the number of list requests."""
    if path.endswith("/"):
        return [LoadPath(path, node.index)], 0
    file, is_directory, count = find_path(store, path)
    found = [LoadPath(path, node.index, file)] if file is not None else []
    return found + [LoadPath(join(path, ""), node.index)] * is_directory, count


def _is_within_bucket(prefix: str) -> bool:
    scheme, rest = split_scheme(prefix)
    return not scheme or "/" in rest
