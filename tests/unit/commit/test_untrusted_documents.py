"""Documents below ``_commits/`` and ``_claims/`` that pyspark-logs did not write, or that were damaged."""

from __future__ import annotations

import gzip
import json
import logging
import os
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from pyspark_logs.commit import CommitSettings, abort, commit, recover, vacuum
from pyspark_logs.errors import CommitConflictError, CorruptFileError, ReadOnlyStoreError, StoreError
from pyspark_logs.jobs import (
    Claim,
    Intent,
    Job,
    Record,
    Replaced,
    SingleRoot,
    StagedFile,
    Transaction,
    intent_key,
    part_name,
    record_key,
    take_snapshot,
)
from pyspark_logs.jobs.names import claim_key
from pyspark_logs.jobs.snapshots import list_all
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import Store, open_store
from tests.support.fault_proxy import DroppedHeader, FaultProxy
from tests.support.s3_server import S3Bucket
from tests.support.trials import tries

SETTINGS = CommitSettings(threads=1)
NO_RETENTION = CommitSettings(threads=1, record_retention_us=0, txn_retention_us=0)
NAMED = Transaction.of_id("x")

# JSON that the parser of Python answers with something else than a ValueError, or that it accepts.
DAMAGED = {
    "not JSON": b"nonsense",
    "not UTF-8": b"\xff\xfe\xfa",
    "deep": b"[" * 200_000,
    "infinite": b'{"version":1,"created":1e999,"mode":"append","transaction":null,"files":[]}',
    "a long number": b'{"version":' + b"1" * 5000 + b"}",
    "a list": b"[]",
    "empty": b"",
    "compressed and deep": gzip.compress(b"[" * 200_000),
    "compressed and cut": gzip.compress(b'{"state":"aborted"}')[:-1],
}


class Table:
    """A directory that jobs write to, and files beside it that must not change."""

    def __init__(self, store: Store, base: str) -> None:
        self.store = store
        self.base = base
        self.root = f"{base}t/"
        for path in self.victims:
            store.put(path, b"keep")

    @property
    def victims(self) -> list[str]:
        return [f"{self.base}victim/a.txt", f"{self.root}_other/a.txt", f"{self.root}plain.log"]

    def job(self, number: int, mode: str = "append", transaction: Transaction | None = None) -> Job:
        return Job.start(self.root, random=f"seed{number}", now_us=number, mode=mode, transaction=transaction)

    def stage(self, job: Job, directory: str = "p=1/") -> StagedFile:
        key = directory + part_name(0, 0, job.id, 0, "log")
        upload = self.store.start_upload(job.root + key, token=job.id, staging=job.staging)
        part = self.store.upload_part(job.root + key, upload, 1, b"line\n")
        return StagedFile(key, upload, (part,), 5, 1)

    def write(self, number: int, **arguments: Any) -> tuple[Job, str]:
        """Commits a job of one file; returns the path of the file, too."""
        job = self.job(number, **arguments)
        file = self.stage(job)
        commit(self.store, job, [file], SETTINGS)
        return job, self.root + file.key

    def intend(self, job: Job, *files: StagedFile, mode: str | None = None) -> str:
        """Writes an intent of a job, without any check; returns its path."""
        path = self.root + intent_key(job.id)
        self.store.put(path, Intent(1, mode or job.mode, job.transaction, files).to_json())
        return path

    def decide(self, job: Job, *replaces: Replaced) -> str:
        """Writes a record of a committed job, without any check; returns its path."""
        path = self.root + record_key(job.id)
        self.store.put(path, Record("committed", replaces).to_json())
        return path

    def dead_job(self, number: int) -> tuple[Job, str]:
        """Leaves an undecided job with a published file and a staged one."""
        job = self.job(number)
        published, staged = self.stage(job), self.stage(job, "p=2/")
        self.intend(job, published, staged)
        path = self.root + published.key
        assert self.store.complete_upload(path, published.upload_id, published.parts, size=5)
        return job, path

    def recover(self, **arguments: Any) -> Any:
        return recover(self.store, self.root, older_than_us=0, settings=SETTINGS, **arguments)

    def seen(self) -> set[str]:
        def list_data() -> list[Any]:
            return [file for file in list_all(self.store, self.root) if "/_" not in file.path]

        return {file.path for file in take_snapshot(self.store, SingleRoot(self.root), list_data).files}

    def check_victims(self) -> None:
        assert [self.store.get(path) for path in self.victims] == [b"keep"] * len(self.victims)


