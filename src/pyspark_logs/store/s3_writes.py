"""Small writes and deletions of S3: conditional where botocore and the server support that."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from pyspark_logs.errors import ReadOnlyStoreError
from pyspark_logs.store.circuit_breaker import backoff_s
from pyspark_logs.store.error_codes import classify_error
from pyspark_logs.store.paths import split_s3_bucket
from pyspark_logs.store.s3_requests import CONDITION_FAILED, MISSING, UNSUPPORTED, S3Requests, bucket_and_key

_MAX_DELETE_KEYS = 1000  # limit of DeleteObjects


class S3Writes(S3Requests):
    """The methods of a store that write small files and delete files."""

    def put(self, path: str, data: bytes) -> None:
        """Makes one ``PutObject`` request."""
        with self._request_context("write", path, writing=True):
            self._call("put_object", **bucket_and_key(path), Body=data)

    def create(self, path: str, data: bytes) -> bool:
        """Makes one ``PutObject`` request with ``If-None-Match: *``; conflicts are retried, as S3 documents."""
        with self._request_context("create", path, writing=True):
            if not self._supports_parameter("PutObject", "IfNoneMatch"):
                raise ReadOnlyStoreError(
                    f"cannot create {path}: the installed botocore has no conditional writes, so several writers could create the "
                    "same file. Install a newer s3fs: pip install --upgrade 's3fs>=2024.12'"
                )
            try:
                self._call("put_object", **bucket_and_key(path), Body=data, IfNoneMatch="*")
            except Exception as error:
                if classify_error(error)[0] in CONDITION_FAILED:
                    return False
                raise
        return True

    def replace(self, path: str, data: bytes, *, etag: str) -> bool:
        """Makes one ``PutObject`` request with ``If-Match``, and one without it if the server refuses the condition."""
        condition = {"IfMatch": f'"{etag}"'} if self._supports_parameter("PutObject", "IfMatch") else {}
        with self._request_context("write", path, writing=True):
            try:
                self._call("put_object", **bucket_and_key(path), Body=data, **condition)
            except Exception as error:
                code, _ = classify_error(error)
                if code in CONDITION_FAILED or code in MISSING:
                    return False
                if code not in UNSUPPORTED or not condition:
                    raise
                self._call("put_object", **bucket_and_key(path), Body=data)
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
                if not (checked and classify_error(error)[0] in UNSUPPORTED):
                    raise
                return self._delete(path, "")

    def _delete(self, path: str, etag: str) -> bool:
        condition = {"IfMatch": f'"{etag}"'} if etag else {}
        try:
            self._call("delete_object", **bucket_and_key(path), **condition)
        except Exception as error:
            code, _ = classify_error(error)
            if etag and code in CONDITION_FAILED:
                return False
            if code not in MISSING:
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
            The keys that have another version.
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
                if classify_error(error)[0] not in UNSUPPORTED:
                    raise
                return kept.union(key for key, etag in keys.items() if not self._delete(root + key, etag))
            found = response.get("Errors", ())
            kept.update(error["Key"] for error in found if error.get("Code") in CONDITION_FAILED)
            errors = [error for error in found if error.get("Code") not in (*MISSING, *CONDITION_FAILED)]
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

    def _supports_etag_of_keys(self) -> bool:
        """True if the installed botocore sends an etag for each key of ``DeleteObjects``."""
        model = self._filesystem().s3.meta.service_model.shape_for("ObjectIdentifier")
        return "ETag" in model.members
