"""Other fsspec file systems, such as Google Cloud Storage and Azure, which are read-only.

The drivers retry requests themselves. This module turns their listings into pages and their file descriptions into
versions. Each list request lists one directory.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pyspark_logs.errors import LogSourceError, OptionError, PathNotFoundError, TruncatedBodyError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.error_codes import classify_error
from pyspark_logs.store.interface import Store
from pyspark_logs.store.listings import Page, StoredFile
from pyspark_logs.store.paths import split_bucket

_DRIVERS = {"gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs"}
_ANONYMOUS: dict[str, dict[str, Any]] = {"gcsfs": {"token": "anon"}, "adlfs": {"anon": True}}
_DEFAULT_CREDENTIAL: dict[str, dict[str, Any]] = {"gcsfs": {"token": "google_default"}, "adlfs": {"anon": False}}
# Names under which drivers report size, modification time and version; the first name that is present counts.
_SIZE_NAMES = ("size", "Size")
_TIME_NAMES = ("LastModified", "last_modified", "mtime", "modified", "updated", "created")
_ETAG_NAMES = ("etag", "ETag", "generation", "content_md5", "md5Hash", "md5")
_MAX_REASON = 200  # characters: hdfs names each directory in which it has looked
_ADVICE = {
    "hdfs": "It needs Java and Hadoop's libraries: set JAVA_HOME, HADOOP_HOME and CLASSPATH (the output of `hadoop classpath --glob`)"
    " on the driver and on the executors",
    "dbfs": "On a cluster of Databricks, write /dbfs/... or /Volumes/... instead of dbfs:/...; elsewhere, give the instance and the"
    ' token of the workspace: storageOptions={"instance": "...", "token": "..."}',
}
_RANGE_BYTES = 8 << 20  # of one request; each costs a round trip


def open_generic(scheme: str, options: StoreOptions) -> Store:
    """Returns the store of a scheme that is neither local nor S3.

    Raises:
        OptionError: the scheme is unknown to fsspec, or its driver is not installed.
    """
    from fsspec import get_filesystem_class

    try:
        get_filesystem_class(scheme)
    except ValueError as error:
        raise OptionError(
            f"unknown scheme {scheme}://; supported are s3://, s3a://, s3n://, gs://, abfs://, abfss://, memory://, "
            "local paths and file:, and other schemes that fsspec supports"
        ) from error
    except ImportError as error:
        hint = f"pip install {_DRIVERS[scheme]}" if scheme in _DRIVERS else str(error)
        raise OptionError(f"{scheme}:// paths need a driver that is not installed: {hint}") from error
    return GenericStore(scheme, options)


class GenericStore(Store):
    """An fsspec file system without special support; read-only."""

    def _reset(self) -> None:
        super()._reset()
        self._existing_buckets: set[str] = set()

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """Lists everything in one page, with one list request for each directory."""
        parent, name = self._split(prefix)
        files: list[StoredFile] = []
        directories: list[str] = []
        with self._request_context("list", prefix):
            self._list(parent, name, files, directories)
            # fsspec's walk() silently skips directories that it cannot list.
            pending = list(directories) if recursive else []
            while pending:
                subdirectories: list[str] = []
                self._list(pending.pop(), "", files, subdirectories)
                pending.extend(subdirectories)
            if not files and not directories:
                self._check_bucket(parent)
        files.sort(key=lambda file: file.path)
        return Page(tuple(files), () if recursive else tuple(sorted(directories)), None)

    def head(self, path: str) -> StoredFile | None:
        """Makes one ``info`` call to the driver."""
        if path.endswith("/"):
            return None
        with self._request_context("describe", path):
            entry = self._info(path)
        return None if entry is None or entry["type"] != "file" else self._to_stored_file(path, entry)

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """Makes range requests of 8 MiB, and checks the version before the first and after the last request."""
        size = self._check_version(path, etag)
        end = size if end is None else min(end, size)
        range_bytes = max(_RANGE_BYTES, chunk_bytes)
        for position in range(start, end, range_bytes):
            length = min(range_bytes, end - position)
            with self._request_context("read", path):
                self._breaker.count_request("GET")
                filesystem = self._filesystem(path)
                data = filesystem.cat_file(_key(filesystem, path), start=position, end=position + length)
                self._breaker.record_success()
            if len(data) < length:
                self._check_version(path, etag)
                raise TruncatedBodyError(
                    f"cannot read {path}: {len(data)} bytes came at byte {position}, {length} were expected. Run the query again."
                )
            for offset in range(0, length, chunk_bytes):
                yield data[offset : offset + chunk_bytes]
        if etag:
            self._check_version(path, etag)

    def _check_version(self, path: str, etag: str) -> int:
        """Checks that the file is the expected version, and returns its size in bytes."""
        file = self.head(path)
        if file is None:
            raise PathNotFoundError(
                f"cannot read {path}: there is no such file. Check the path; ignoreMissingFiles=true skips it."
            )
        if etag and file.etag != etag:
            raise self._errors.version_changed(path, etag, file.etag)
        return file.size

    def _split(self, prefix: str) -> tuple[str, str]:
        """Splits a prefix into a directory and a prefix of names in this directory."""
        root, _, key = split_bucket(prefix)
        directory, slash, name = key.rpartition("/")
        return root + directory + slash, name

    def _list(self, parent: str, name_prefix: str, files: list[StoredFile], directories: list[str]) -> None:
        """Adds the entries of one directory whose names start with a prefix to ``files`` and ``directories``."""
        self._breaker.count_request("LIST")
        filesystem = self._filesystem(parent)
        stripped = _key(filesystem, parent).rstrip("/") + "/"
        try:
            entries = filesystem.ls(stripped.rstrip("/"), detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return
        self._breaker.record_success()
        for entry in entries:
            name = entry["name"].removeprefix(stripped)
            if name == entry["name"] or not name or not name.startswith(name_prefix):
                continue
            if entry["type"] == "directory":
                directories.append(parent + name.rstrip("/") + "/")
            elif not name.endswith("/"):
                files.append(self._to_stored_file(parent + name, entry))

    def _check_bucket(self, parent: str) -> None:
        """Lists the root of the bucket, which fails if the bucket does not exist. Makes one request per bucket."""
        root, _, _ = split_bucket(parent)
        if root not in self._existing_buckets:
            self._breaker.count_request("LIST")
            filesystem = self._filesystem(root)
            filesystem.ls(_key(filesystem, root), detail=False)
            self._breaker.record_success()
            self._existing_buckets.add(root)

    def _info(self, path: str) -> Mapping[str, Any] | None:
        self._breaker.count_request("HEAD")
        filesystem = self._filesystem(path)
        try:
            entry: Mapping[str, Any] = filesystem.info(_key(filesystem, path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        self._breaker.record_success()
        return entry

    def _to_stored_file(self, path: str, entry: Mapping[str, Any]) -> StoredFile:
        etag = str(_first(entry, _ETAG_NAMES) or "").strip('"')
        return StoredFile(path, int(_first(entry, _SIZE_NAMES) or 0), _milliseconds(_first(entry, _TIME_NAMES)), etag)

    def _filesystem(self, path: str) -> Any:
        """Returns the file system of a path, which can depend on the path: Azure paths contain the account."""
        from fsspec import get_filesystem_class

        cls = get_filesystem_class(self.scheme)
        arguments = cls._get_kwargs_from_urls(path) | self._driver_arguments()
        key = json.dumps(arguments, sort_keys=True, default=str)
        with self._lock:
            if key not in self._handles:
                try:
                    self._handles[key] = cls(**arguments, use_listings_cache=False, skip_instance_cache=True)
                except LogSourceError:
                    raise
                except Exception as error:
                    raise self._cannot_open(error) from error
            return self._handles[key]

    def _cannot_open(self, error: Exception) -> OptionError:
        """Returns the error for a driver that cannot be created; drivers are created before the first request."""
        reason = self._errors.mask(" ".join(str(error).split()))
        short = reason if len(reason) <= _MAX_REASON else reason[:_MAX_REASON] + "…"
        advice = _ADVICE.get(self.scheme, "Give the arguments that the driver needs in storageOptions (JSON)")
        return OptionError(f"the driver of {self.scheme}:// cannot be created: {short}. {advice}")

    def _driver_arguments(self) -> dict[str, Any]:
        """Returns the constructor arguments of the driver."""
        return _driver_arguments(self.scheme, self.options)

    def _translate(self, action: str, path: str, error: Exception, *, writing: bool) -> LogSourceError:
        code, category = classify_error(error)
        if category.transient:  # the driver's own retries have failed
            self._breaker.record_failure(
                self._breaker.ticket(), code, advice=category.advice, throttled=category.throttled
            )
        return super()._translate(action, path, error, writing=writing)


def _driver_arguments(scheme: str, options: StoreOptions) -> dict[str, Any]:
    """Returns the constructor arguments of a driver from the options.

    Raises:
        OptionError: an option is set that applies only to S3.
    """
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
            f"option {given[0]!r} applies only to S3; put the arguments of the {scheme}:// driver into storageOptions (JSON)"
        )
    driver = _DRIVERS.get(scheme, scheme)
    if options.anonymous:
        arguments |= _ANONYMOUS.get(driver, {"anon": True})
    if options.default_credential:
        arguments |= _DEFAULT_CREDENTIAL.get(driver, {})
    return arguments


def _key(filesystem: Any, path: str) -> str:
    return str(filesystem._strip_protocol(path))  # noqa: SLF001 - the method that drivers override


def _first(entry: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((entry[name] for name in names if entry.get(name) is not None), None)


def _milliseconds(modified: Any) -> int:
    """Returns a modification time in milliseconds since the epoch; drivers report datetimes, seconds or ISO 8601 strings."""
    if isinstance(modified, str):
        modified = dt.datetime.fromisoformat(modified.replace("Z", "+00:00"))
    if isinstance(modified, dt.datetime):
        modified = modified if modified.tzinfo else modified.replace(tzinfo=dt.timezone.utc)
        since_epoch: dt.timedelta = modified - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
        return since_epoch // dt.timedelta(milliseconds=1)
    return int(modified * 1000) if isinstance(modified, (int, float)) else 0
