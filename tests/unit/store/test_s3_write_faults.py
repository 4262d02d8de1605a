"""Writes to S3 while requests fail; each request has three attempts."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import ClassVar

import pytest

from pyspark_logs.errors import (
    AccessDeniedError,
    CircuitOpenError,
    ReadOnlyStoreError,
    SnapshotChangedError,
    StoreError,
)
from pyspark_logs.store import open_store
from pyspark_logs.store.s3 import S3Store
from tests.support.fault_proxy import (
    CannedResponse,
    ConnectionReset,
    DroppedHeader,
    ErrorResponse,
    FaultProxy,
    LostResponse,
    TruncatedBody,
)
from tests.support.s3_server import S3Bucket
from tests.unit.store.read_suite import MIB
from tests.unit.store.write_suite import JOB


@pytest.mark.usefixtures("no_backoff")
class TestFaults:
    @pytest.fixture(autouse=True)
    def prepare(self, s3: S3Bucket, faulty: FaultProxy):
        self.s3, self.faulty = s3, faulty
        self.root = f"{s3.url}/app/"
        self.store = open_store(self.root, replace(s3.options, endpoint=faulty.endpoint))
        self.direct = open_store(self.root, s3.options)

    def stage(self, name: str = "part-0.gz", data: bytes = b"one") -> tuple[str, str, list[str]]:
        path = self.root + name
        upload_id = self.direct.start_upload(path, token=JOB, staging="")
        return path, upload_id, [self.direct.upload_part(path, upload_id, 1, data)]

    @pytest.mark.parametrize(
        "fault", [ErrorResponse(503, "SlowDown"), ErrorResponse(500, "InternalError"), ConnectionReset()]
    )
    def test_transient_errors_are_retried(self, fault):
        store, path = self.store, self.root + "a"
        self.faulty.inject(fault, fault)
        assert store.create(path, b"x") is True
        assert self.faulty.count("PUT") == 3
        self.faulty.inject(fault, fault)
        store.put(path, b"y")
        self.faulty.inject(fault, fault)
        assert store.get(path) == b"y"
        self.faulty.inject(fault, fault)
        upload_id = store.start_upload(path, token=JOB, staging="")
        self.faulty.inject(fault, fault)
        etag = store.upload_part(path, upload_id, 1, b"z" * MIB)
        self.faulty.inject(fault, fault)
        assert [item.upload_id for item in store.list_uploads(self.root).uploads] == [upload_id]
        self.faulty.inject(fault, fault)
        assert store.complete_upload(path, upload_id, [etag], size=MIB) is True
        assert self.faulty.count("POST") == 3
        self.faulty.inject(fault, fault)
        store.abort_upload(path, upload_id)
        self.faulty.inject(None, fault, fault)
        assert store.remove(path, etag=store.head(path).etag)
        self.faulty.inject(fault, fault)
        store.remove_all([path])

    @pytest.mark.parametrize("code", ["BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"])
    def test_bytes_damaged_in_transit_are_sent_again(self, code):
        self.faulty.inject(ErrorResponse(400, code), ErrorResponse(400, code))
        self.store.put(self.root + "a", b"x")
        self.faulty.inject(then=ErrorResponse(400, code))
        with pytest.raises(StoreError, match=f"{code}.*changed in transit"):
            self.store.put(self.root + "b", b"x")
        assert self.faulty.count("PUT") == 3

    @pytest.mark.parametrize("fault", [ErrorResponse(503, "SlowDown"), ConnectionReset()])
    def test_retries_are_bounded(self, fault):
        self.faulty.inject(then=fault)
        with pytest.raises(StoreError, match=r"cannot create .*app/a \(endpoint") as caught:
            self.store.create(self.root + "a", b"x")
        assert not isinstance(caught.value, CircuitOpenError)
        with pytest.raises(CircuitOpenError, match="gave up trying to start an upload"):
            self.store.start_upload(self.root + "a", token=JOB, staging="")
        self.faulty.inject()
        with pytest.raises(CircuitOpenError):
            self.store.remove(self.root + "a")
        assert self.faulty.requests == []

    # --- lost responses of applied requests ---

    def test_create_returns_false_after_a_lost_response(self):
        self.faulty.inject(LostResponse())
        assert self.store.create(self.root + "a", b"mine") is False
        assert self.faulty.count("PUT") == 2
        assert self.store.get(self.root + "a") == b"mine"

    def test_create_fails_if_all_responses_are_lost(self):
        self.faulty.inject(then=LostResponse())
        with pytest.raises(StoreError, match="cannot create"):
            self.store.create(self.root + "a", b"mine")
        assert self.direct.get(self.root + "a") == b"mine"

    def test_complete_returns_false_after_a_lost_response(self):
        path, upload_id, etags = self.stage()
        self.faulty.inject(LostResponse())
        assert self.store.complete_upload(path, upload_id, etags, size=3) is False
        found = self.store.head(path)
        assert (found.token, found.size) == (JOB, 3)

    def test_a_lost_response_to_start_leaves_an_upload_that_is_listed(self):
        self.faulty.inject(LostResponse())
        upload_id = self.store.start_upload(self.root + "a", token=JOB, staging="")
        found = [item.upload_id for item in self.store.list_uploads(self.root).uploads]
        assert len(found) == 2
        assert upload_id in found

    def test_other_lost_responses_have_no_effect(self):
        path, upload_id, etags = self.stage()
        self.faulty.inject(LostResponse())
        assert self.store.upload_part(path, upload_id, 1, b"one") == etags[0]
        self.faulty.inject(LostResponse())
        self.store.abort_upload(path, upload_id)
        assert self.store.list_uploads(self.root).uploads == ()
        self.faulty.inject(LostResponse())
        self.store.put(path, b"two")
        etag = self.store.head(path).etag
        self.faulty.inject(None, LostResponse())
        assert self.store.remove(path, etag=etag) is True
        self.store.put(path, b"three")
        self.faulty.inject(LostResponse())
        self.store.remove_all([path])
        assert self.store.head(path) is None

    # --- responses of servers ---

    def test_conflicts_are_retried(self):
        conflict = ErrorResponse(409, "ConditionalRequestConflict")
        self.faulty.inject(conflict, conflict)
        assert self.store.create(self.root + "a", b"x") is True
        self.faulty.inject(then=conflict)
        with pytest.raises(StoreError, match=r"ConditionalRequestConflict.*try again"):
            self.store.create(self.root + "b", b"x")
        assert self.faulty.count("PUT") == 3
        for _ in range(5):  # conflicts are not failures, so the circuit stays closed
            with pytest.raises(StoreError, match="ConditionalRequestConflict"):
                self.store.create(self.root + "b", b"x")

    def test_an_error_with_status_200_is_an_error(self):
        path, upload_id, etags = self.stage()
        self.faulty.inject(ErrorResponse(200, "InternalError"))
        assert self.store.complete_upload(path, upload_id, etags, size=3) is True
        path, upload_id, etags = self.stage("part-1.gz")
        self.faulty.inject(then=ErrorResponse(200, "InternalError"))
        with pytest.raises(StoreError, match=r"cannot complete .*InternalError"):
            self.store.complete_upload(path, upload_id, etags, size=3)
        assert self.direct.head(path) is None

    @pytest.mark.parametrize("fault", [ErrorResponse(501, "NotImplemented"), ErrorResponse(405, "MethodNotAllowed")])
    def test_a_server_without_conditional_writes_or_uploads(self, fault):
        self.faulty.inject(then=fault)
        for call in (
            lambda: self.store.create(self.root + "a", b"x"),
            lambda: self.store.start_upload(self.root + "a", token=JOB, staging=""),
        ):
            with pytest.raises(ReadOnlyStoreError, match="If-None-Match"):
                call()

    def test_access_denied(self):
        path, upload_id, etags = self.stage()
        for call in (
            lambda: self.store.create(path, b"x"),
            lambda: self.store.put(path, b"x"),
            lambda: self.store.remove(path),
            lambda: self.store.remove_all([path]),
            lambda: self.store.start_upload(path, token=JOB, staging=""),
            lambda: self.store.upload_part(path, upload_id, 1, b"x"),
            lambda: self.store.complete_upload(path, upload_id, etags, size=1),
            lambda: self.store.abort_upload(path, upload_id),
            lambda: self.store.list_uploads(self.root),
        ):
            self.faulty.inject(then=ErrorResponse(403, "AccessDenied"))
            with pytest.raises(AccessDeniedError, match="Allow s3:PutObject"):
                call()
            assert len(self.faulty.requests) == 1

    def test_a_name_that_is_too_long(self):
        self.faulty.inject(then=ErrorResponse(400, "KeyTooLongError"))
        with pytest.raises(StoreError, match=r"1,024 bytes a key"):
            self.store.put(self.root + "x" * 2000, b"")

    def test_a_server_that_ignores_the_condition_of_a_delete(self):
        path = self.root + "a"
        self.store.put(path, b"one")
        etag = self.store.head(path).etag
        self.store.put(path, b"two")
        self.faulty.inject(then=DroppedHeader(name="If-Match"))
        assert self.store.remove(path, etag=etag) is False
        assert self.store.get(path) == b"two"

    def test_a_server_that_refuses_the_condition_of_a_delete(self):
        path = self.root + "a"
        self.store.put(path, b"one")
        etag = self.store.head(path).etag
        self.faulty.inject(None, ErrorResponse(501, "NotImplemented"))
        assert self.store.remove(path, etag=etag) is True
        assert self.direct.head(path) is None
        assert [method for method, _, _ in self.faulty.requests] == ["HEAD", "DELETE", "DELETE"]
        self.store.put(path, b"one")
        self.faulty.inject(None, ErrorResponse(403, "AccessDenied"))
        with pytest.raises(AccessDeniedError):
            self.store.remove(path, etag=etag)

    def test_another_version_is_written_before_the_delete(self):
        path = self.root + "a"
        self.store.put(path, b"one")
        etag = self.store.head(path).etag
        self.faulty.inject(None, ErrorResponse(412, "PreconditionFailed"))
        assert self.store.remove(path, etag=etag) is False
        self.faulty.inject(None, ErrorResponse(404, "NoSuchKey"))
        assert self.store.remove(path, etag=etag) is True

    def test_versions_are_deleted_with_one_request_on_aws(self, monkeypatch):
        monkeypatch.setattr(S3Store, "_is_aws", lambda self: True)
        paths = [self.store.put(self.root + name, b"x") or self.root + name for name in "abc"]
        self.faulty.inject(self.refusal(b="PreconditionFailed", c="SlowDown"), self.refusal(c="NoSuchKey"))
        assert self.store.removable_versions == 1000
        assert self.store.remove_versions([(path, "e") for path in paths]) == [True, False, True]
        assert [method for method, _, _ in self.faulty.requests] == ["POST", "POST"]

    def test_a_server_without_conditional_replacement(self):
        path = self.root + "a"
        self.store.put(path, b"one")
        self.faulty.inject(ErrorResponse(501, "NotImplemented"))
        assert self.store.replace(path, b"two", etag="e") is True
        assert self.store.get(path) == b"two"
        self.faulty.inject(ErrorResponse(403, "AccessDenied"))
        with pytest.raises(AccessDeniedError):
            self.store.replace(path, b"two", etag="e")

    def test_deleting_a_missing_file_on_servers_that_report_it(self):
        self.faulty.inject(ErrorResponse(404, "NoSuchKey"))
        assert self.store.remove(self.root + "a") is True

    _REFUSED: ClassVar[str] = "<Error><Key>app/{}</Key><Code>{}</Code><Message>why</Message></Error>"

    def refusal(self, **codes: str) -> CannedResponse:
        errors = "".join(self._REFUSED.format(name, code) for name, code in codes.items())
        return CannedResponse(f'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{errors}</DeleteResult>')

    def test_partial_failure_of_a_batch_deletion(self):
        paths = [self.store.put(self.root + name, b"x") or self.root + name for name in "abc"]
        busy = self.refusal(b="SlowDown", c="InternalError", a="NoSuchKey")
        self.faulty.inject(busy, busy)
        self.store.remove_all(paths)
        assert self.faulty.count("POST") == 3
        assert [file.path for file in self.direct.list_page(self.root, recursive=True).files] == paths[:1]
        self.faulty.inject(then=busy)
        with pytest.raises(StoreError, match="SlowDown: why"):
            self.store.remove_all(paths)
        assert self.faulty.count("POST") == 3
        self.faulty.inject(then=self.refusal(a="SlowDown", b="AccessDenied"))
        with pytest.raises(AccessDeniedError, match="s3:DeleteObject") as raised:
            self.store.remove_all(paths)
        assert f"cannot delete {paths[1]}" in str(raised.value)
        assert self.faulty.count("POST") == 1

    @pytest.mark.parametrize("fault", [ErrorResponse(501, "NotImplemented"), ErrorResponse(400, "MissingContentMD5")])
    def test_a_server_without_batch_deletion(self, fault):
        paths = [self.store.put(self.root + name, b"x") or self.root + name for name in "abc"]
        self.faulty.inject(fault)
        self.store.remove_all(paths)
        assert self.faulty.count("DELETE") == 3
        assert self.direct.list_page(self.root, recursive=True).files == ()

    def test_a_truncated_listing_without_a_token_is_an_error(self):
        body = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>"
        self.faulty.inject(CannedResponse(body))
        with pytest.raises(StoreError, match="further pages but no continuation token"):
            self.store.list_uploads(self.root)

    def test_a_server_that_lists_uploads_by_their_ids_only(self):
        """SeaweedFS returns no marker of keys, and with one in the request it lists no further uploads."""
        names, item = (
            ("b", "a"),
            "<Upload><Key>app/{}</Key><UploadId>{}</UploadId><Initiated>2026-11-22T00:00:00Z</Initiated></Upload>",
        )
        pages = [
            f"<ListMultipartUploadsResult><IsTruncated>{'true' if number < 2 else 'false'}</IsTruncated>"
            f"<NextUploadIdMarker>{number}</NextUploadIdMarker>{item.format(name, number)}</ListMultipartUploadsResult>"
            for number, name in enumerate(names, 1)
        ]
        self.faulty.inject(*map(CannedResponse, [*pages, pages[0], pages[0]]))
        first = self.store.list_uploads(self.root)
        second = self.store.list_uploads(self.root, first.next_token)
        assert [upload.upload_id for page in (first, second) for upload in page.uploads] == ["1", "2"]
        assert second.next_token is None
        queries = [path.partition("?")[2] for _, path, _ in self.faulty.requests]
        assert ["upload-id-marker=1" in query for query in queries] == [False, True]
        assert not any("&key-marker=" in query for query in queries)
        # A server that repeats its marker would never end.
        again = self.store.list_uploads(self.root)
        with pytest.raises(StoreError, match="further pages but no continuation token"):
            self.store.list_uploads(self.root, again.next_token)

    def test_a_file_changes_during_get(self):

        path = self.root + "a"
        self.store.put(path, b"1" * MIB)
        self.faulty.inject(TruncatedBody(1000), ErrorResponse(412, "PreconditionFailed"))
        with pytest.raises(SnapshotChangedError):
            self.store.get(path)

    def test_secrets_are_masked(self):
        secret = self.s3.options.secret_key
        calls = [
            lambda: self.store.put(self.root + "a", b"x"),
            lambda: self.store.create(self.root + "a", b"x"),
            lambda: self.store.remove_all([self.root + "a"]),
            lambda: self.store.list_uploads(self.root),
        ]
        for call in calls:
            self.faulty.inject(then=ErrorResponse(403, "AccessDenied", f"the secret is {secret}"))
            with pytest.raises(AccessDeniedError, match=r"the secret is \*\*\*") as caught:
                call()
            assert secret not in repr(caught.value) + str(caught.value.__cause__)
        assert secret not in repr(self.store)

    def test_errors_can_be_pickled(self):
        self.faulty.inject(then=ErrorResponse(501, "NotImplemented"))
        with pytest.raises(ReadOnlyStoreError) as caught:
            self.store.create(self.root + "a", b"x")
        copy = pickle.loads(pickle.dumps(caught.value))
        assert (type(copy), str(copy)) == (ReadOnlyStoreError, str(caught.value))