STORES = ["local", "memory", "s3"]


@pytest.fixture(params=STORES)
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Table:
    if request.param == "s3":
        bucket: S3Bucket = request.getfixturevalue("s3")
        return Table(open_store(bucket.url + "/", bucket.options), bucket.url + "/")
    base = f"{tmp_path}/" if request.param == "local" else f"memory:/{tmp_path}/"
    return Table(open_store(base, StoreOptions()), base)


def each_store(values: Collection[str]) -> list[Any]:
    """Returns all pairs of a store and a value. ``make test`` has only two on the S3 server, where a pair takes a second."""
    return [
        pytest.param(store, value, marks=[pytest.mark.slow] * (store == "s3" and index >= 2))
        for store in STORES
        for index, value in enumerate(values)
    ]


@pytest.fixture
def local(tmp_path: Path) -> Table:
    return Table(open_store(f"{tmp_path}/", StoreOptions()), f"{tmp_path}/")


# --- keys -------------------------------------------------------------------------------------------------------------

FOREIGN_KEYS = [
    "../victim/a.txt",
    "p=1/../../victim/a.txt",
    "../victim/{part}",
    "/{part}",
    "p=1//{part}",
    "./{part}",
    "_other/a.txt",
    "_other/{part}",
    "_commits/{part}",
    "_staging/j/r/{part}",
    "p=1/{part}\0",
    "p=\0/{part}",
    "p=\ud800/{part}",
    "plain.log",
    "p=1/",
    "",
    "p=1/{other}",
]


@tries("intents that name files of others, such as `../x`", "refused as a whole; nothing is deleted")
@pytest.mark.parametrize(("table", "key"), each_store(FOREIGN_KEYS), indirect=["table"])
def test_an_intent_names_only_files_of_its_job(table: Table, key: str):
    """A foreign intent is refused as a whole, and the other dead jobs are rolled back."""
    other, published = table.write(1)
    dead, dead_path = table.dead_job(2)
    job = table.job(3)
    good = table.stage(job)
    names = {"part": part_name(0, 0, job.id, 0, "log"), "other": part_name(0, 0, other.id, 0, "log")}
    foreign = key.format(**names)
    path = table.intend(job, good, replace(good, key=foreign))
    for dry_run in (True, False):
        report = table.recover(dry_run=dry_run)
        assert report.rolled_back == (dead.id,)
        ((failed, reason),) = report.failed
        assert failed == job.id
        assert path in reason
        assert repr(foreign) in reason
        assert "nothing of it was acted on" in reason
        assert not any(good.key in name or "victim" in name for name in report.files)
    assert published in table.seen()
    assert table.store.head(dead_path) is None
    assert len(table.store.list_uploads(table.root).uploads) == 1  # the upload of the refused job
    table.check_victims()
    with pytest.raises(CorruptFileError, match="nothing of it was acted on"):
        abort(table.store, job, [], SETTINGS)


def test_an_intent_has_the_mode_of_its_job(table: Table):
    job = table.job(1)
    table.intend(job, table.stage(job), mode="overwrite")
    ((_, reason),) = table.recover().failed
    assert "'overwrite'" in reason
    assert len(table.store.list_uploads(table.root).uploads) == 1


