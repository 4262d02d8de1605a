"""A short run of the soak test, and its table of resources."""

from __future__ import annotations

from pathlib import Path

from tests.soak.samples import MAX_GROWTH_DESCRIPTORS, Sample, Series, table
from tests.soak.soak import Plan, Soak
from tests.support.s3_server import S3Bucket


def test_a_few_seconds_with_two_kills(s3: S3Bucket, tmp_path: Path) -> None:
    """The full run is ``make soak``."""
    plan = Plan(seconds=3.0, kill_every_s=1.0, kills=2, steady=False, pause_s=0.2, sample_every_s=1.0)
    result = Soak(plan, s3, tmp_path).run()
    assert result.rows_in > 0
    assert set(result.rows_out.values()) == {result.rows_in}
    assert result.kills.total() == 2
    assert result.faults.total() > 0


def test_growth_is_measured_after_the_start() -> None:
    flat = Series("flat", samples=[Sample(50.0, 5, 1)] * 4 + [Sample(100.0, 20, 3)] * 16)
    assert flat.growth() == (0.0, 0.0)
    leaking = Series("leaking", samples=[Sample(100.0, 2 * number, 3) for number in range(20)])
    assert leaking.growth()[1] > MAX_GROWTH_DESCRIPTORS
    assert (flat.grows(), leaking.grows()) == (False, True)
    assert [line.split(" ")[0] for line in table([flat, leaking]).splitlines()] == ["process", "flat", "leaking"]
