"""Job ids, keys and file names."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.jobs import Transaction, intent_key, job_of, new_job_id, part_name, record_key
from pyspark_logs.jobs.names import (
    chain_of,
    claim_key,
    created_us_of,
    is_job_id,
    mode_of,
    split_claim_key,
    split_document_key,
    tag_of,
)
from tests.support.job_ids import job_id

times = st.integers(0, 4_000_000_000_000_000)
modes = st.sampled_from(["append", "overwrite"])
chains = st.sampled_from(["", "txn-a", "txn-b", "query-a"])


@given(times, times, modes, modes, chains, chains)
def test_job_ids_sort_by_time_and_have_one_form(one, two, mode_one, mode_two, chain_one, chain_two):
    a, b = new_job_id(mode_one, one, b"a", chain_one), new_job_id(mode_two, two, b"b", chain_two)
    assert len(a) == len(b)
    assert set(a) <= set(string.digits + string.ascii_lowercase)
    assert a[-1] == mode_one[0]
    assert is_job_id(a)
    assert created_us_of(a) == one
    assert mode_of(a) == mode_one
    assert (tag_of(a) == tag_of(b)) == (chain_one == chain_two)
    if one != two:
        assert (a < b) == (one < two)


def test_equal_arguments_give_equal_job_ids():
    assert job_id(1) == job_id(1)
    assert new_job_id("append", 1, "seed") == new_job_id("append", 1, b"seed")
    assert new_job_id("append", 1, "seed") != new_job_id("append", 1, "seed2")


def test_a_record_is_followed_by_its_intent_in_key_order():
    ids = [job_id(number, mode) for number in range(3) for mode in ("append", "overwrite")]
    keys = sorted(key(job) for job in ids for key in (intent_key, record_key))
    assert keys == [key for job in sorted(ids) for key in (record_key(job), intent_key(job))]


def test_keys_are_parsed():
    job = job_id(1)
    assert split_document_key(record_key(job)) == (job, False)
    assert split_document_key(intent_key(job)) == (job, True)
    for other in ("_commits/x.json", record_key(job) + ".tmp", f"_commits/a/{job}.json", "", record_key(job)[:-1]):
        assert split_document_key(other) is None
    assert split_claim_key("_claims/query-a/12.3") == ("query-a", (12, 3))
    assert split_claim_key(claim_key("overwrite", (7,))) == ("overwrite", (7,))
    for other in ("_claims/7", "_claims/a/b", "_claims/a/1.", "_claims/a/1.2.3", "_claims/~clock-1", "_claims/a/b/1"):
        assert split_claim_key(other) is None


@given(
    st.integers(0, 200_000),
    st.integers(0, 2**63),
    st.integers(0, 10_000),
    st.sampled_from(["log.gz", "json", "", "a-b"]),
    chains,
)
def test_file_names_hold_the_job(task, attempt, number, extension, chain):
    job = job_id(1, "append", chain)
    name = part_name(task, attempt, job, number, extension)
    assert job_of(name) == job
    assert job_of(f"s3://b/part-x/{name}") == job
    assert job_of(name + "/part-0") is None


@pytest.mark.parametrize(
    "name",
    [
        "part-00000-0-x-0.gz",
        "part-00000-2c5ed5f4-1f1f-4b1e-8b42-3d5e6ad8e4aa-c000.snappy.parquet",
        "2026-11-24.log",
        "part-00000-0-" + job_id(1)[:-1] + "b-0.gz",
        "part-00000-0-" + job_id(1)[:-1] + "-0.gz",
        "part-00000-0-" + job_id(1),
        "x-part-00000-0-" + job_id(1) + "-0.gz",
        "",
    ],
)
def test_other_file_names_have_no_job(name):
    assert job_of(name) is None


@given(st.text(max_size=300), st.text(max_size=300))
def test_chain_names_are_safe_and_unique(one, two):
    name = chain_of("txn", one)
    assert set(name) <= set(string.ascii_letters + string.digits + "._-")
    assert len(name) <= 160
    assert (name == chain_of("txn", two)) == (one == two)
    assert split_claim_key(claim_key(name, (1,))) == (name, (1,))


def test_chain_names_keep_plain_ids():
    assert Transaction.of_id("2026-11-24") == Transaction("txn-2026-11-24")
    assert Transaction.of_batch("8c1f", 3) == Transaction("query-8c1f", 3)
    assert chain_of("txn", "x" * 200) != chain_of("txn", "x" * 201)
