"""S3 and servers with its protocol, through s3fs's ``call_s3``: one call is one request, and nothing is cached.

Objects are read and listed by direct requests where their form is known.

botocore's ``standard`` mode retries requests. Event hooks report each attempt to the circuit breaker, which therefore opens
during the retries. Bodies that end early are resumed here at the offset reached.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from pyspark_logs.errors import (
    AccessDeniedError,
    LogSourceError,
    OptionError,
    PathNotFoundError,
    ReadOnlyStoreError,
    StoreError,
    TruncatedBodyError,
)
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.circuit_breaker import backoff_s
from pyspark_logs.store.error_codes import classify_error, find_message
from pyspark_logs.store.interface import Store
from pyspark_logs.store.listings import OpenUpload, Page, StoredFile, UploadPage
from pyspark_logs.store.paths import split_s3_bucket
from pyspark_logs.store.s3_connection import discard_filesystem, shared_filesystem
from pyspark_logs.store.s3_direct import DirectClient
from pyspark_logs.store.s3_listing import PARAMETERS
from pyspark_logs.store.s3_parameters import request_parameters
from pyspark_logs.store.s3_response_body import LoopStream, ResponseBody, SocketStream
from pyspark_logs.store.s3_retries import BREAKER, attempt_bound_s

_TOKEN_METADATA = "pyspark-logs-job"  # noqa: S105 - name of the object metadata that holds an upload's token
_PROBE = "~probe-"
_LONGEST_PROBE_MS = 3_600_000
_UPLOAD_MARKERS = ("KeyMarker", "UploadIdMarker")
_MAX_DELETE_KEYS = 1000  # limit of DeleteObjects
_MISSING = ("NoSuchKey", "NoSuchUpload", "404", "NotFound")
_CONDITION_FAILED = ("PreconditionFailed", "412")
_UNSUPPORTED = ("NotImplemented", "501", "MethodNotAllowed", "405", "MissingContentMD5")
_HEADERS = {"Range": "range", "IfMatch": "if-match"}  # of the parameters of GetObject
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


class S3Store(Store):
    """Objects at ``s3://``, ``s3a://`` and ``s3n://`` paths."""

    writable = True
    lists_in_order = True
    min_part_bytes = 5 << 20

    def __init__(self, scheme: str, options: StoreOptions) -> None:
        super().__init__(scheme, options)
        if find_spec("s3fs") is None:
            raise OptionError(
                f"{scheme}:// paths need s3fs, which is not installed; run pip install 'pyspark-logs[s3]'"
            )
        if "@" in (options.endpoint or ""):
            raise OptionError(
                "option 'endpoint' contains a user name or password; give accessKey and secretKey instead"
            )

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """Makes one ``ListObjectsV2`` request."""
        options = {} if recursive else {"Delimiter": "/"}
        return self._list_objects(prefix, options if token is None else {**options, "ContinuationToken": token})

    def list_after(self, prefix: str, after: str) -> Page:
        """Makes one ``ListObjectsV2`` request."""
        return self._list_objects(prefix, {"StartAfter": split_s3_bucket(after)[2]})

    def _list_objects(self, prefix: str, options: Mapping[str, str]) -> Page:
        root, bucket, key = split_s3_bucket(prefix)
        request = {"Bucket": bucket, "Prefix": key, "MaxKeys": self.page_size, **options}
        with self._request_context("list", prefix):
            response = self._request_listing(request)
        if response.get("IsTruncated") and not response.get("NextContinuationToken"):
            raise self._missing_token(prefix)
        files = (_to_stored_file(root, item) for item in response.get("Contents", ()) if not item["Key"].endswith("/"))
        directories = (root + item["Prefix"] for item in response.get("CommonPrefixes", ()))
        return Page(tuple(files), tuple(directories), response.get("NextContinuationToken"))

    def _request_listing(self, request: Mapping[str, Any]) -> Any:
        """Makes one ``ListObjectsV2`` request, directly if possible."""
        filesystem, bucket = self._filesystem(), request["Bucket"]
        direct: DirectClient | None = filesystem.direct
        if direct is None:
            return self._call("list_objects_v2", **request)
        parameters = {PARAMETERS[name]: str(value) for name, value in request.items() if name in PARAMETERS}
        response = direct.list_objects(filesystem.loop, bucket, parameters, self._breaker)
        if response is not None:
            return response
        with direct.learning("ListObjectsV2", bucket):
            return self._call("list_objects_v2", **request)

    def head(self, path: str) -> StoredFile | None:
        """Makes one ``HeadObject`` request, whose response is the same for a missing bucket and a missing key."""
        _, bucket, key = split_s3_bucket(path)
        if not key or key.endswith("/"):
            return None
        try:
            with self._request_context("describe", path):
                response = self._call("head_object", Bucket=bucket, Key=key)
        except PathNotFoundError:
            return None
        etag, token = response.get("ETag", "").strip('"'), response.get("Metadata", {}).get(_TOKEN_METADATA, "")
        return StoredFile(path, response["ContentLength"], _milliseconds(response["LastModified"]), etag, token)

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """Makes one ``GetObject`` request, and another each time the body ends early."""
        position, failures = start, 0
        while end is None or position < end:
            body = self._open_body(path, position, end, etag, resumed=failures > 0 or position > start)
            if body is None:
                return
            # The end and the version of the first response apply to all requests that resume the read.
            etag, end = body.etag, body.end
            error: Exception | None = None
            try:
                while position < end and error is None:
                    size = min(chunk_bytes, end - position)
                    chunk, error = body.read(size)
                    position += len(chunk)
                    if len(chunk) == size:
                        failures = 0
                    if chunk:
                        yield chunk
            finally:
                body.close()
            if error is not None:
                failures += 1
                self._handle_broken_body(path, position, failures, body, error)

    def _open_body(self, path: str, position: int, end: int | None, etag: str, *, resumed: bool) -> ResponseBody | None:
        """Returns the body from ``position`` on; ``None`` if the file ends before.

        Args:
            path: path of the file.
            position: offset of the first byte.
            end: offset after the last byte; ``None`` for the end of the file.
            etag: expected version; empty for any version.
            resumed: True if an earlier response has established that the file and its version exist.
        """
        _, bucket, key = split_s3_bucket(path)
        request = {}
        if position or end is not None:
            request["Range"] = f"bytes={position}-" + ("" if end is None else str(end - 1))
        if etag:
            request["IfMatch"] = f'"{etag}"'
        ticket = self._breaker.ticket()
        try:
            with self._request_context("read", path):
                try:
                    response = self._get_object(bucket, key, request)
                except Exception as error:
                    if not resumed and classify_error(error)[0] in ("InvalidRange", "416"):
                        return None
                    raise
        except PathNotFoundError as error:
            if resumed:
                raise self._errors.version_changed(path, etag, "nothing") from error
            raise
        body = ResponseBody(
            **response, start=position, end=end, ticket=ticket, timeout_s=self.options.request_timeout_s
        )
        problem = self._find_mismatch(path, body, etag)
        if problem is not None:
            body.close()
            raise problem
        return body

    def _get_object(self, bucket: str, key: str, conditions: Mapping[str, str]) -> dict[str, Any]:
        """Makes one ``GetObject`` request, directly if possible; returns the stream and the headers of the body."""
        filesystem = self._filesystem()
        direct: DirectClient | None = filesystem.direct
        if direct is None:
            return self._get_object_by_s3fs(bucket, key, conditions)
        headers = {_HEADERS[name]: value for name, value in conditions.items()}
        response = direct.get(filesystem.loop, bucket, key, headers, self._breaker)
        if response is None:
            with direct.learning("GetObject", bucket, key):
                return self._get_object_by_s3fs(bucket, key, conditions)
        length = response.headers.get("content-length")
        return {
            "stream": SocketStream(response.raw),
            "etag": response.headers.get("etag", ""),
            "content_range": response.headers.get("content-range", ""),
            "length": None if length is None else int(length),
        }

    def _get_object_by_s3fs(self, bucket: str, key: str, conditions: Mapping[str, str]) -> dict[str, Any]:
        response = self._call("get_object", Bucket=bucket, Key=key, **conditions)
        return {
            "stream": LoopStream(response["Body"], self._filesystem().loop),
            "etag": response.get("ETag", ""),
            "content_range": response.get("ContentRange", ""),
            "length": response.get("ContentLength"),
        }

    def _find_mismatch(self, path: str, body: ResponseBody, etag: str) -> LogSourceError | None:
        """Returns the error of a response that does not match the request: some servers ignore conditions or ranges."""
        if etag and body.etag != etag:
            return self._errors.version_changed(path, etag, body.etag)
        if body.first != body.start:
            return StoreError(
                f"cannot read {path}{self._errors.endpoint}: the server ignores byte ranges; use another server"
            )
        if body.end < 0:
            return StoreError(
                f"cannot read {path}{self._errors.endpoint}: the response has no Content-Length, without which a truncated body "
                "cannot be detected; use another server"
            )
        return None

    def _handle_broken_body(
        self, path: str, position: int, failures: int, body: ResponseBody, error: Exception
    ) -> None:
        """Records a body that ended early, and waits before the next attempt.

        Raises:
            CircuitOpenError: the failure opened the circuit.
            TruncatedBodyError: no attempt is left.
        """
        code, category = classify_error(error)
        reason = self._errors.mask(f"{code}: {find_message(error)}")
        self._breaker.record_failure(body.ticket, reason, advice=category.advice)
        if self._breaker.is_open:
            raise self._errors.circuit_open("read", path) from error
        # Without an ETag, the rest could be of another version.
        if failures > self.options.max_retries or not body.etag:
            raise TruncatedBodyError(
                f"cannot read {path}{self._errors.endpoint}: the body ended at byte {position} of {body.end}, {failures} times without "
                f"progress ({reason}). Check the network and proxies; raise maxRetries or requestTimeout."
            ) from error
        time.sleep(backoff_s(failures) + self._breaker.delay_s())

    def put(self, path: str, data: bytes) -> None:
        """Makes one ``PutObject`` request."""
        with self._request_context("write", path, writing=True):
            self._call("put_object", **_bucket_and_key(path), Body=data)

    def create(self, path: str, data: bytes) -> bool:
        """Makes one ``PutObject`` request with ``If-None-Match: *``; conflicts are retried, as S3 documents."""
        with self._request_context("create", path, writing=True):
            if not self._supports_parameter("PutObject", "IfNoneMatch"):
                raise ReadOnlyStoreError(
                    f"cannot create {path}: the installed botocore has no conditional writes, so several writers could create the "
                    "same file. Install a newer s3fs: pip install --upgrade 's3fs>=2024.12'"
                )
            try:
                self._call("put_object", **_bucket_and_key(path), Body=data, IfNoneMatch="*")
            except Exception as error:
                if classify_error(error)[0] in _CONDITION_FAILED:
                    return False
                raise
        return True

    def replace(self, path: str, data: bytes, *, etag: str) -> bool:
        """Makes one ``PutObject`` request with ``If-Match``, and one without it if the server refuses the condition."""
        condition = {"IfMatch": f'"{etag}"'} if self._supports_parameter("PutObject", "IfMatch") else {}
        with self._request_context("write", path, writing=True):
            try:
                self._call("put_object", **_bucket_and_key(path), Body=data, **condition)
            except Exception as error:
                code, _ = classify_error(error)
                if code in _CONDITION_FAILED or code in _MISSING:
                    return False
                if code not in _UNSUPPORTED or not condition:
                    raise
                self._call("put_object", **_bucket_and_key(path), Body=data)
        return True

    def remove(self, path: str, *, etag: str = "") -> bool:
        """Makes one ``DeleteObject`` request, with ``If-Match`` if there is an etag.

        Some servers ignore the condition. Except on AWS, which honours it, a HEAD request checks the etag before.
        """
        checked = etag != "" and not (self._is_aws() and self._supports_parameter("DeleteObject", "IfMatch"))
        if checked:
            file = self.head(path)
            if file is None or file.etag != etag:
                return file is None
        with self._request_context("delete", path, writing=True):
            try:
                return self._delete(path, etag)
            except Exception as error:
                if not (checked and classify_error(error)[0] in _UNSUPPORTED):
                    raise
                return self._delete(path, "")

    def _delete(self, path: str, etag: str) -> bool:
        condition = {"IfMatch": f'"{etag}"'} if etag else {}
        try:
            self._call("delete_object", **_bucket_and_key(path), **condition)
        except Exception as error:
            code, _ = classify_error(error)
            if etag and code in _CONDITION_FAILED:
                return False
            if code not in _MISSING:
                raise
        return True

    def remove_all(self, paths: Sequence[str]) -> None:
        """Makes one ``DeleteObjects`` request for each thousand files of a bucket."""
        by_root: dict[str, list[str]] = {}
        for path in paths:
            root, _, key = split_s3_bucket(path)
            by_root.setdefault(root, []).append(key)
        for root, keys in by_root.items():
            for start in range(0, len(keys), _MAX_DELETE_KEYS):
                with self._request_context("delete", root + keys[start], writing=True):
                    self._delete_many(root, dict.fromkeys(keys[start : start + _MAX_DELETE_KEYS], ""))

    @property
    def removable_versions(self) -> int:
        """A thousand on AWS, whose ``DeleteObjects`` compares an etag for each key; other servers may ignore the etags.

        See https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
        """
        return _MAX_DELETE_KEYS if self._is_aws() and self._supports_etag_of_keys() else 1

    def remove_versions(self, versions: Sequence[tuple[str, str]]) -> list[bool]:
        """Makes one ``DeleteObjects`` request on AWS, else the requests of :meth:`remove` for each file."""
        if len(versions) <= 1 or self.removable_versions == 1:
            return super().remove_versions(versions)
        root = split_s3_bucket(versions[0][0])[0]
        with self._request_context("delete", versions[0][0], writing=True):
            kept = self._delete_many(root, {path.removeprefix(root): etag for path, etag in versions})
        return [path.removeprefix(root) not in kept for path, _ in versions]

    def _delete_many(self, root: str, keys: Mapping[str, str]) -> set[str]:
        """Deletes keys, and retries keys with transient errors, which the response lists and botocore does not retry.

        Args:
            root: prefix of the bucket.
            keys: etags by key; empty to delete any version.

        Returns:
            The keys of which another version is there.
        """
        from botocore.exceptions import ClientError

        kept: set[str] = set()
        failures = 0
        while keys:
            failures += 1
            objects = [{"Key": key, "ETag": f'"{etag}"'} if etag else {"Key": key} for key, etag in keys.items()]
            request = {"Objects": objects, "Quiet": True}
            try:
                response = self._call("delete_objects", Bucket=split_s3_bucket(root)[1], Delete=request)
            except Exception as error:
                if classify_error(error)[0] not in _UNSUPPORTED:
                    raise
                return kept.union(key for key, etag in keys.items() if not self._delete(root + key, etag))
            found = response.get("Errors", ())
            kept.update(error["Key"] for error in found if error.get("Code") in _CONDITION_FAILED)
            errors = [error for error in found if error.get("Code") not in (*_MISSING, *_CONDITION_FAILED)]
            exceptions = [(error["Key"], ClientError({"Error": error}, "DeleteObjects")) for error in errors]
            permanent = next((item for item in exceptions if not classify_error(item[1])[1].transient), None)
            if permanent is not None or (errors and failures > self.options.max_retries):
                key, exception = permanent or exceptions[0]
                with self._request_context("delete", root + key, writing=True):
                    raise exception
            keys = {error["Key"]: keys[error["Key"]] for error in errors}
            if keys:
                time.sleep(backoff_s(failures) + self._breaker.delay_s())
        return kept

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        """Makes one ``CreateMultipartUpload`` request; ``staging`` is not used."""
        with self._request_context("start an upload to", path, writing=True):
            response = self._call("create_multipart_upload", **_bucket_and_key(path), Metadata={_TOKEN_METADATA: token})
        return str(response["UploadId"])

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        """Makes one ``UploadPart`` request."""
        with self._request_context("upload to", path, writing=True):
            response = self._call(
                "upload_part", **_bucket_and_key(path), UploadId=upload_id, PartNumber=number, Body=data
            )
        return str(response["ETag"]).strip('"')

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        """Makes one ``CompleteMultipartUpload`` request, in which S3 verifies the etags but not the size."""
        numbered = [{"PartNumber": number, "ETag": f'"{etag}"'} for number, etag in enumerate(parts, 1)]
        with self._request_context("complete the upload to", path, writing=True):
            try:
                self._call(
                    "complete_multipart_upload",
                    **_bucket_and_key(path),
                    UploadId=upload_id,
                    MultipartUpload={"Parts": numbered},
                )
            except Exception as error:
                if classify_error(error)[0] in _MISSING:
                    return False
                raise
        return True

    def abort_upload(self, path: str, upload_id: str) -> None:
        """Makes one ``AbortMultipartUpload`` request."""
        with self._request_context("abort the upload to", path, writing=True):
            try:
                self._call("abort_multipart_upload", **_bucket_and_key(path), UploadId=upload_id)
            except Exception as error:
                if classify_error(error)[0] not in _MISSING:
                    raise

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        """Makes one ``ListMultipartUploads`` request."""
        root, bucket, key = split_s3_bucket(prefix)
        request = {"Bucket": bucket, "Prefix": key, "MaxUploads": self.page_size}
        markers = dict(json.loads(token)) if token is not None else {}
        with self._request_context("list the uploads below", prefix, writing=True):
            response = self._call("list_multipart_uploads", **request, **markers)
        uploads = (
            OpenUpload(root + item["Key"], item["UploadId"], _milliseconds(item["Initiated"]))
            for item in response.get("Uploads", ())
        )
        if not response.get("IsTruncated"):
            return UploadPage(tuple(uploads), None)
        # AWS returns both markers. SeaweedFS lists by upload id, returns no marker of keys, and accepts none.
        following = {name: response.get(f"Next{name}") for name in _UPLOAD_MARKERS}
        following = {name: marker for name, marker in following.items() if marker}
        if following in ({}, markers):
            raise self._missing_token(prefix)
        return UploadPage(tuple(uploads), json.dumps(following))

    def lists_uploads_by_prefix(self, root: str, *, probe: bool) -> bool:
        """Starts an upload below ``_staging/`` of the root, lists it by that prefix and aborts it; makes no request on AWS."""
        if self._is_aws() or not probe:
            return self._is_aws()
        prefix, name, token = f"{root}_staging/{_PROBE}", uuid.uuid4().hex, None
        path = prefix + name
        upload_id = self.start_upload(path, token=name, staging="")
        own, listed = {upload_id}, False
        others: list[OpenUpload] = []
        try:
            while True:
                page = self.list_uploads(prefix, token)
                listed = listed or any(upload.upload_id == upload_id for upload in page.uploads)
                # A start whose response was lost has left another upload of the same path.
                own |= {upload.upload_id for upload in page.uploads if upload.path == path}
                others += [upload for upload in page.uploads if upload.path != path]
                token = page.next_token
                if token is None:
                    break
        finally:
            for one in own:
                self.abort_upload(path, one)
        now_ms = int(time.time() * 1000)
        for upload in others:
            if now_ms - upload.started_ms > _LONGEST_PROBE_MS:  # of a probe that failed before its abort
                self.abort_upload(upload.path, upload.upload_id)
        return listed

    def _supports_parameter(self, operation: str, parameter: str) -> bool:
        """True if the installed botocore has the parameter; s3fs silently drops parameters that it does not have."""
        model = self._filesystem().s3.meta.service_model.operation_model(operation)
        return parameter in model.input_shape.members

    def _supports_etag_of_keys(self) -> bool:
        """True if the installed botocore sends an etag for each key of ``DeleteObjects``."""
        model = self._filesystem().s3.meta.service_model.shape_for("ObjectIdentifier")
        return "ETag" in model.members

    def _is_aws(self) -> bool:
        host = urlsplit(self._filesystem().s3.meta.endpoint_url).hostname or ""
        return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    def _missing_token(self, prefix: str) -> StoreError:
        return StoreError(
            f"cannot list {prefix}{self._errors.endpoint}: the response has further pages but no continuation token that leads to them; use another server"
        )

    def _call(self, method: str, **request: Any) -> Any:
        """Makes one request on the shared connection; its attempts are reported to the circuit breaker of this store.

        Raises:
            StoreError: the request took longer than ``operationTimeout``.
        """
        from fsspec.asyn import FSTimeoutError, sync

        BREAKER.set(self._breaker)
        filesystem = self._filesystem()
        request = {**request_parameters(self.options, method), **request}
        bound_s = attempt_bound_s(self.options.operation_timeout_s, len(request.get("Body", b"")))

        async def call() -> Any:
            # Cancelled at the bound, so that neither the request nor its connection remains.
            return await asyncio.wait_for(filesystem._call_s3(method, **request), bound_s)  # noqa: SLF001

        try:
            return sync(filesystem.loop, call)
        except FSTimeoutError as error:
            path = f"s3://{request.get('Bucket', '')}/{request.get('Key', request.get('Prefix', ''))}"
            raise StoreError(
                f"{method} of {path}{self._errors.endpoint} took longer than {bound_s:g} s with all its attempts, the last failure"
                f" {self._errors.mask(self._breaker.last_failure) or 'none'}. Raise operationTimeout if the store is that slow."
            ) from error

    def _filesystem(self) -> Any:
        with self._lock:
            if "s3" not in self._handles:
                self._handles["s3"] = shared_filesystem(self.options)
            return self._handles["s3"]

    def _translate(self, action: str, path: str, error: Exception, *, writing: bool) -> LogSourceError:
        translated = super()._translate(action, path, error, writing=writing)
        if isinstance(translated, AccessDeniedError):
            discard_filesystem(self.options)
        return translated


def _bucket_and_key(path: str) -> dict[str, Any]:
    _, bucket, key = split_s3_bucket(path)
    return {"Bucket": bucket, "Key": key}


def _to_stored_file(root: str, item: Mapping[str, Any]) -> StoredFile:
    return StoredFile(
        root + item["Key"], item["Size"], _milliseconds(item["LastModified"]), item.get("ETag", "").strip('"')
    )


def _milliseconds(modified: dt.datetime) -> int:
    return (modified - _EPOCH) // dt.timedelta(milliseconds=1)
