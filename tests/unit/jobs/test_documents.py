"""Jobs, and the JSON of their documents."""

from __future__ import annotations

import gzip
import json
import pickle
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.errors import CorruptFileError, OptionError
from pyspark_logs.jobs import Claim, Intent, Job, Record, Replaced, StagedFile, StagedUpload, Transaction, documents
from pyspark_logs.jobs.document_compression import expanded_size
from tests.support.job_ids import job_id

ROOT = "s3://b/t/"
times = st.integers(0, 4_000_000_000_000_000)
modes = st.sampled_from(["append", "overwrite"])
chains = st.sampled_from(["", "txn-a", "txn-b", "query-a"])


def test_chains_of_jobs():
    plain = Job.start(ROOT, random="r", now_us=5)
    assert (plain.chains, plain.chain, plain.created_us, plain.staging) == ((), "", 5, f"{ROOT}_staging/{plain.id}")
    both = Job.start(ROOT, random="r", now_us=5, mode="overwrite", transaction=Transaction.of_id("x"))
    assert both.chains == ("txn-x", "overwrite")
    assert pickle.loads(pickle.dumps(both)) == both


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"id": "x"}, "not a job id"),
        ({"id": job_id(1), "mode": "overwrite"}, "not made for mode 'overwrite'"),
        ({"id": job_id(1), "transaction": Transaction.of_id("x")}, "chain 'txn-x'"),
        ({"id": job_id(1), "root": "s3://b/t"}, "must end in a slash"),
    ],
)
def test_job_ids_must_fit_the_job(arguments, text):
    with pytest.raises(OptionError, match=text):
        Job(**{"root": ROOT, **arguments})


transactions = st.one_of(st.none(), st.builds(Transaction, st.text(), st.one_of(st.none(), st.integers(0, 2**60))))
uploads = st.builds(StagedUpload, st.text(), st.text())
intents = st.builds(Intent, times, modes, transactions, st.lists(uploads, max_size=3).map(tuple))
records = st.one_of(
    st.just(Record("aborted")),
    st.builds(
        Record,
        st.just("committed"),
        st.lists(st.builds(Replaced, st.text(), st.text()), max_size=3).map(tuple),
        st.lists(st.text(), max_size=2).map(tuple),
    ),
)


@given(st.one_of(intents, records, st.builds(Claim, st.just(job_id(1)), st.booleans())))
def test_documents_round_trip(document):
    data = document.to_json()
    assert type(document).from_json(data, "p") == document
    assert data.isascii()


def test_json_of_documents():
    assert json.loads(Record("aborted").to_json()) == {"state": "aborted"}
    assert json.loads(Record("committed").to_json()) == {"state": "committed", "replaces": []}
    assert json.loads(Record("committed", (Replaced("a", "e"),)).to_json()) == {
        "state": "committed",
        "replaces": [{"key": "a", "etag": "e"}],
    }
    assert json.loads(Record("committed", (), ("txn-x/1",)).to_json()) == {
        "state": "committed",
        "replaces": [],
        "claims": ["txn-x/1"],
    }
    assert json.loads(Claim("j").to_json()) == {"job": "j"}
    assert json.loads(Claim("j", committed=True).to_json()) == {"job": "j", "state": "committed"}
    intent = Intent(1, "append", Transaction("query-a", 2), (StagedFile("k", "u", ("p",), 3, 4),))
    assert json.loads(intent.to_json()) == {
        "version": 1,
        "created": 1,
        "mode": "append",
        "transaction": {"chain": "query-a", "batch": 2},
        "files": [{"key": "k", "upload_id": "u"}],
    }


def test_intents_of_earlier_builds_are_read():
    data = (
        b'{"version":1,"created":1,"mode":"append","transaction":null,'
        b'"files":[{"key":"k","upload_id":"u","parts":["p"],"size":3,"rows":4}]}'
    )
    assert Intent.from_json(data, "p") == Intent(1, "append", None, (StagedUpload("k", "u"),))


def large_intent(count: int = 1000) -> Intent:
    return Intent(1, "append", None, tuple(StagedUpload(f"p=1/{n:0100}", f"u{n}") for n in range(count)))


def test_large_documents_are_compressed():
    record = Record("committed", tuple(Replaced(f"{n:0100}", "e") for n in range(1000)))
    for document in (large_intent(), record):
        data = document.to_json()
        assert data.startswith(b"\x1f\x8b")
        assert data == document.to_json()
        assert type(document).from_json(data, "p") == document
        assert expanded_size(data) == len(gzip.decompress(data))
        assert len(data) < expanded_size(data) / 4


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:-1], "truncated gzip data"),
        (lambda data: data[:20], "truncated gzip data"),
        (lambda data: data + b"x", "bytes after the gzip data"),
        (lambda data: data + data, "bytes after the gzip data"),
        (lambda data: data[:100] + b"\0\0\0\0" + data[104:], "damaged gzip data|truncated|JSON|codec"),
        (lambda data: data[:2], "truncated gzip data"),
    ],
)
def test_damaged_compressed_documents_are_errors(damage, reason):
    with pytest.raises(CorruptFileError, match=reason):
        Intent.from_json(damage(large_intent().to_json()), "p")


@pytest.mark.parametrize("kind", [Record, Intent, Claim])
def test_compressed_documents_expand_within_the_limit(kind, monkeypatch):
    monkeypatch.setattr(documents, "MAX_DOCUMENT_BYTES", 1 << 20)
    limit = documents.MAX_CLAIM_BYTES if kind is Claim else 1 << 20
    bomb = gzip.compress(b'{"state":"committed","x":"' + b" " * (16 << 20) + b'"}')
    tracemalloc.start()
    with pytest.raises(CorruptFileError, match=f"more than {limit} bytes after decompression"):
        kind.from_json(bomb, "p")
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("kind", [Record, Intent, Claim])
def test_compressed_documents_are_as_shallow_as_others(kind):
    with pytest.raises(CorruptFileError, match="is not a document"):
        kind.from_json(gzip.compress(b"[" * 60_000), "p")


@pytest.mark.parametrize("kind", [Record, Intent, Claim])
@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b"{}", b"null", b'{"state":"maybe"}', b'{"job":"x"}', b'{"job":1}']
)
def test_malformed_documents_are_errors(kind, data):
    with pytest.raises(CorruptFileError, match=r"s3://b/x is not a document of a write job"):
        kind.from_json(data, "s3://b/x")


@pytest.mark.parametrize("kind", [Record, Intent, Claim])
def test_later_versions_are_refused(kind):
    with pytest.raises(CorruptFileError, match=r"s3://b/x has version 2; .* Upgrade"):
        kind.from_json(b'{"version":2,"state":"aborted","job":"x"}', "s3://b/x")
