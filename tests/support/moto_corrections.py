"""Corrections of moto where its responses to writes differ from those of AWS.

- moto checks and writes a create-only PUT in two steps. On AWS exactly one of several concurrent requests succeeds.
- moto fails with status 500 if an upload does not exist (any more), and accepts a second completion. AWS responds with
  ``NoSuchUpload`` to both.
- moto lists open uploads in one page and with a start time in 2010. AWS lists them in pages, with their start times.
"""

from __future__ import annotations

import datetime as dt
import threading

import pytest


def correct_moto(patch: pytest.MonkeyPatch) -> None:
    """Corrects moto until the monkeypatch is undone."""
    from moto.s3 import responses
    from moto.s3.exceptions import NoSuchUpload
    from moto.s3.models import S3Backend

    lock = threading.Lock()
    put_object = responses.S3Response.put_object
    create, upload, complete = (
        getattr(S3Backend, f"{name}")
        for name in ("create_multipart_upload", "upload_part", "complete_multipart_upload")
    )

    def put_object_serially(self):
        with lock:
            return put_object(self)

    def create_with_time(self, *args, **kwargs):
        upload = create(self, *args, **kwargs)
        upload.initiated = dt.datetime.now(dt.timezone.utc)
        return upload

    def upload_to_existing(self, bucket_name, multipart_id, *args, **kwargs):
        if multipart_id not in self.get_bucket(bucket_name).multiparts:
            raise NoSuchUpload(multipart_id)
        return upload(self, bucket_name, multipart_id, *args, **kwargs)

    def complete_once(self, bucket_name, multipart_id, body):
        with lock:
            if multipart_id not in self.get_bucket(bucket_name).multiparts:
                raise NoSuchUpload(multipart_id)
            key = complete(self, bucket_name, multipart_id, body)
            if key is not None:
                key.multipart = None  # otherwise moto recognises a second completion
            return key

    def list_in_pages(self):
        def parameter(name: str) -> str:
            return self.querystring.get(name, [""])[0]

        after, max_uploads = (
            (parameter("key-marker"), parameter("upload-id-marker")),
            int(parameter("max-uploads") or 1000),
        )
        uploads = self.backend.list_multipart_uploads(self.bucket_name).values()
        remaining = sorted(
            (upload.key_name, upload.id, upload.initiated)
            for upload in list(uploads)
            if upload.key_name.startswith(parameter("prefix")) and (upload.key_name, upload.id) > after
        )
        page = remaining[:max_uploads]
        result = {
            "Bucket": self.bucket_name,
            "Prefix": parameter("prefix"),
            "MaxUploads": max_uploads,
            "IsTruncated": len(remaining) > len(page),
            "Uploads": [{"Key": key, "UploadId": id_, "Initiated": initiated} for key, id_, initiated in page],
        }
        if result["IsTruncated"]:
            result["NextKeyMarker"], result["NextUploadIdMarker"], _ = page[-1]
        self.data["Action"] = "ListMultipartUploads"
        return self.serialized(responses.ActionResult(result))

    patch.setattr(responses.S3Response, "put_object", put_object_serially)
    patch.setattr(responses.S3Response, "list_multipart_uploads", list_in_pages)
    patch.setattr(S3Backend, "create_multipart_upload", create_with_time)
    patch.setattr(S3Backend, "upload_part", upload_to_existing)
    patch.setattr(S3Backend, "complete_multipart_upload", complete_once)
