"""From load paths to roots: globs expanded level by level, files told from directories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark_logs.errors import OptionError
from pyspark_logs.planning.globs import Glob, is_glob, split_glob
from pyspark_logs.planning.listing import work_through
from pyspark_logs.store import Store, StoredFile, join, normalise, split_scheme
from pyspark_logs.store.paths import split_bucket


@dataclass(frozen=True)
class Root:
    """A directory or a file that a load path names.

    Attributes:
        path: of a directory, ending in ``/``; of a file otherwise.
        source: which load path named it.
        file: the file, if it is one.
        known: whether it was seen in the store; a plain directory is taken on trust until its listing is empty.
    """

    path: str
    source: int
    file: StoredFile | None = None
    known: bool = True


@dataclass(frozen=True)
class _Branch:
    """A load path on its way: ``prefix`` is settled, ``names`` are still to be matched below it."""

    prefix: str
    names: tuple[Glob, ...]
    source: int
    branched: bool = False


def find_roots(store: Store, paths: Sequence[str]) -> tuple[list[Root], Counter[str]]:
    """The roots of all load paths, sorted by load path and path, and how many list requests that took.

    A plain directory costs no request; a plain path whose last name holds a dot, one HEAD.

    Raises:
        OptionError: a path or glob is malformed, or the glob is in the place of the bucket.
    """
    branches: list[_Branch] = []
    for source, path in enumerate(paths):
        if is_glob(path):
            branches += [_Branch("", tuple(names), source) for names in split_glob(normalise(path))]
        else:
            branches.append(_Branch(normalise(path), (), source))
    calls: Counter[str] = Counter()
    roots: set[Root] = set()
    for more, count in work_through(lambda branch: _grow(store, branch), branches):
        roots.update(more)
        calls["list_calls"] += count
    return sorted(roots, key=lambda root: (root.source, root.path)), calls


def look_up(store: Store, path: str) -> tuple[StoredFile | None, bool, int]:
    """What is at a path (without a final slash): the file, whether it is a directory, list requests made."""
    page = store.page(path, recursive=False)
    file = next((file for file in page.files if file.path == path), None)
    if page.next_token is None:
        return file, join(path, "") in page.directories, 1
    # Thousands of neighbours begin with the same name, and in key order "app-1" is before "app/".
    below = store.page(join(path, ""), recursive=True)
    return file or store.head(path), bool(below.files), 2


def exists(store: Store, root: Root) -> tuple[StoredFile | None, bool, int]:
    """What :func:`look_up` says of a root that was taken on trust; a bucket is there if it can be listed."""
    scheme, _ = split_scheme(root.path)
    if scheme not in ("", "memory") and not split_bucket(root.path)[2]:
        store.page(root.path, recursive=False)
        return None, True, 1
    if not root.path.strip("/"):
        return None, True, 0
    return look_up(store, root.path.rstrip("/"))


def _grow(store: Store, branch: _Branch) -> tuple[tuple[list[Root], int], list[_Branch]]:
    """One step of a branch: roots, list requests, and the branches of the next level."""
    prefix, names = branch.prefix, branch.names
    while names and names[0].literal is not None and (len(names) > 1 or not branch.branched):
        # "" at the end is a final slash: what is before it must be a directory.
        prefix += names[0].literal + "/" * (len(names) > 1)
        names = names[1:]
    if not names:
        return ([_plain_root(store, prefix, branch)], 0), []
    name = names[0]
    if not _is_inside(prefix):
        raise OptionError(f"path {prefix}{name.text}: a glob cannot stand for a bucket; name the bucket")
    if name.literal is not None:
        return _look_up_last(store, prefix + name.literal, branch), []

    roots: list[Root] = []
    branches: list[_Branch] = []
    last = len(names) == 1
    token, count = None, 0
    while count == 0 or token is not None:
        page = store.page(prefix + name.prefix, recursive=False, token=token)
        token, count = page.next_token, count + 1
        for directory in page.directories:
            if name.finds(directory[:-1].rpartition("/")[2]):
                if last:
                    roots.append(Root(directory, branch.source))
                else:
                    branches.append(_Branch(directory, names[1:], branch.source, branched=True))
        if last:
            found = (file for file in page.files if name.finds(file.path.rpartition("/")[2]))
            roots += [Root(file.path, branch.source, file) for file in found]
    return (roots, count), branches


def _plain_root(store: Store, path: str, branch: _Branch) -> Root:
    known = branch.branched
    if path.endswith("/"):
        return Root(path, branch.source, known=known)
    if "." in path.rpartition("/")[2]:
        file = store.head(path)
        if file is not None:
            return Root(path, branch.source, file)
    return Root(join(path, ""), branch.source, known=known)


def _look_up_last(store: Store, path: str, branch: _Branch) -> tuple[list[Root], int]:
    """The last name of a glob, plain, below what a glob found: here or not, a file or a directory."""
    if path.endswith("/"):
        return [Root(path, branch.source)], 0
    file, is_directory, count = look_up(store, path)
    roots = [Root(path, branch.source, file)] if file is not None else []
    return roots + [Root(join(path, ""), branch.source)] * is_directory, count


def _is_inside(prefix: str) -> bool:
    scheme, rest = split_scheme(prefix)
    return not scheme or "/" in rest
