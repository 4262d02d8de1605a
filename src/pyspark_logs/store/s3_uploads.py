"""Multipart uploads of S3, which are invisible until they are completed."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence

from pyspark_logs.store.error_codes import classify_error
from pyspark_logs.store.listings import OpenUpload, UploadPage
from pyspark_logs.store.paths import split_s3_bucket
from pyspark_logs.store.s3_requests import MISSING, TOKEN_METADATA, S3Requests, bucket_and_key, milliseconds

_PROBE = "~probe-"
_LONGEST_PROBE_MS = 3_600_000
_UPLOAD_MARKERS = ("KeyMarker", "UploadIdMarker")


class S3Uploads(S3Requests):
    """The methods of a store for uploads that one process starts and another one completes."""

    min_part_bytes = 5 << 20

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        """Makes one ``CreateMultipartUpload`` request; ``staging`` is not used."""
        with self._request_context("start an upload to", path, writing=True):
            response = self._call("create_multipart_upload", **bucket_and_key(path), Metadata={TOKEN_METADATA: token})
        return str(response["UploadId"])

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        """Makes one ``UploadPart`` request."""
        with self._request_context("upload to", path, writing=True):
            response = self._call(
                "upload_part", **bucket_and_key(path), UploadId=upload_id, PartNumber=number, Body=data
            )
        return str(response["ETag"]).strip('"')

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        """Makes one ``CompleteMultipartUpload`` request, in which S3 verifies the etags but not the size."""
        numbered = [{"PartNumber": number, "ETag": f'"{etag}"'} for number, etag in enumerate(parts, 1)]
        with self._request_context("complete the upload to", path, writing=True):
            try:
                self._call(
                    "complete_multipart_upload",
                    **bucket_and_key(path),
                    UploadId=upload_id,
                    MultipartUpload={"Parts": numbered},
                )
            except Exception as error:
                if classify_error(error)[0] in MISSING:
                    return False
                raise
        return True

    def abort_upload(self, path: str, upload_id: str) -> None:
        """Makes one ``AbortMultipartUpload`` request."""
        with self._request_context("abort the upload to", path, writing=True):
            try:
                self._call("abort_multipart_upload", **bucket_and_key(path), UploadId=upload_id)
            except Exception as error:
                if classify_error(error)[0] not in MISSING:
                    raise

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        """Makes one ``ListMultipartUploads`` request."""
        root, bucket, key = split_s3_bucket(prefix)
        request = {"Bucket": bucket, "Prefix": key, "MaxUploads": self.page_size}
        markers = dict(json.loads(token)) if token is not None else {}
        with self._request_context("list the uploads below", prefix, writing=True):
            response = self._call("list_multipart_uploads", **request, **markers)
        uploads = (
            OpenUpload(root + item["Key"], item["UploadId"], milliseconds(item["Initiated"]))
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
