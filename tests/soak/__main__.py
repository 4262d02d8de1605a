"""``make soak``: a run of twenty minutes on SeaweedFS, with a table of the resources of all processes."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.soak.samples import MAX_GROWTH_DESCRIPTORS, MAX_GROWTH_MB, table
from tests.soak.soak import Plan, Soak
from tests.support.s3_server import S3Bucket, bucket_options
from tests.support.seaweedfs import seaweedfs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="duration (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of faults and kills (default: %(default)s)")
    given = parser.parse_args()
    plan = Plan(given.minutes * 60, seed=given.seed)
    with tempfile.TemporaryDirectory() as folder:
        data, work = Path(folder, "server"), Path(folder, "work")
        data.mkdir()
        work.mkdir()
        with seaweedfs(data) as endpoint:
            bucket = S3Bucket(endpoint, "soak", bucket_options(endpoint))
            bucket.create()
            result = Soak(plan, bucket, work).run()
    say = sys.stdout.write
    say(f"{given.minutes:g} minutes, {result.requests} requests, {result.faults.total()} of them with a fault: ")
    say(", ".join(f"{count} {name}" for name, count in sorted(result.faults.items())) + "\n")
    say(f"kills: {dict(result.kills)}; errors that were followed by a repetition: {dict(result.errors)}\n")
    say(f"rows in: {result.rows_in}; rows out: {result.rows_out}\n{table(result.series)}\n")
    growing = [series.name for series in result.series if series.grows()]
    if growing:
        say(f"grew by more than {MAX_GROWTH_MB:g} MB or {MAX_GROWTH_DESCRIPTORS} descriptors: {', '.join(growing)}\n")
    return 1 if growing else 0


if __name__ == "__main__":
    raise SystemExit(main())
