"""The suite of random faults, on S3 servers of other programs."""

from __future__ import annotations

import pytest

from tests.faults.test_faults import check, proxy
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import FAULTS
from tests.support.s3_server import S3Bucket

__all__ = ["proxy"]  # a fixture

QUICK = ("reset after", "duplicate")
KINDS = [pytest.param(kind, marks=[] if kind in QUICK else pytest.mark.slow) for kind in FAULTS]


@pytest.mark.parametrize("kind", KINDS)
def test_one_request_in_ten_fails(s3: S3Bucket, proxy: FaultProxy, kind: str) -> None:
    assert check(s3, proxy, kind, 0.1, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 4))
@pytest.mark.parametrize("kind", FAULTS)
def test_three_requests_in_ten_fail(s3: S3Bucket, proxy: FaultProxy, kind: str, seed: int) -> None:
    check(s3, proxy, kind, 0.3, seed)
