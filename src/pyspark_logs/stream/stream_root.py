"""The load paths of a stream, and the keys of files in its offsets. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_GLOB = re.compile(r"[*?\[{]")


@dataclass(frozen=True)
class StreamRoot:
    """The load paths of a stream, and the keys of files below them in offsets.

    Attributes:
        text: identification of the load paths.
        prefix: common prefix of all paths, which keys omit.
    """

    text: str
    prefix: str

    @classmethod
    def of(cls, paths: Sequence[str]) -> StreamRoot:
        """Returns the root of normalised load paths. With several paths, keys are whole paths."""
        if len(paths) != 1:
            return cls(json.dumps(list(paths)), "")
        (path,) = paths
        special = _GLOB.search(path)
        return cls(path, path.rstrip("/") + "/" if special is None else path[: path.rfind("/", 0, special.start()) + 1])

    def key_of(self, path: str) -> str:
        """Returns the key of a path. A path that is not below the prefix (a file as load path) gets a leading NUL."""
        return path[len(self.prefix) :] if path.startswith(self.prefix) else f"\0{path}"

    def path_of(self, key: str) -> str:
        """Returns the path of a key, the inverse of :meth:`key_of`.

        >>> root = StreamRoot.of(["s3://logs/app"])
        >>> root.key_of("s3://logs/app//a.gz"), root.path_of("/a.gz"), root.path_of(root.key_of("s3://logs/app"))
        ('/a.gz', 's3://logs/app//a.gz', 's3://logs/app')
        """
        return key[1:] if key.startswith("\0") else self.prefix + key
