"""S3, on a server in this process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyspark_logs.errors import PathNotFoundError, ReadOnlyStoreError, StoreError
from pyspark_logs.store import UploadPage, open_store
from tests.support.s3_server import S3Bucket
from tests.unit.store.read_suite import MIB, ReadSuite, all_pages, read_all
from tests.unit.store.write_suite import JOB, WriteSuite, in_another_process


class TestReads(ReadSuite):
    @pytest.fixture(autouse=True)
    def prepare(self, s3: S3Bucket):
        self.s3 = s3
        self.root = s3.url + "/"
        self.store = open_store(self.root, s3.options)

    def put(self, name, data):
        return self.s3.put(name, data)

    def test_paging(self):
        names = [f"p/{number:03}/x.log" for number in range(25)]
        for name in names:
            self.put(name, b"x")
        self.store.page_size = 10
        files, directories, pages = all_pages(self.store, self.root + "p/", recursive=True)
        assert [file.path.removeprefix(self.root) for file in files] == names
        assert (directories, pages) == ([], 3)
        files, directories, pages = all_pages(self.store, self.root + "p/", recursive=False)
        assert (files, pages) == ([], 3)
        assert directories == [self.root + name.removesuffix("x.log") for name in names]

    @pytest.mark.slow
    def test_more_keys_than_one_page_can_hold(self):
        for number in range(1005):
            self.put(f"{number:05}.log", b"")
        files, _, pages = all_pages(self.store, self.root, recursive=True)
        assert (len(files), pages) == (1005, 2)

    def test_directory_markers_are_not_files(self):
        self.put("app/", b"")
        self.put("app/sub/", b"marker")
        self.put("app/a.log", b"x")
        assert self.names("app/", recursive=True) == (["app/a.log"], [])
        assert self.names("app/", recursive=False) == (["app/a.log"], ["app/sub/"])
        assert self.store.head(self.root + "app/") is None

    @pytest.mark.parametrize("scheme", ["s3a", "s3n"])
    def test_listed_paths_keep_their_scheme(self, scheme):
        self.put("app/sub/a.log", b"x")
        root = self.root.replace("s3://", f"{scheme}://")
        store = open_store(root, self.s3.options)
        (file,) = store.list_page(root + "app/", recursive=True).files
        assert file.path == f"{root}app/sub/a.log"
        assert store.list_page(root + "app/", recursive=False).directories == (f"{root}app/sub/",)
        assert store.head(file.path) == file
        assert read_all(store, file.path) == b"x"

    def test_slashes_in_keys_are_part_of_them(self):
        path = self.put("app//x/a.log", b"x")
        assert self.names("app/", recursive=False) == ([], ["app//"])
        assert self.names("app//", recursive=True)[0] == ["app//x/a.log"]
        assert read_all(self.store, path) == b"x"

    def test_a_missing_bucket_is_an_error(self):
        with pytest.raises(PathNotFoundError, match=r"bucket-missing.*NoSuchBucket.*region"):
            self.store.list_page("s3://bucket-missing/app/", recursive=True)
        with pytest.raises(PathNotFoundError, match="NoSuchBucket"):
            list(self.store.read("s3://bucket-missing/a"))

    def test_listing_a_bucket_without_a_slash(self):
        self.put("a.log", b"x")
        assert [file.path for file in self.store.list_page(self.s3.url, recursive=True).files] == [self.root + "a.log"]


class TestWrites(WriteSuite):
    @pytest.fixture(autouse=True)
    def prepare(self, s3: S3Bucket):
        self.s3 = s3
        self.root = f"{s3.url}/app/"
        self.store = open_store(self.root, s3.options)

    def test_s3_lists_in_order_and_has_a_minimum_part_size(self):
        assert self.store.lists_in_order
        assert self.store.min_part_bytes == 5 * MIB

    def test_another_process_completes(self):
        path, upload_id, etags = self.stage("part-0.gz", b"one")
        in_another_process(self.store, path, upload_id, etags, size=3)
        assert self.store.head(path).token == JOB

    def test_parts_that_are_too_small(self):
        path, upload_id, etags = self.stage("part-0.gz", b"one", b"two")
        with pytest.raises(StoreError, match=r"EntityTooSmall.*partSize"):
            self.store.complete_upload(path, upload_id, etags, size=6)

    def test_listed_uploads_keep_their_scheme(self):
        store = open_store("s3a://x/", self.s3.options)
        root = self.root.replace("s3://", "s3a://")
        upload_id = store.start_upload(root + "a", token=JOB, staging="")
        (found,) = store.list_uploads(root).uploads
        assert (found.path, found.upload_id) == (root + "a", upload_id)

    def test_deletions_are_batched_by_bucket_and_limit(self, monkeypatch):
        monkeypatch.setattr("pyspark_logs.store.s3_writes._MAX_DELETE_KEYS", 2)
        for name in "abcde":
            self.store.put(self.root + name, b"x")
        other = replace(self.s3, bucket=self.s3.bucket + "-2")
        other.create()
        other.put("a", b"x")
        self.store.remove_all([self.root + name for name in "abcd"] + [f"{other.url}/a"])
        assert self.store.request_counts["DELETE"] == 3
        assert self.visible() == ["e"]
        assert self.store.head(f"{other.url}/a") is None

    def test_a_missing_bucket(self):
        for call in (
            lambda: self.store.put("s3://no-such-bucket/a", b"x"),
            lambda: self.store.create("s3://no-such-bucket/a", b"x"),
            lambda: self.store.start_upload("s3://no-such-bucket/a", token=JOB, staging=""),
            lambda: self.store.list_uploads("s3://no-such-bucket/"),
        ):
            with pytest.raises(PathNotFoundError, match=r"NoSuchBucket.*Check the bucket's name"):
                call()

    def test_a_server_that_lists_uploads_of_exact_keys(self, monkeypatch):
        """MinIO lists no uploads below a prefix: https://github.com/minio/minio/issues/20989."""
        list_page = type(self.store).list_uploads

        def list_exact(store, prefix, token=None):
            page = list_page(store, prefix, token)
            return UploadPage(tuple(upload for upload in page.uploads if upload.path == prefix), page.next_token)

        with monkeypatch.context() as patch:
            patch.setattr(type(self.store), "list_uploads", list_exact)
            assert not self.store.lists_uploads_by_prefix(self.root, probe=True)
        assert self.uploads() == []
        # Without a probe, and on AWS, the answer needs no request.
        count = self.store.request_counts.total()
        assert not self.store.lists_uploads_by_prefix(self.root, probe=False)
        monkeypatch.setattr(type(self.store), "_is_aws", lambda _: True)
        assert self.store.lists_uploads_by_prefix(self.root, probe=True)
        assert self.store.request_counts.total() == count

    def test_a_botocore_without_conditional_writes(self, monkeypatch):
        self.store.put(self.root + "a", b"x")
        etag = self.store.head(self.root + "a").etag
        monkeypatch.setattr(type(self.store), "_supports_parameter", lambda *_: False)
        with pytest.raises(ReadOnlyStoreError, match=r"pip install --upgrade"):
            self.store.create(self.root + "b", b"x")
        monkeypatch.setattr(type(self.store), "_is_aws", lambda _: True)
        assert self.store.remove(self.root + "a", etag="other") is False
        assert self.store.remove(self.root + "a", etag=etag) is True

    @pytest.mark.parametrize(
        ("endpoint", "is_aws"),
        [
            (None, True),
            ("https://vpce-1.s3.eu-west-1.vpce.amazonaws.com", True),
            ("https://minio.amazonaws.com.x", False),
        ],
    )
    def test_endpoints_of_aws(self, endpoint, is_aws):
        store = open_store("s3://b/", replace(self.s3.options, endpoint=endpoint))
        assert store._is_aws() is is_aws
        assert store._supports_parameter("PutObject", "IfNoneMatch")

    def test_deleting_a_version_on_aws_makes_one_request(self, monkeypatch):
        monkeypatch.setattr(type(self.store), "_is_aws", lambda _: True)
        self.test_remove_of_one_version()
        assert self.store.request_counts["HEAD"] == 2  # made by the test
        assert self.store.request_counts["DELETE"] == 3