def test_an_overwrite_that_fences_believes_no_intent(table: Table, caplog: pytest.LogCaptureFixture):
    _, published = table.write(1)
    fenced = table.job(2, "overwrite")
    file = table.stage(fenced)
    table.intend(fenced, replace(file, key="../victim/a.txt"))
    table.store.put(table.root + claim_key("overwrite", (1,)), Claim(fenced.id).to_json())
    _, path = table.write(3, mode="overwrite")
    assert table.seen() == {path}
    assert "nothing of it was acted on" in caplog.text
    assert table.store.get(f"{table.base}victim/a.txt") == b"keep"
    assert table.store.get(f"{table.root}_other/a.txt") == b"keep"
    assert table.store.head(published) is None


FOREIGN_REPLACED = ["../victim/a.txt", "p=1/../../victim/a.txt", "_other/a.txt", "plain\0.log", "", "p=1/", "p=1/{own}"]


@tries("records that replace files that no overwrite can replace", "refused as a whole; nothing is deleted")
@pytest.mark.parametrize(("table", "key"), each_store(FOREIGN_REPLACED), indirect=["table"])
def test_a_record_replaces_only_what_an_overwrite_may_replace(table: Table, key: str):
    _, published = table.write(1)
    job = table.job(2, "overwrite")
    own = table.root + "p=1/" + part_name(0, 0, job.id, 0, "log")
    table.store.put(own, b"line\n")
    key = key.format(own=part_name(0, 0, job.id, 0, "log"))
    found = None if "\0" in key else table.store.head(table.root + key)
    table.intend(job)
    head = table.store.head(published)
    path = table.decide(
        job, Replaced(published.removeprefix(table.root), head.etag), Replaced(key, found.etag if found else "e")
    )
    for dry_run in (True, False):
        report = table.recover(dry_run=dry_run)
        ((failed, reason),) = report.failed
        assert failed == job.id
        assert path in reason
        assert repr(key) in reason
        assert "nothing of it was acted on" in reason
    assert table.store.head(published) == head
    assert table.store.head(own) is not None
    table.check_victims()
    with pytest.raises(CorruptFileError, match="nothing of it was acted on"):
        table.seen()


def test_the_record_of_an_append_replaces_nothing(table: Table):
    _, published = table.write(1)
    job = table.job(2)
    table.intend(job)
    table.decide(job, Replaced(published.removeprefix(table.root), table.store.head(published).etag))
    ((_, reason),) = table.recover().failed
    assert "an append replaces nothing" in reason
    assert table.store.head(published) is not None


def test_an_empty_etag_is_not_any_version(table: Table):
    job = table.job(1, "overwrite")
    table.intend(job)
    table.decide(job, Replaced("plain.log", ""))
    assert table.recover(dry_run=True).files == ()
    report = table.recover()
    assert (report.rolled_forward, report.files) == ((job.id,), ())
    table.check_victims()


def test_keys_of_object_stores_may_have_empty_segments(s3: S3Bucket):
    table = Table(open_store(s3.url + "/", s3.options), s3.url + "/")
    odd = table.root + "p=1//a.log"
    table.store.put(odd, b"x")
    job = table.job(1, "overwrite")
    table.intend(job)
    table.decide(job, Replaced("p=1//a.log", table.store.head(odd).etag))
    assert table.recover(dry_run=True).files == (odd,)
    report = table.recover()
    assert (report.rolled_forward, report.files) == ((job.id,), (odd,))
    assert table.store.head(odd) is None


# --- local files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "upload_id", ["{base}victim/a.txt", "{root}../victim/a.txt", "{root}_staging/j/link/{key}", "{root}plain.log"]
)
def test_local_uploads_are_below_staging(local: Table, tmp_path: Path, upload_id: str):
    job = local.job(1)
    file = local.stage(job)
    victim = tmp_path / "victim" / file.key
    victim.parent.mkdir(parents=True)
    victim.write_bytes(b"keep")
    (tmp_path / "t" / "_staging" / "j").mkdir()
    (tmp_path / "t" / "_staging" / "j" / "link").symlink_to(tmp_path / "victim")
    local.intend(job, file, replace(file, upload_id=upload_id.format(base=local.base, root=local.root, key=file.key)))
    ((failed, reason),) = local.recover().failed
    assert failed == job.id
    assert intent_key(job.id) in reason
    assert "nothing of it was acted on" in reason
    assert victim.read_bytes() == b"keep"
    assert Path(file.upload_id).exists()
    local.check_victims()


