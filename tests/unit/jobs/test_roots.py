"""The root above a load path."""

from __future__ import annotations

import pytest

from pyspark_logs.jobs import find_commit_root, holds_job_files, intent_key, part_name, record_key
from pyspark_logs.jobs.roots import parent_directories
from tests.protocol.store import ProtocolStore
from tests.support.job_ids import job_id

ROOT = "s3://b/t/"


def put_file(store, job, number=0):
    path = ROOT + "d/" + part_name(number, 0, job, 0, "gz")
    store.put(path, b"x")
    return path


def test_find_commit_root():
    store, job = ProtocolStore(), job_id(1)
    path = put_file(store, job)
    assert holds_job_files([path])
    assert find_commit_root(store, ROOT + "d/") is None
    store.put("s3://b/" + record_key(job), b"")
    assert find_commit_root(store, ROOT + "d/") == "s3://b/"
    store.put(ROOT + intent_key(job), b"")
    assert find_commit_root(store, ROOT + "d/") == ROOT
    assert find_commit_root(store, ROOT) == "s3://b/"
    assert find_commit_root(store, "s3://b/") is None


@pytest.mark.parametrize(
    ("path", "above"),
    [
        ("s3://b/", []),
        ("s3a://b/x/y/", ["s3a://b/x/", "s3a://b/"]),
        ("/logs/a/", ["/logs/", "/"]),
        ("memory://a/b/", ["memory://a/", "memory://"]),
        ("/", []),
    ],
)
def test_parent_directories(path, above):
    assert parent_directories(path) == above
