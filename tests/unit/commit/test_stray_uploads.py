"""Open uploads of ended jobs, on servers that list uploads by a prefix and on servers that do not."""

from __future__ import annotations

import pytest

from pyspark_logs.commit import CommitSettings, abort, commit, recover, vacuum
from pyspark_logs.jobs import Job, StagedFile, part_name
from pyspark_logs.store import UploadPage
from tests.protocol.store import ProtocolStore

ROOT = "s3://b/t/"
SETTINGS = CommitSettings(threads=1)


class ExactKeyStore(ProtocolStore):
    """A store that lists open uploads as MinIO does: those of one key, or those of the whole bucket.

    Attributes:
        lists_buckets: True if the store lists the uploads of the bucket; older versions of MinIO do not.
    """

    lists_buckets = True

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        page = super().list_uploads(prefix, token)
        if prefix == "s3://b/" and self.lists_buckets:
            return page
        return UploadPage(tuple(upload for upload in page.uploads if upload.path == prefix), None)

    def lists_uploads_by_prefix(self, root: str, *, probe: bool) -> bool:
        return False


@pytest.fixture(params=["bucket", "keys only"])
def store(request: pytest.FixtureRequest) -> ExactKeyStore:
    store = ExactKeyStore()
    store.lists_buckets = request.param == "bucket"
    return store


def stage(store: ProtocolStore, job: Job, attempt: int = 0) -> StagedFile:
    key = "p=1/" + part_name(0, attempt, job.id, 0, "log")
    upload = store.start_upload(job.root + key, token=job.id, staging=job.staging)
    return StagedFile(key, upload, (store.upload_part(job.root + key, upload, 1, b"x"),), 1, 1)


def leave_undecided(store: ProtocolStore) -> tuple[Job, StagedFile]:
    """Leaves a job whose driver died before publication, with a second upload of its file and one of a lost attempt."""
    job = Job.start(ROOT, random="seed", now_us=1)
    file = stage(store, job)
    stage(store, job)
    stage(store, job, attempt=1)

    def die(name: str, *_: object) -> None:
        if name == "complete_upload":
            raise KeyboardInterrupt

    store.before = die
    with pytest.raises(KeyboardInterrupt):
        commit(store, job, [file], SETTINGS)
    store.before = lambda name, *args: None
    return job, file


def attempts(store: ProtocolStore) -> list[str]:
    """Returns the attempt number in the name of each open upload."""
    return [path.rpartition("/")[2].split("-")[2] for path, _ in store.world.uploads]


def test_recover_finds_the_uploads_of_the_keys_of_an_intent(store: ExactKeyStore) -> None:
    job, file = leave_undecided(store)
    preview = recover(store, ROOT, older_than_us=0, dry_run=True)
    assert len(store.world.uploads) == 3
    report = recover(store, ROOT, older_than_us=0)
    assert report == preview
    assert report.rolled_back == (job.id,)
    assert ROOT + file.key in report.files
    # Nothing names the key of the lost attempt, and the oldest servers list no others.
    assert attempts(store) == ([] if store.lists_buckets else ["1"])


def test_abort_finds_the_uploads_of_its_files(store: ExactKeyStore) -> None:
    job, file = leave_undecided(store)
    assert abort(store, job, [file], SETTINGS)
    assert attempts(store) == ([] if store.lists_buckets else ["1"])


def test_vacuum_finds_uploads_without_an_intent(store: ExactKeyStore, caplog: pytest.LogCaptureFixture) -> None:
    job = Job.start(ROOT, random="seed", now_us=1)
    stage(store, job)
    stage(store, Job.start("s3://b/other/", random="seed", now_us=1))
    preview = vacuum(store, ROOT, older_than_us=0, dry_run=True)
    assert caplog.text == ""
    assert vacuum(store, ROOT, older_than_us=0) == preview
    assert [path for path, _ in store.world.uploads if path.startswith(ROOT)] == (
        [] if store.lists_buckets else [f"{ROOT}p=1/{part_name(0, 0, job.id, 0, 'log')}"]
    )
    assert len([path for path, _ in store.world.uploads if not path.startswith(ROOT)]) == 1
    assert "this server lists open uploads only for exact keys" in caplog.text


def test_a_commit_makes_no_further_request() -> None:
    counts = []
    for store in (ProtocolStore(), ExactKeyStore()):
        job = Job.start(ROOT, random="seed", now_us=1)
        commit(store, job, [stage(store, job)], SETTINGS)
        counts.append(store.request_counts)
    assert counts[0] == counts[1]


def test_a_server_that_lists_by_prefix_is_asked_once() -> None:
    store = ProtocolStore()
    leave_undecided(store)
    recover(store, ROOT, older_than_us=0)
    assert store.world.uploads == {}
    assert store.request_counts["UPLOADS"] == 1
