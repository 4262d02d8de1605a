"""Stores that cannot be written to."""

from __future__ import annotations

import pytest

from pyspark_logs.errors import ReadOnlyStoreError
from pyspark_logs.store import StoredFile
from tests.support.key_store import KeyStore
from tests.unit.store.write_suite import JOB


class TestReadOnly:
    """All writing methods fail without a request."""

    @pytest.fixture(autouse=True)
    def prepare(self):
        self.path = "s3://b/app/a"
        self.store = KeyStore([StoredFile(self.path, 1, 0, "e")])

    def test_every_writing_method_fails(self):
        store, path = self.store, self.path
        assert not store.writable
        for call in (
            lambda: store.put(path, b"x"),
            lambda: store.create(path, b"x"),
            lambda: store.remove(path),
            lambda: store.remove(path, etag="e"),
            lambda: store.remove_all([path]),
            lambda: store.start_upload(path, token=JOB, staging=""),
            lambda: store.upload_part(path, "id", 1, b""),
            lambda: store.complete_upload(path, "id", ["e"], size=0),
            lambda: store.abort_upload(path, "id"),
            lambda: store.list_uploads("s3://b/app/"),
        ):
            with pytest.raises(ReadOnlyStoreError, match=r"s3://b/app/.*read-only here.*memory://"):
                call()
        store.remove_all([])
        assert sum(store.request_counts.values()) == 0
