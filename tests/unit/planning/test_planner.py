"""Plans, on stores in memory and on real stores."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from pyspark_logs.errors import PathNotFoundError
from pyspark_logs.layout import hive_layout
from pyspark_logs.options import StoreOptions
from pyspark_logs.planning import Plan, list_files, plan, resolve_layout
from pyspark_logs.store import open_store
from tests.support.key_store import KeyStore
from tests.support.plans import HOURLY, ROOT, hours, options
from tests.support.s3_server import S3Bucket


def test_plans_are_deterministic_and_picklable() -> None:
    keys = {**dict.fromkeys(hours("2026-01-01", 500, "team=web/%Y/%m/%d/%H/{n}.log"), 100), "team=db/big.log": 1000}
    read = options(maxPartitionBytes="300", openCostInBytes="1")

    def make(order: Callable[[list[str]], list[str]]) -> Plan:
        store = KeyStore.from_keys({key: keys[key] for key in order(list(keys))}, page_size=7)
        return plan(store, read, splittable=lambda path: path.endswith(".log"))

    one, other = make(list), make(lambda names: names[::-1])
    assert one == other
    assert pickle.loads(pickle.dumps(one)) == one
    assert one.layout.columns == ("team",)
    assert sum(task.bytes for task in one.tasks) == one.report.bytes_planned == 51_000
    (first, *_), *_ = (task.splits for task in one.tasks)
    assert dataclasses.asdict(first) == {
        "path": ROOT + "team=db/big.log",
        "start": 0,
        "length": 300,
        "size": 1000,
        "modified_ms": 1000,
        "etag": "e1000",
        "layout_start_us": None,
        "layout_end_us": None,
        "partition_values": ("db",),
    }
    assert all(
        split.length == 1000
        for task in plan(make_store(keys), read).tasks
        for split in task.splits
        if split.size == 1000
    )


def make_store(keys: dict[str, int]) -> KeyStore:
    return KeyStore.from_keys(keys)


def check_store(root: str, put: Callable[[str], object], store_options: dict[str, object]) -> None:
    for key in [
        *hours("2026-11-22T08:00", 6, "web/%Y/%m/%d/%H/{n}.gz"),
        "db/2026/11/22/10/a.log",
        "db/_tmp/x",
        "n.log",
    ]:
        put(key)
    (Path(root) / "empty").mkdir() if root.startswith("/") else None

    def files(path: str, **arguments: object) -> list[str]:
        read = options(path, **arguments, **store_options)
        store = open_store(path, read.store)
        listing = list_files(store, read, resolve_layout(store, read))
        # The report counts no request that was not made.
        assert store.request_counts["LIST"] >= listing.report.list_calls
        return [file.path.removeprefix(root + "/") for file, _ in listing.files]

    hour = {"startTime": "2026-11-22T10:00:00Z", "endTime": "2026-11-22T11:00:00Z", "layout": "{team}/" + HOURLY}
    assert files(root, **hour, layoutSlack="0s") == ["db/2026/11/22/10/a.log", "web/2026/11/22/10/0.gz"]
    assert files(root + "/web/", layout="{yyyy}/{MM}/{dd}/{HH}", startTime="2026-11-22T13:00:00Z") == [
        "web/2026/11/22/12/0.gz",
        "web/2026/11/22/13/0.gz",
    ]
    assert files(root + "/*/2026/11/22/1[0-1]/*.{gz,log}") == [
        "db/2026/11/22/10/a.log",
        "web/2026/11/22/10/0.gz",
        "web/2026/11/22/11/0.gz",
    ]
    assert files(root + "/n.log") == ["n.log"]
    assert files(root, layout="{team}/{yyyy}", endTime="2001-01-01T00:00:00Z") == []
    assert len(files(root)) == 8
    for missing in ("/nothing", "/nothing.log", "/w", "/*/nothing"):
        with pytest.raises(PathNotFoundError):
            files(root + missing)


def test_local_files(tmp_path: Path) -> None:
    def put(key: str) -> None:
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(b"x")

    check_store(str(tmp_path), put, {})
    read = options(str(tmp_path / "empty"))
    assert not list_files(open_store(str(tmp_path), StoreOptions()), read, hive_layout(())).files


def test_s3(s3: S3Bucket) -> None:
    store_options = {
        "endpoint": s3.endpoint,
        "region": s3.options.region,
        "accessKey": s3.options.access_key,
        "secretKey": s3.options.secret_key,
    }
    check_store(s3.url + "/logs", lambda key: s3.put("logs/" + key, b"x"), store_options)


def test_memory() -> None:
    import fsspec

    filesystem = fsspec.filesystem("memory")
    try:
        check_store("memory://plan", lambda key: filesystem.pipe_file("/plan/" + key, b"x"), {})
    finally:
        filesystem.rm("/plan", recursive=True)
