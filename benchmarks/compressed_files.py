"""Compressed files against plain files, and scans with several threads."""

from __future__ import annotations

import functools
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks import data, scans, timing
from benchmarks.spark_reads import OPTIONS, OURS, THREE, app_by_regexp, noop


def compressed(folder: Path) -> dict[str, Path]:
    """Returns directories with the files of another one, compressed by gzip at level 6 and by zstd."""
    codecs: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
        "gzip": (".gz", functools.partial(gzip.compress, compresslevel=6, mtime=0)),
        "zstd": (".zst", functools.partial(pa.compress, codec="zstd", asbytes=True)),
    }
    folders = {}
    for name, (suffix, compress) in codecs.items():
        target = folders[name] = folder.with_name(f"{folder.name}-{name}")
        if not (target / "_done").exists():
            target.mkdir(exist_ok=True)
            for path in sorted(folder.glob("*.log")):
                (target / f"{path.name}{suffix}").write_bytes(compress(path.read_bytes()))
            (target / "_done").touch()
    return folders


def run(root: Path, mib: int, rounds: int) -> None:
    """Prints the tables of ``scan()`` with one thread and with two."""
    folder = data.make("app", root, mib)
    size = data.total_bytes(folder)
    folders = {"plain": folder, **compressed(folder)}
    for columns in (None, THREE["app"]):
        schema = {} if columns is None else {"schema": _ddl(columns)}
        contenders: dict[str, Callable[[], object]] = {
            f"{name}, threads={threads}": lambda path=path, threads=threads, schema=schema: scans.count_rows(
                str(path), threads=threads, **OPTIONS["app"], **schema
            )
            for name, path in folders.items()
            for threads in (1, 2)
        }
        shown = "all columns" if columns is None else "three columns"
        for seconds, unit in zip(timing.by_both_clocks(contenders, rounds), timing.CLOCKS, strict=True):
            title = f"app: {shown}, local files, {size >> 20} MiB, {unit}"
            print(timing.table(title, seconds, size, "plain, threads=1"), flush=True)


def _ddl(columns: list[str]) -> str:
    types = {"ts": "timestamp", "user": "bigint"}
    return ", ".join(f"{name} {types.get(name, 'string')}" for name in columns)


def with_spark(spark: Any, root: Path, mib: int, rounds: int) -> None:
    """Prints the table of reading with Spark."""
    folder = data.make("app", root, mib)
    ours = spark.read.format("logs").options(**OPTIONS["app"])
    folders = {"plain": folder, **compressed(folder)}
    contenders: dict[str, Callable[[], object]] = {
        f"{OURS}, {name}": lambda path=path: noop(ours.load(str(path))) for name, path in folders.items()
    }
    contenders["text + regexp_extract, gzip"] = lambda: noop(app_by_regexp(spark, str(folders["gzip"])))
    size = data.total_bytes(folder)
    title = f"app: all columns of compressed files, to noop, local[2], {size >> 20} MiB of text"
    print(timing.table(title, timing.in_turns(contenders, rounds), size, f"{OURS}, gzip"), flush=True)
