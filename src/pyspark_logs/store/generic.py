"""Any other fsspec file system, read-only: Google Cloud Storage, Azure and the like.

Their drivers retry by themselves; here their answers become pages and versions. A listing of one
page is the listing of one directory.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pyspark_logs.errors import OptionError, PathNotFoundError, TruncatedBodyError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.faults import find_fault
from pyspark_logs.store.interface import Page, Store, StoredFile
from pyspark_logs.store.paths import split_bucket

_DRIVERS = {"gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs"}
_ANONYMOUS: dict[str, dict[str, Any]] = {"gcsfs": {"token": "anon"}, "adlfs": {"anon": True}}
_DEFAULT_CREDENTIAL: dict[str, dict[str, Any]] = {"gcsfs": {"token": "google_default"}, "adlfs": {"anon": False}}
_SIZES = ("size", "Size")
_TIMES = ("LastModified", "last_modified", "mtime", "modified", "updated", "created")
_ETAGS = ("etag", "ETag", "generation", "content_md5", "md5Hash", "md5")
_PIECE_BYTES = 8 << 20  # one ranged request; each costs a round trip


def open_generic(scheme: str, options: StoreOptions) -> Store:
    """The store of a scheme that is neither local nor S3.

    Raises:
        OptionError: fsspec does not know the scheme, or its driver is not installed.
    """
    from fsspec import get_filesystem_class

    try:
        get_filesystem_class(scheme)
    except ValueError as error:
        raise OptionError(
            f"unknown scheme {scheme}://; what works: s3://, s3a://, s3n://, gs://, abfs://, abfss://, memory://, "
            "local paths and file:, and other schemes that fsspec knows"
        ) from error
    except ImportError as error:
        hint = f"pip install {_DRIVERS[scheme]}" if scheme in _DRIVERS else str(error)
        raise OptionError(f"{scheme}:// paths need a driver that is not installed: {hint}") from error
    return GenericStore(scheme, options)


class GenericStore(Store):
    """A file system that fsspec knows, by its generic calls."""

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """One page, by a list request for each directory."""
        parent, name = self._split(prefix)
        files: list[StoredFile] = []
        directories: list[str] = []
        with self._errors("list", prefix):
            self._list(parent, name, files, directories)
            # fsspec's own walk() leaves out what it may not list: here that is an error.
            below = list(directories) if recursive else []
            while below:
                inner: list[str] = []
                self._list(below.pop(), "", files, inner)
                below.extend(inner)
            if not files and not directories:
                self._check_bucket(parent)
        files.sort(key=lambda file: file.path)
        return Page(tuple(files), () if recursive else tuple(sorted(directories)), None)

    def head(self, path: str) -> StoredFile | None:
        """The driver's ``info``."""
        if path.endswith("/"):
            return None
        with self._errors("look at", path):
            found = self._stat(path)
        return None if found is None or found["type"] != "file" else self._stored(path, found)

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """Ranged requests of 8 MiB; the version is looked up before the first and after the last one."""
        size = self._check_version(path, etag)
        end = size if end is None else min(end, size)
        piece_bytes = max(_PIECE_BYTES, chunk_bytes)
        for position in range(start, end, piece_bytes):
            wanted = min(piece_bytes, end - position)
            with self._errors("read", path):
                self._gate.count("GET")
                filesystem = self._filesystem(path)
                piece = filesystem.cat_file(_key(filesystem, path), start=position, end=position + wanted)
                self._gate.succeeded()
            if len(piece) < wanted:
                self._check_version(path, etag)
                raise TruncatedBodyError(
                    f"cannot read {path}: {len(piece)} bytes came at byte {position}, {wanted} were asked for. Run the query again."
                )
            for offset in range(0, wanted, chunk_bytes):
                yield piece[offset : offset + chunk_bytes]
        if etag:
            self._check_version(path, etag)

    def _check_version(self, path: str, etag: str) -> int:
        """Size of the file, once it is known to be the version that is expected."""
        file = self.head(path)
        if file is None:
            raise PathNotFoundError(
                f"cannot read {path}: there is no such file. Check the path; ignoreMissingFiles=true skips it."
            )
        if etag and file.etag != etag:
            raise self._changed(path, etag, file.etag)
        return file.size

    def _split(self, prefix: str) -> tuple[str, str]:
        """The directory a prefix lies in, and what names in it must start with."""
        root, _, key = split_bucket(prefix)
        directory, slash, name = key.rpartition("/")
        return root + directory + slash, name

    def _list(self, parent: str, name: str, files: list[StoredFile], directories: list[str]) -> None:
        self._gate.count("LIST")
        filesystem = self._filesystem(parent)
        stripped = _key(filesystem, parent).rstrip("/") + "/"
        try:
            entries = filesystem.ls(stripped.rstrip("/"), detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return
        self._gate.succeeded()
        for entry in entries:
            below = entry["name"].removeprefix(stripped)
            if below == entry["name"] or not below or not below.startswith(name):
                continue
            if entry["type"] == "directory":
                directories.append(parent + below.rstrip("/") + "/")
            elif not below.endswith("/"):
                files.append(self._stored(parent + below, entry))

    def _check_bucket(self, parent: str) -> None:
        """An empty listing is fine, one of a bucket that does not exist is not; asked once per bucket."""
        root, _, _ = split_bucket(parent)
        if root not in self._handles:
            filesystem = self._filesystem(root)
            filesystem.ls(_key(filesystem, root), detail=False)
            self._handles[root] = True

    def _stat(self, path: str) -> Mapping[str, Any] | None:
        self._gate.count("HEAD")
        filesystem = self._filesystem(path)
        try:
            found: Mapping[str, Any] = filesystem.info(_key(filesystem, path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        self._gate.succeeded()
        return found

    def _stored(self, path: str, entry: Mapping[str, Any]) -> StoredFile:
        etag = str(_first(entry, _ETAGS) or "").strip('"')
        return StoredFile(path, int(_first(entry, _SIZES) or 0), _milliseconds(_first(entry, _TIMES)), etag)

    def _filesystem(self, path: str) -> Any:
        """The file system of a path; Azure's account, for one, is part of the path."""
        from fsspec import get_filesystem_class

        cls = get_filesystem_class(self.scheme)
        arguments = cls._get_kwargs_from_urls(path) | self._arguments()
        key = json.dumps(arguments, sort_keys=True, default=str)
        with self._lock:
            if key not in self._handles:
                self._handles[key] = cls(**arguments, use_listings_cache=False, skip_instance_cache=True)
            return self._handles[key]

    def _arguments(self) -> dict[str, Any]:
        """Constructor arguments of the driver."""
        return _arguments(self.scheme, self.options)

    def _translate(self, doing: str, path: str, error: Exception, *, writing: bool) -> Any:
        code, fault = find_fault(error)
        if fault.transient:  # the driver's own retries are over
            self._gate.failed(self._gate.ticket(), code, throttled=fault.throttled)
        return super()._translate(doing, path, error, writing=writing)


def _arguments(scheme: str, options: StoreOptions) -> dict[str, Any]:
    """Constructor arguments from the options; those of S3 alone are refused, not dropped in silence."""
    arguments: dict[str, Any] = json.loads(options.storage_options or "{}")
    s3_only = {
        "endpoint": options.endpoint,
        "region": options.region,
        "profile": options.profile,
        "accessKey": options.access_key,
    }
    given = [name for name, value in s3_only.items() if value is not None]
    if given:
        raise OptionError(
            f"option {given[0]!r} is for S3; give {scheme}:// what its driver needs in storageOptions (JSON)"
        )
    driver = _DRIVERS.get(scheme, scheme)
    if options.anonymous:
        arguments |= _ANONYMOUS.get(driver, {"anon": True})
    if options.default_credential:
        arguments |= _DEFAULT_CREDENTIAL.get(driver, {})
    return arguments


def _key(filesystem: Any, path: str) -> str:
    return str(filesystem._strip_protocol(path))  # noqa: SLF001 - fsspec's own name for what drivers override


def _first(entry: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((entry[name] for name in names if entry.get(name) is not None), None)


def _milliseconds(context: Any) -> int:
    """Drivers give datetimes, seconds or ISO 8601 texts."""
    if isinstance(context, str):
        context = dt.datetime.fromisoformat(context.replace("Z", "+00:00"))
    if isinstance(context, dt.datetime):
        context = context if context.tzinfo else context.replace(tzinfo=dt.timezone.utc)
        since: dt.timedelta = context - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
        return since // dt.timedelta(milliseconds=1)
    return int(context * 1000) if isinstance(context, (int, float)) else 0
