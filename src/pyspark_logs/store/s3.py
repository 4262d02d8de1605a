"""S3 and what speaks its protocol, through s3fs's ``call_s3``: one call is one request, nothing is cached.

botocore's ``standard`` mode retries requests; its event hooks show every attempt to the gate, so that
a row of failures is seen while it happens. Bodies that break are resumed here, from the byte reached.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from pyspark_logs.errors import (
    AccessDeniedError,
    CircuitOpenError,
    LogSourceError,
    OptionError,
    PathNotFoundError,
    ReadOnlyStoreError,
    StoreError,
    TruncatedBodyError,
)
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.faults import find_fault, find_text
from pyspark_logs.store.gate import backoff_s
from pyspark_logs.store.interface import OpenUpload, Page, Store, StoredFile, UploadPage
from pyspark_logs.store.paths import split_bucket
from pyspark_logs.store.s3_body import Body
from pyspark_logs.store.s3_connection import GATE, connection, forget

_JOB = "pyspark-logs-job"  # the user metadata that an upload carries and a HEAD shows
_AT_ONCE = 1000  # keys that one DeleteObjects takes
_MISSING = ("NoSuchKey", "NoSuchUpload", "404", "NotFound")
_CONDITION_FAILED = ("PreconditionFailed", "412")
_NO_SUCH_REQUEST = ("NotImplemented", "501", "MethodNotAllowed", "405", "MissingContentMD5")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


class S3Store(Store):
    """``s3://``, ``s3a://`` and ``s3n://``."""

    writable = True
    lists_in_order = True
    min_part_bytes = 5 << 20

    def __init__(self, scheme: str, options: StoreOptions) -> None:
        super().__init__(scheme, options)
        if find_spec("s3fs") is None:
            raise OptionError(f"{scheme}:// paths need s3fs, which is not installed: pip install 'pyspark-logs[s3]'")
        if "@" in (options.endpoint or ""):
            raise OptionError("option 'endpoint' holds a user name or password; give accessKey and secretKey instead")

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """One ``ListObjectsV2``."""
        root, bucket, key = split_bucket(prefix)
        request = {"Bucket": bucket, "Prefix": key, "MaxKeys": self.page_size}
        if not recursive:
            request["Delimiter"] = "/"
        if token is not None:
            request["ContinuationToken"] = token
        with self._errors("list", prefix):
            answer = self._call("list_objects_v2", **request)
        if answer.get("IsTruncated") and not answer.get("NextContinuationToken"):
            raise self._no_marker(prefix)
        files = (_listed(root, item) for item in answer.get("Contents", ()) if not item["Key"].endswith("/"))
        directories = (root + item["Prefix"] for item in answer.get("CommonPrefixes", ()))
        return Page(tuple(files), tuple(directories), answer.get("NextContinuationToken"))

    def head(self, path: str) -> StoredFile | None:
        """One ``HeadObject``; it cannot tell a missing bucket from a missing key."""
        _, bucket, key = split_bucket(path)
        if not key or key.endswith("/"):
            return None
        try:
            with self._errors("look at", path):
                answer = self._call("head_object", Bucket=bucket, Key=key)
        except PathNotFoundError:
            return None
        etag, token = answer.get("ETag", "").strip('"'), answer.get("Metadata", {}).get(_JOB, "")
        return StoredFile(path, answer["ContentLength"], _milliseconds(answer["LastModified"]), etag, token)

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """One ``GetObject``, and one more for each time the body breaks."""
        position, failures = start, 0
        while end is None or position < end:
            body = self._get(path, position, end, etag, resumed=failures > 0 or position > start)
            if body is None:
                return
            # The first answer says where the file ends and which version it is: resumed requests keep to both.
            etag, end = body.etag, body.end
            error: Exception | None = None
            try:
                while position < end and error is None:
                    wanted = min(chunk_bytes, end - position)
                    chunk, error = body.take(wanted)
                    position += len(chunk)
                    if len(chunk) == wanted:
                        failures = 0
                    if chunk:
                        yield chunk
            finally:
                body.close()
            if error is not None:
                failures += 1
                self._after_break(path, position, failures, body, error)

    def _get(self, path: str, position: int, end: int | None, etag: str, *, resumed: bool) -> Body | None:
        """Open the body from ``position`` on; ``None`` if the file has no byte there."""
        _, bucket, key = split_bucket(path)
        request = {"Bucket": bucket, "Key": key}
        if position or end is not None:
            request["Range"] = f"bytes={position}-" + ("" if end is None else str(end - 1))
        if etag:
            request["IfMatch"] = f'"{etag}"'
        ticket = self._gate.ticket()
        try:
            with self._errors("read", path):
                try:
                    answer = self._call("get_object", **request)
                except Exception as error:
                    if not resumed and find_fault(error)[0] in ("InvalidRange", "416"):
                        return None
                    raise
        except PathNotFoundError as error:
            if resumed:
                raise self._changed(path, etag, "nothing") from error
            raise
        body = Body(answer, self._filesystem().loop, position, end, ticket)
        problem = self._find_mismatch(path, body, etag)
        if problem is not None:
            body.close()
            raise problem
        return body

    def _find_mismatch(self, path: str, body: Body, etag: str) -> LogSourceError | None:
        """An answer that is not what was asked for: servers exist that ignore conditions or ranges."""
        if etag and body.etag != etag:
            return self._changed(path, etag, body.etag)
        if body.first != body.start:
            return StoreError(f"cannot read {path}{self._where()}: the server ignores byte ranges; use another server")
        if body.end < 0:
            return StoreError(
                f"cannot read {path}{self._where()}: no Content-Length, so a short body could not be told"
            )
        return None

    def _after_break(self, path: str, position: int, failures: int, body: Body, error: Exception) -> None:
        """Count a body that broke; wait before the next try, or raise if there is none."""
        reason = self._mask(f"{find_fault(error)[0]}: {find_text(error)}")
        self._gate.failed(body.ticket, reason)
        if self._gate.is_open:
            raise CircuitOpenError(self._circuit_message("read", path)) from error
        # Without an ETag nothing tells whether the rest would be of the same version.
        if failures > self.options.max_retries or not body.etag:
            raise TruncatedBodyError(
                f"cannot read {path}{self._where()}: the body broke at byte {position} of {body.end}, {failures} times without "
                f"progress ({reason}). Check the network and proxies; raise maxRetries or requestTimeout."
            ) from error
        time.sleep(backoff_s(failures) + self._gate.delay_s())

    def put(self, path: str, data: bytes) -> None:
        """One ``PutObject``."""
        with self._errors("write", path, writing=True):
            self._call("put_object", **_object(path), Body=data)

    def create(self, path: str, data: bytes) -> bool:
        """One ``PutObject`` with ``If-None-Match: *``; a conflict with another one is tried again, as S3 asks for."""
        with self._errors("create", path, writing=True):
            if not self._knows("PutObject", "IfNoneMatch"):
                raise ReadOnlyStoreError(
                    f"cannot create {path}: the botocore that is installed knows no conditional writes, so two writers could "
                    "not be told apart. Install a newer s3fs: pip install --upgrade 's3fs>=2024.12'"
                )
            try:
                self._call("put_object", **_object(path), Body=data, IfNoneMatch="*")
            except Exception as error:
                if find_fault(error)[0] in _CONDITION_FAILED:
                    return False
                raise
        return True

    def remove(self, path: str, *, etag: str = "") -> bool:
        """One ``DeleteObject``, with ``If-Match`` if there is an etag.

        Servers exist that ignore the condition. So a HEAD comes first then, but on AWS, which does not.
        """
        looked = etag != "" and not (self._is_aws() and self._knows("DeleteObject", "IfMatch"))
        if looked:
            found = self.head(path)
            if found is None or found.etag != etag:
                return found is None
        with self._errors("delete", path, writing=True):
            try:
                return self._delete(path, etag)
            except Exception as error:
                if not (looked and find_fault(error)[0] in _NO_SUCH_REQUEST):
                    raise
                return self._delete(path, "")

    def _delete(self, path: str, etag: str) -> bool:
        condition = {"IfMatch": f'"{etag}"'} if etag else {}
        try:
            self._call("delete_object", **_object(path), **condition)
        except Exception as error:
            code, _ = find_fault(error)
            if etag and code in _CONDITION_FAILED:
                return False
            if code not in _MISSING:
                raise
        return True

    def remove_all(self, paths: Sequence[str]) -> None:
        """One ``DeleteObjects`` for each thousand."""
        by_root: dict[str, list[str]] = {}
        for path in paths:
            root, _, key = split_bucket(path)
            by_root.setdefault(root, []).append(key)
        for root, keys in by_root.items():
            for start in range(0, len(keys), _AT_ONCE):
                with self._errors("delete", root + keys[start], writing=True):
                    self._delete_many(root, keys[start : start + _AT_ONCE])

    def _delete_many(self, root: str, keys: list[str]) -> None:
        """Keys that the store was too busy for are tried again; it says so in the answer, where botocore does not look."""
        from botocore.exceptions import ClientError

        for failures in itertools.count(1):
            request = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
            try:
                answer = self._call("delete_objects", Bucket=split_bucket(root)[1], Delete=request)
            except Exception as error:
                if find_fault(error)[0] not in _NO_SUCH_REQUEST:
                    raise
                for key in keys:
                    self._delete(root + key, "")
                return
            errors = [error for error in answer.get("Errors", ()) if error.get("Code") not in _MISSING]
            if not errors:
                return
            refused = [ClientError({"Error": error}, "DeleteObjects") for error in errors]
            final = next((error for error in refused if not find_fault(error)[1].transient), None)
            if final is not None or failures > self.options.max_retries:
                raise final or refused[0]
            keys = [error["Key"] for error in errors]
            time.sleep(backoff_s(failures) + self._gate.delay_s())

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        """One ``CreateMultipartUpload``; ``staging`` is not used."""
        with self._errors("start an upload to", path, writing=True):
            return str(self._call("create_multipart_upload", **_object(path), Metadata={_JOB: token})["UploadId"])

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        """One ``UploadPart``."""
        with self._errors("upload to", path, writing=True):
            answer = self._call("upload_part", **_object(path), UploadId=upload_id, PartNumber=number, Body=data)
        return str(answer["ETag"]).strip('"')

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        """One ``CompleteMultipartUpload``; S3 checks the etags, not the size."""
        listed = [{"PartNumber": number, "ETag": f'"{etag}"'} for number, etag in enumerate(parts, 1)]
        with self._errors("complete the upload to", path, writing=True):
            try:
                self._call(
                    "complete_multipart_upload", **_object(path), UploadId=upload_id, MultipartUpload={"Parts": listed}
                )
            except Exception as error:
                if find_fault(error)[0] in _MISSING:
                    return False
                raise
        return True

    def abort_upload(self, path: str, upload_id: str) -> None:
        """One ``AbortMultipartUpload``."""
        with self._errors("abort the upload to", path, writing=True):
            try:
                self._call("abort_multipart_upload", **_object(path), UploadId=upload_id)
            except Exception as error:
                if find_fault(error)[0] not in _MISSING:
                    raise

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        """One ``ListMultipartUploads``."""
        root, bucket, key = split_bucket(prefix)
        request = {"Bucket": bucket, "Prefix": key, "MaxUploads": self.page_size}
        if token is not None:
            request["KeyMarker"], request["UploadIdMarker"] = json.loads(token)
        with self._errors("look for uploads below", prefix, writing=True):
            answer = self._call("list_multipart_uploads", **request)
        uploads = (
            OpenUpload(root + item["Key"], item["UploadId"], _milliseconds(item["Initiated"]))
            for item in answer.get("Uploads", ())
        )
        markers = [answer.get("NextKeyMarker") or "", answer.get("NextUploadIdMarker") or ""]
        if answer.get("IsTruncated") and not markers[0]:
            raise self._no_marker(prefix)
        return UploadPage(tuple(uploads), json.dumps(markers) if answer.get("IsTruncated") else None)

    def _knows(self, operation: str, parameter: str) -> bool:
        """Whether the botocore at hand has the parameter; s3fs leaves out what it has not, in silence."""
        model = self._filesystem().s3.meta.service_model.operation_model(operation)
        return parameter in model.input_shape.members

    def _is_aws(self) -> bool:
        host = urlsplit(self._filesystem().s3.meta.endpoint_url).hostname or ""
        return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    def _no_marker(self, prefix: str) -> StoreError:
        return StoreError(
            f"cannot list {prefix}{self._where()}: the server says there is more and not where; use another server"
        )

    def _call(self, method: str, **request: Any) -> Any:
        """One request; its attempts are seen by the gate of this store, though connections are shared."""
        GATE.set(self._gate)
        return self._filesystem().call_s3(method, **request)

    def _filesystem(self) -> Any:
        with self._lock:
            if "s3" not in self._handles:
                self._handles["s3"] = connection(self.options)
            return self._handles["s3"]

    def _translate(self, doing: str, path: str, error: Exception, *, writing: bool) -> LogSourceError:
        translated = super()._translate(doing, path, error, writing=writing)
        if isinstance(translated, AccessDeniedError):
            forget(self.options)
        return translated


def _object(path: str) -> dict[str, Any]:
    _, bucket, key = split_bucket(path)
    return {"Bucket": bucket, "Key": key}


def _listed(root: str, item: Mapping[str, Any]) -> StoredFile:
    return StoredFile(
        root + item["Key"], item["Size"], _milliseconds(item["LastModified"]), item.get("ETag", "").strip('"')
    )


def _milliseconds(context: dt.datetime) -> int:
    return (context - _EPOCH) // dt.timedelta(milliseconds=1)
