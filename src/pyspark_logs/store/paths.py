"""Paths as users write them: taken apart, joined and brought to one form. No I/O."""

from __future__ import annotations

import os
import re

from pyspark_logs.errors import OptionError

# "s3://bucket/key", and Hadoop's "hdfs:/path"; a colon later in a local path is not a scheme.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):/")
# A bucket, or the ARN of an access point, which holds slashes itself.
_BUCKET = re.compile(r"arn:.*?[:/]accesspoint[:/][^/]+|[^/]+")


def split_scheme(path: str) -> tuple[str, str]:
    """Scheme in lower case (``""`` for a local path), and the rest after ``://``.

    Example:
        >>> split_scheme("s3a://bucket/key"), split_scheme("/var/log")
        (('s3a', 'bucket/key'), ('', '/var/log'))
    """
    if path[:5].lower() == "file:":
        return "", _local_part(path)
    match = _SCHEME.match(path)
    if match is None:
        return "", path
    return match[1].lower(), path[match.end() :].removeprefix("/")


def split_bucket(path: str) -> tuple[str, str, str]:
    """Root, bucket and key of an object path; ``root + key`` is the path again.

    Example:
        >>> split_bucket("s3://bucket/a/b")
        ('s3://bucket/', 'bucket', 'a/b')
    """
    _, rest = split_scheme(path)
    match = _BUCKET.match(rest)
    if match is None:
        raise OptionError(f"path {path!r} names no bucket; write it as s3://bucket/directory")
    root = path[: len(path) - len(rest)] + match[0] + "/"
    return root, match[0], rest[match.end() + 1 :]


def join(path: str, name: str) -> str:
    """``name`` below the directory ``path``, with exactly the slash that is missing.

    Example:
        >>> join("s3://bucket", "a/b"), join("/logs/", "c")
        ('s3://bucket/a/b', '/logs/c')
    """
    return f"{path}{name}" if path.endswith("/") else f"{path}/{name}"


def normalise(path: str) -> str:
    """The canonical form of a load path.

    Local paths and ``file:`` URLs become absolute plain paths; schemes become lower case; several
    trailing slashes become one. Slashes inside an object key stay, they are part of its name.

    Raises:
        OptionError: the path is empty, names no bucket, or is of a form that is not supported.

    Example:
        >>> normalise("file:///var/log//"), normalise("S3://bucket/app//")
        ('/var/log/', 's3://bucket/app/')
    """
    if not path.strip():
        raise OptionError("an empty path; give a directory, a file or a glob to read")
    if "::" in path and "://" in path:
        raise OptionError(f"path {path!r}: chained URLs (a::b) are not supported; name the files themselves")
    scheme, rest = split_scheme(path)
    slash = "/" if rest.endswith("/") else ""
    if not scheme:
        return os.path.abspath(rest).rstrip("/") + slash or "/"  # noqa: PTH100 - links stay as they are written
    if not re.match(r"[^:]*://", path):
        raise OptionError(f"path {path!r} has one slash after its scheme; write {scheme}://{rest.lstrip('/')}")
    if scheme != "memory" and (not rest or rest.startswith("/")):
        raise OptionError(f"path {path!r} names no bucket; write it as {scheme}://bucket/directory")
    return f"{scheme}://{rest.rstrip('/')}{slash}"


def _local_part(path: str) -> str:
    """The path of a ``file:`` URL in any of its spellings (``file:/x``, ``file:///x``)."""
    rest = path[5:]
    if not rest.startswith("//"):
        return rest
    host, slash, tail = rest[2:].partition("/")
    if host not in ("", "localhost"):
        raise OptionError(
            f"path {path!r} names the host {host!r}; write local paths as file:///directory or /directory"
        )
    return slash + tail
