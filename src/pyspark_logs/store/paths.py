"""Splitting, joining and normalisation of paths, without I/O."""

from __future__ import annotations

import os
import re

from pyspark_logs.errors import OptionError

# "s3://bucket/key", and Hadoop's "hdfs:/path". A later colon in a local path does not end a scheme.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):/")
# A URL of an object, with the bucket in the host name or in the path.
_S3_URL = re.compile(
    r"https?://(?:(?P<bucket>[\w.-]+)\.)?s3[\w.-]*\.amazonaws\.com(?:\.cn)?/(?P<key>[^?]*)", re.IGNORECASE
)
# Suffixes of directory buckets, and of access points to them.
_DIRECTORY_BUCKETS = ("--x-s3", "--xa-s3")
# A bucket name, or the ARN of an access point, which contains slashes.
_BUCKET = re.compile(r"arn:.*?[:/]accesspoint[:/][^/]+|[^/]+")


def split_scheme(path: str) -> tuple[str, str]:
    """Splits a path into its scheme in lower case (empty for local paths) and the part after ``://``.

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


def split_s3_bucket(path: str) -> tuple[str, str, str]:
    """Returns the result of :func:`split_bucket` for a path of S3.

    Raises:
        OptionError: the bucket is a directory bucket, whose listings are not in key order.
    """
    parts = split_bucket(path)
    if parts[1].endswith(_DIRECTORY_BUCKETS):
        raise OptionError(
            f"bucket {parts[1]} is a directory bucket (S3 Express One Zone), which cannot be read or written here: its listings"
            " are not in key order. Use a general purpose bucket"
        )
    return parts


def split_bucket(path: str) -> tuple[str, str, str]:
    """Splits an object path into root, bucket and key, where ``root + key`` is the path.

    Example:
        >>> split_bucket("s3://bucket/a/b")
        ('s3://bucket/', 'bucket', 'a/b')
    """
    _, rest = split_scheme(path)
    match = _BUCKET.match(rest)
    if match is None:
        raise OptionError(f"path {path!r} has no bucket; write it as s3://bucket/directory")
    root = path[: len(path) - len(rest)] + match[0] + "/"
    return root, match[0], rest[match.end() + 1 :]


def join(path: str, name: str) -> str:
    """Joins a directory and a name below it with a slash, unless the directory ends in one.

    Example:
        >>> join("s3://bucket", "a/b"), join("/logs/", "c")
        ('s3://bucket/a/b', '/logs/c')
    """
    return f"{path}{name}" if path.endswith("/") else f"{path}/{name}"


def normalise(path: str) -> str:
    """Returns the canonical form of a load path.

    Local paths and ``file:`` URLs become absolute paths without a scheme, other schemes become lower case, and several
    trailing slashes become one. Repeated slashes within an object key are kept, because they are part of the key.

    Raises:
        OptionError: the path is empty, has no bucket, or has an unsupported form.

    Example:
        >>> normalise("file:///var/log//"), normalise("S3://bucket/app//")
        ('/var/log/', 's3://bucket/app/')
    """
    if not path.strip():
        raise OptionError("empty path; give a directory, a file or a glob to read")
    if "::" in path and "://" in path:
        raise OptionError(f"path {path!r}: chained URLs (a::b) are not supported; give the paths of the files")
    if path == "~" or path.startswith("~/"):
        raise OptionError(f"path {path!r}: ~ is not expanded; write {os.path.expanduser(path)}")  # noqa: PTH111
    if re.match(r"\$(\w+|\{\w+\})/|%\w+%", path):
        raise OptionError(f"path {path!r}: variables are not expanded; write os.path.expandvars({path!r})")
    if path.startswith("arn:") and (bucket := path.rpartition(":::")[2]) != path:
        raise OptionError(f"path {path!r} is an ARN; write s3://{bucket}")
    if (found := _S3_URL.match(path)) is not None:
        bucket, key = (found["bucket"], found["key"]) if found["bucket"] else found["key"].partition("/")[::2]
        raise OptionError(f"path {path!r} is a URL of S3; write s3://{bucket}/{key}, which lists and signs requests")
    scheme, rest = split_scheme(path)
    slash = "/" if rest.endswith("/") else ""
    if not scheme:
        return os.path.abspath(rest).rstrip("/") + slash or "/"  # noqa: PTH100 - resolve() would follow links
    # Databricks writes its own file system with one slash: dbfs:/mnt/logs.
    if not re.match(r"[^:]*://", path) and scheme != "dbfs":
        raise OptionError(f"path {path!r} has one slash after its scheme; write {scheme}://{rest.lstrip('/')}")
    if scheme != "memory" and (not rest or rest.startswith("/")):
        raise OptionError(f"path {path!r} has no bucket; write it as {scheme}://bucket/directory")
    return f"{scheme}://{rest.rstrip('/')}{slash}"


def _local_part(path: str) -> str:
    """Returns the path of a ``file:`` URL in any of its forms (``file:/x``, ``file:///x``)."""
    rest = path[5:]
    if not rest.startswith("//"):
        return rest
    host, slash, tail = rest[2:].partition("/")
    if host not in ("", "localhost"):
        raise OptionError(
            f"path {path!r} names the host {host!r}; write local paths as file:///directory or /directory"
        )
    return slash + tail
