"""Where moto answers otherwise than AWS does, on what writing rests on: put right, in this process.

- A create-only PUT looks and writes in two steps; on AWS one of many wins.
- An upload that is not there (any more) makes moto fail with 500; AWS says ``NoSuchUpload``, also to a second
  completion, which moto takes for the first.
- Open uploads come in one page, all from the year 2010; AWS pages them, and they have a time.
"""

from __future__ import annotations

import datetime as dt
import threading

import pytest


def answer_as_aws(patch: pytest.MonkeyPatch) -> None:
    """Patch moto for as long as ``patch`` lasts."""
    from moto.s3 import responses
    from moto.s3.exceptions import NoSuchUpload
    from moto.s3.models import S3Backend

    lock = threading.Lock()
    put_object = responses.S3Response.put_object
    create, upload, complete = (
        getattr(S3Backend, f"{name}")
        for name in ("create_multipart_upload", "upload_part", "complete_multipart_upload")
    )

    def put_one_by_one(self):
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
                key.multipart = None  # by which a second completion would be known
            return key

    def list_in_pages(self):
        def asked(name: str) -> str:
            return self.querystring.get(name, [""])[0]

        after, most = (asked("key-marker"), asked("upload-id-marker")), int(asked("max-uploads") or 1000)
        uploads = self.backend.list_multipart_uploads(self.bucket_name).values()
        left = sorted(
            (upload.key_name, upload.id, upload.initiated)
            for upload in list(uploads)
            if upload.key_name.startswith(asked("prefix")) and (upload.key_name, upload.id) > after
        )
        page = left[:most]
        result = {
            "Bucket": self.bucket_name,
            "Prefix": asked("prefix"),
            "MaxUploads": most,
            "IsTruncated": len(left) > len(page),
            "Uploads": [{"Key": key, "UploadId": id_, "Initiated": initiated} for key, id_, initiated in page],
        }
        if result["IsTruncated"]:
            result["NextKeyMarker"], result["NextUploadIdMarker"], _ = page[-1]
        self.data["Action"] = "ListMultipartUploads"
        return self.serialized(responses.ActionResult(result))

    patch.setattr(responses.S3Response, "put_object", put_one_by_one)
    patch.setattr(responses.S3Response, "list_multipart_uploads", list_in_pages)
    patch.setattr(S3Backend, "create_multipart_upload", create_with_time)
    patch.setattr(S3Backend, "upload_part", upload_to_existing)
    patch.setattr(S3Backend, "complete_multipart_upload", complete_once)