@tries("a directory of the root replaced by a link", "nothing that the link leads to is deleted")
def test_nothing_is_deleted_behind_a_link(local: Table, tmp_path: Path):
    """A link below the root leads out of it: neither an intent nor a record deletes anything there."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "t" / "link").symlink_to(outside)
    job, overwrite = local.job(1), local.job(2, "overwrite")
    file = local.stage(job)
    victim = outside / part_name(0, 0, job.id, 0, "log")
    victim.write_bytes(b"keep")
    etag = local.store.head(str(victim)).etag
    local.intend(job, file, replace(file, key=f"link/{victim.name}"))
    local.intend(overwrite)
    local.decide(overwrite, Replaced(f"link/{victim.name}", etag))
    report = local.recover()
    assert [failed for failed, _ in report.failed] == [job.id, overwrite.id]
    assert all(f"link/{victim.name}" in reason for _, reason in report.failed)
    assert victim.read_bytes() == b"keep"
    assert Path(file.upload_id).exists()


def test_an_overwrite_of_a_directory_behind_a_link_is_refused(local: Table, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.log").write_bytes(b"keep")
    (tmp_path / "t" / "link").symlink_to(outside)
    before = local.seen()
    job = local.job(1, "overwrite")
    with pytest.raises(CommitConflictError, match=r"link/a.log is reached through a symbolic link"):
        commit(local.store, job, [local.stage(job)], SETTINGS)
    assert local.seen() == before
    assert (outside / "a.log").read_bytes() == b"keep"


def test_vacuum_deletes_nothing_behind_a_link(local: Table, tmp_path: Path):
    other = Table(local.store, f"{local.base}other/")
    job, path = other.write(1)
    staging = tmp_path / "t" / "_staging" / job.id
    staging.mkdir(parents=True)
    (staging / "r").symlink_to(Path(path).parent)
    assert vacuum(local.store, local.root, older_than_us=0, settings=NO_RETENTION).uploads == ()
    assert other.seen() >= {path}


@pytest.mark.parametrize("directory", ["_commits", "_claims"])
def test_documents_of_another_root_are_left_alone(local: Table, tmp_path: Path, directory: str):
    other = Table(local.store, f"{local.base}other/")
    other.dead_job(1)
    other.write(2, transaction=NAMED)
    (tmp_path / "t" / directory).symlink_to(tmp_path / "other" / "t" / directory)
    before = sorted(tmp_path.rglob("*"))
    job = local.job(3)
    file = local.stage(job)
    for call in (
        local.recover,
        lambda: vacuum(local.store, local.root, older_than_us=0, settings=NO_RETENTION),
        lambda: commit(local.store, job, [file], SETTINGS),
    ):
        with pytest.raises(StoreError, match=f"{directory}/ is a symbolic link"):
            call()
    abort(local.store, job, [file], SETTINGS)
    assert sorted(tmp_path.rglob("*")) == before


def test_claims_of_another_root_are_left_alone(local: Table, tmp_path: Path):
    other = Table(local.store, f"{local.base}other/")
    other.write(1, mode="overwrite")
    other.write(2, mode="overwrite")
    (tmp_path / "t" / "_claims").mkdir()
    (tmp_path / "t" / "_claims" / "overwrite").symlink_to(tmp_path / "other" / "t" / "_claims" / "overwrite")
    before = list_all(local.store, f"{other.root}_claims/")
    ((path, reason),) = vacuum(local.store, local.root, older_than_us=0, settings=NO_RETENTION).failed
    assert path == f"{local.root}_claims/overwrite/2"
    assert "symbolic link" in reason
    with pytest.raises(CorruptFileError, match="symbolic link"):
        local.write(3, mode="overwrite")
    assert list_all(local.store, f"{other.root}_claims/") == before


def test_a_foreign_directory_in_staging_stops_no_vacuum(local: Table, tmp_path: Path):
    job = local.job(1)
    file = local.stage(job)
    foreign = tmp_path / "t" / "_staging" / job.id / "r" / "_staging" / Path(file.key).name
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"keep")
    report = vacuum(local.store, local.root, older_than_us=0, settings=NO_RETENTION)
    assert report.uploads == (local.root + file.key,)
    assert foreign.read_bytes() == b"keep"


@tries("a pipe in place of a document", "not opened")
@pytest.mark.parametrize("key", [record_key, intent_key])
def test_a_pipe_is_no_document(local: Table, key: Any):
    """To open a pipe waits until another process opens its other end."""
    dead, _ = local.dead_job(1)
    job = local.job(2)
    path = Path(local.root + key(job.id))
    local.intend(job)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    report = local.recover()
    assert report.rolled_back == (dead.id,)
    assert [failed for failed, _ in report.failed] == ([job.id] if key is record_key else [])


def test_a_root_may_be_a_link(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "t").symlink_to(tmp_path / "real")
    table = Table(open_store(f"{tmp_path}/", StoreOptions()), f"{tmp_path}/")
    job, path = table.dead_job(1)
    assert table.recover().rolled_back == (job.id,)
    assert table.store.head(path) is None


# --- damaged documents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("table", "name"), each_store(DAMAGED), indirect=["table"])
def test_a_damaged_intent_or_record_stops_no_other_job(table: Table, name: str):
    _, published = table.write(1)
    bad_intent, bad_record = table.job(2), table.job(3, "overwrite")
    dead, dead_path = table.dead_job(4)
    intent_path = table.intend(bad_intent)
    table.store.put(intent_path, DAMAGED[name])
    table.intend(bad_record)
    record_path = table.decide(bad_record)
    table.store.put(record_path, DAMAGED[name])
    for dry_run in (True, False):
        report = table.recover(dry_run=dry_run)
        assert report.rolled_back == (dead.id,)
        assert [job for job, _ in report.failed] == [bad_intent.id, bad_record.id]
        assert intent_path in report.failed[0][1]
        assert record_path in report.failed[1][1]
    assert table.store.head(dead_path) is None
    with pytest.raises(CorruptFileError, match=r"(?s)is not a document of a write job .* delete it if"):
        table.seen()
    table.store.remove(record_path)
    table.store.remove(table.root + intent_key(bad_record.id))
    assert published in table.seen()


@tries("documents of any size", "refused above a limit")
def test_documents_have_a_limit(table: Table, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pyspark_logs.jobs.documents.MAX_DOCUMENT_BYTES", 1000)
    job = table.job(1)
    path = table.intend(job)
    table.store.put(path, json.dumps({"x": "y" * 1000}).encode())
    dead, _ = table.dead_job(2)
    report = table.recover()
    assert report.rolled_back == (dead.id,)
    ((_, reason),) = report.failed
    assert f"{path} is larger than 1000 bytes" in reason
    table.store.remove(path)
    with pytest.raises(StoreError, match=r"intent .* is larger than 1000 bytes"):
        commit(table.store, table.job(3), [table.stage(table.job(3))] * 10, SETTINGS)


DAMAGED_CLAIMS = {
    **DAMAGED,
    "a number": b'{"job":1}',
    "another id": b'{"job":"x"}',
    "too large": b'{"job":"' + b"x" * 70_000 + b'"}',
    "of another chain": b"",
}


@pytest.mark.parametrize(("table", "name"), each_store(DAMAGED_CLAIMS), indirect=["table"])
def test_vacuum_leaves_the_chain_of_a_damaged_claim_alone(table: Table, name: str):
    job, _ = table.write(1, transaction=NAMED)
    overwrite, _ = table.write(2, mode="overwrite")
    plain, _ = table.write(3)
    claim = Claim(plain.id).to_json() if name == "of another chain" else DAMAGED_CLAIMS[name]
    path = table.root + claim_key(NAMED.chain, (2,))
    table.store.put(path, claim)
    report = vacuum(table.store, table.root, older_than_us=0, settings=NO_RETENTION)
    ((failed, reason),) = report.failed
    assert failed == path
    assert path in reason
    assert report.claims == ()
    assert report.records == (plain.id,)  # the overwrite holds the newest claim of its chain
    with pytest.raises(CorruptFileError, match="delete it if"):
        table.write(4, transaction=NAMED)
    overwrite_claim = table.root + claim_key("overwrite", (2,))
    table.store.put(overwrite_claim, b"nonsense")
    report = vacuum(table.store, table.root, older_than_us=0, settings=NO_RETENTION)
    assert [failed for failed, _ in report.failed] == [overwrite_claim, path]
    assert report.records == ()
    assert table.store.get(table.root + record_key(overwrite.id)) is not None
    assert table.store.get(table.root + record_key(job.id)) is not None
    with pytest.raises(CorruptFileError, match="delete it if"):
        table.write(5, mode="overwrite")


# --- reports ----------------------------------------------------------------------------------------------------------


def test_a_dry_run_names_every_file_that_goes(table: Table):
    _, replaced = table.write(1)
    dead, published = table.dead_job(2)
    stray = table.stage(dead, "p=3/")
    overwrite = table.job(3, "overwrite")
    table.intend(overwrite)
    head = table.store.head(f"{table.root}plain.log")
    of_job = Replaced(replaced.removeprefix(table.root), "other")  # deleted in any version
    table.decide(
        overwrite, Replaced("plain.log", head.etag), Replaced("p=1/gone.log", "e"), Replaced("p=1", "other"), of_job
    )

    def stored() -> set[str]:
        uploads = table.store.list_uploads(table.root).uploads
        files = {file.path for file in list_all(table.store, table.root) if "/_commits/" not in file.path}
        return files | {table.store.staged_path(upload.path, upload.upload_id) for upload in uploads}

    before = stored()
    dry = table.recover(dry_run=True)
    assert stored() == before
    report = table.recover()
    assert set(dry.files) == before - stored()
    assert set(report.files) >= set(dry.files)
    assert (dry.uploads, report.uploads) == (1, 1)
    assert {replaced, published, table.store.staged_path(table.root + stray.key, stray.upload_id)} <= set(dry.files)
    assert json.dumps(asdict(report))


# --- stores without create-only writes --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["append", "overwrite"])
@pytest.mark.parametrize("transaction", [None, NAMED])
def test_a_refused_job_leaves_nothing(s3: S3Bucket, mode: str, transaction: Transaction | None):
    server = FaultProxy(s3.endpoint)
    server.start()
    try:
        server.inject(then=DroppedHeader(name="If-None-Match"))
        store = open_store(s3.url + "/", replace(s3.options, endpoint=server.endpoint))
        table = Table(store, s3.url + "/")
        before = {file.path for file in list_all(store, table.root)}
        for number, settings in ((1, SETTINGS), (2, SETTINGS), (3, replace(SETTINGS, record_retention_us=10**12))):
            job = table.job(number, mode, transaction)
            file = table.stage(job)
            with pytest.raises(ReadOnlyStoreError, match="ignores If-None-Match"):
                commit(store, job, [file], settings)
            abort(store, job, [file], SETTINGS)
            assert {file.path for file in list_all(store, table.root)} == before
            assert store.list_uploads(table.root).uploads == ()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def quiet_connections():
    logger = logging.getLogger("botocore")
    level = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(level)
