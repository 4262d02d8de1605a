"""Reading with Spark: this source, the fastest built-in ways of Spark, and the upper bound of Python sources."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

import pyspark_logs
from benchmarks import data, timing
from benchmarks.ceiling import PrebuiltSource
from benchmarks.tuples import TupleSource
from pyspark_logs.options import parse_read_options
from pyspark_logs.schema_inference import infer_schema

OURS = "pyspark-logs"
TUPLES_MIB = 64
OPTIONS: dict[str, dict[str, str]] = {
    "app": {"template": data.APP},
    "mixed": {"template": data.APP},
    "combined": {"preset": "apache_combined"},
    "alb": {"preset": "aws_alb"},
    "json": {"json": "true"},
    "logfmt": {"logfmt": "true"},
    "wide": {"json": "true"},
}
THREE = {
    "app": ["ts", "level", "user"],
    "mixed": ["ts", "level", "user"],
    "combined": ["time", "status", "bytes"],
    "alb": ["time", "elb_status_code", "client_ip"],
    "json": ["timestamp", "level", "status"],
    "logfmt": ["ts", "level", "status"],
    "wide": ["timestamp", "level", "field_50"],
}
ALB_NAMES = [
    "type",
    "time",
    "elb",
    "client",
    "target",
    "request_processing_time",
    "target_processing_time",
    "response_processing_time",
    "elb_status_code",
    "target_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
    "target_group_arn",
    "trace_id",
    "domain_name",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
    "actions_executed",
    "redirect_url",
    "error_reason",
    "target_port_list",
    "target_status_code_list",
    "classification",
    "classification_reason",
]
ALB_TYPES = {"time": "timestamp", "request_creation_time": "timestamp", "elb_status_code": "int"} | {
    name: "double" for name in ALB_NAMES if name.endswith("_time") and name not in ("request_creation_time", "time")
}  # fmt: skip
# Types of the columns of JSON, which Spark's reader would otherwise infer by reading all files twice.
JSON_DDL = {
    "json": "timestamp timestamp, level string, service string, request_id string, user_id bigint, duration_ms double, status bigint,"
    " message string",
    "wide": ", ".join(
        ["timestamp timestamp", "level string", *(f"{name} {dtype}" for name, dtype in data.WIDE.items())]
    ).replace("varchar", "string"),
}
APP_PATTERN = r"^(\S+) (\w+) \[([^\]]+)\] req=(\S+) user=(\d+) (.*)$"
APP_COLUMNS = {
    "ts": (1, "timestamp"), "level": (2, "string"), "service": (3, "string"), "request_id": (4, "string"),
    "user": (5, "bigint"), "message": (6, "string"),
}  # fmt: skip


def session(**settings: str) -> Any:
    """Returns a session on two cores without the UI, with the recommended settings for all contenders, and further settings."""
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    # Workers import the source of the upper bound from the benchmarks.
    root = str(Path(__file__).parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]")
    for key, value in {**pyspark_logs.recommended_conf(), **settings}.items():
        builder = builder.config(key, value)
    spark = (
        builder.config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "4g")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    pyspark_logs.register(spark)
    spark.dataSource.register(PrebuiltSource)
    spark.dataSource.register(TupleSource)
    return spark


def noop(frame: Any) -> None:
    """Runs a query on all columns and discards its rows."""
    frame.write.format("noop").mode("overwrite").save()


def app_by_regexp(spark: Any, path: str, chosen: list[str] | None = None) -> Any:
    """Returns the frame of an application log that Spark divides by a regular expression."""
    return _regexp(spark, path, APP_PATTERN, APP_COLUMNS, chosen)


def _regexp(spark: Any, path: str, pattern: str, columns: dict[str, tuple[int, str]], chosen: list[str] | None) -> Any:
    from pyspark.sql import functions as f

    picked = []
    for name, (group, dtype) in columns.items():
        if chosen is None or name in chosen:
            text = f.regexp_extract("value", pattern, group)
            if dtype.startswith("clf"):
                column = f.to_timestamp(text, "dd/MMM/yyyy:HH:mm:ss Z")
            elif dtype != "string":
                column = text.try_cast(dtype)
            else:
                column = text
            picked.append(column.alias(name))
    return spark.read.text(path).select(*picked)


def _builtins(spark: Any, kind: str, folder: Path, chosen: list[str] | None) -> dict[str, Callable[[], None]]:
    """Returns Spark's built-in ways to read the format, each with the same types as this source."""
    path = str(folder)
    if kind in ("app", "mixed"):
        return {"text + regexp_extract": lambda: noop(app_by_regexp(spark, path, chosen))}
    if kind == "combined":
        pattern = r'^(\S+) (\S+) (\S+) \[([^\]]+)\] "([^"]*)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"'
        names = [
            "remote_host",
            "remote_logname",
            "remote_user",
            "time",
            "request",
            "status",
            "bytes",
            "referer",
            "user_agent",
        ]
        types = {"time": "clf", "status": "int", "bytes": "bigint"}
        columns = {name: (i + 1, types.get(name, "string")) for i, name in enumerate(names)}
        ddl = "remote_host string, remote_logname string, remote_user string, time string, zone string, request string, status int, bytes bigint, referer string, user_agent string"

        def csv() -> None:
            from pyspark.sql import functions as f

            frame = spark.read.schema(ddl).csv(path, sep=" ", nullValue="-", escape="\\")
            stamp = f.to_timestamp(f.concat_ws(" ", "time", "zone"), "'['dd/MMM/yyyy:HH:mm:ss Z']'")
            noop(frame.withColumn("time", stamp).select(*(chosen or names)))

        return {"text + regexp_extract": lambda: noop(_regexp(spark, path, pattern, columns, chosen)), "csv": csv}
    if kind == "alb":
        ddl = ", ".join(f"{name} {ALB_TYPES.get(name, 'string')}" for name in ALB_NAMES)
        wanted = None if chosen is None else ["client" if name == "client_ip" else name for name in chosen]
        return {
            "csv": lambda: noop(spark.read.schema(ddl).csv(path, sep=" ", nullValue="-").select(*(wanted or ALB_NAMES)))
        }
    ddl = JSON_DDL[kind]
    names = chosen or [part.split()[0] for part in ddl.split(", ")]
    return {"json": lambda: noop(spark.read.schema(ddl).json(path).select(*names))}


def _ddl(kind: str, folder: Path, chosen: list[str] | None) -> str:
    full = JSON_DDL.get(kind) or infer_schema(parse_read_options({"path": str(folder), **OPTIONS[kind]}))
    if chosen is None:
        return full
    parts = dict(part.split(" ", 1) for part in full.replace("`", "").split(", "))
    return ", ".join(f"{name} {parts[name]}" for name in chosen)


def _ceiling(
    spark: Any, kind: str, folder: Path, chosen: list[str] | None, scratch: Path
) -> tuple[Callable[[], None], int]:
    """Returns the run, and the number of bytes of text that its rows represent."""
    reader = pyspark_logs.scan(str(folder), schema=_ddl(kind, folder, chosen), **OPTIONS[kind])
    batch = reader.read_next_batch()
    file = scratch / f"{kind}-{0 if chosen is None else len(chosen)}.arrow"
    with pa.OSFile(str(file), "w") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    rows = sum(1 for path in folder.glob("part-0.log") for _ in path.open("rb"))
    size = data.total_bytes(folder)
    per_row = (folder / "part-0.log").stat().st_size / rows
    repeat = max(round(size / 2 / (batch.num_rows * per_row)), 1)
    source = spark.read.format("prebuilt").option("ddl", _ddl(kind, folder, chosen)).option("file", str(file))
    source = source.option("repeat", str(repeat)).option("tasks", "2")
    return (lambda: noop(source.load())), round(2 * repeat * batch.num_rows * per_row)


def run(spark: Any, root: Path, mib: int, rounds: int, kinds: list[str]) -> None:
    """Prints all tables of reading files with Spark."""
    with tempfile.TemporaryDirectory() as scratch:
        for kind in [kind for kind in kinds if kind != "logfmt"]:  # Spark has no reader of pairs
            folder = data.make(kind, root, mib)
            size = data.total_bytes(folder)
            for chosen in (None, THREE[kind]):
                ddl = _ddl(kind, folder, chosen)
                ours = spark.read.format("logs").options(**OPTIONS[kind]).schema(ddl)
                contenders: dict[str, Callable[[], object]] = {
                    OURS: lambda ours=ours, folder=folder: noop(ours.load(str(folder)))
                }
                contenders |= _builtins(spark, kind, folder, chosen)
                ceiling, ceiling_bytes = _ceiling(spark, kind, folder, chosen, Path(scratch))
                contenders["ceiling (prebuilt batches)"] = ceiling
                seconds = timing.in_turns(contenders, rounds)
                # The rows of the upper bound are whole batches, so their number differs: the time is scaled to the same text.
                name = "ceiling (prebuilt batches)"
                seconds[name] = [s * size / ceiling_bytes for s in seconds[name]]
                columns = "all columns" if chosen is None else f"three columns ({', '.join(chosen)})"
                print(
                    timing.table(f"{kind}: {columns}, to noop, local[2], {size >> 20} MiB", seconds, size, OURS),
                    flush=True,
                )
        if "app" in kinds:
            _pushdown(spark, data.make("app", root, mib), rounds)
            _tuples(spark, data.make("app", root, TUPLES_MIB), rounds)


def _tuples(spark: Any, folder: Path, rounds: int) -> None:
    """Compares with the usual way to write a Python source, on less text, because it takes the longest."""
    ours = spark.read.format("logs").options(**OPTIONS["app"]).schema(_ddl("app", folder, None))
    contenders = {
        OURS: lambda: noop(ours.load(str(folder))),
        "source of tuples": lambda: noop(spark.read.format("tuples").load(str(folder))),
    }
    seconds = timing.in_turns(contenders, rounds)
    size = data.total_bytes(folder)
    title = f"app: all columns, a Python source that yields tuples, to noop, local[2], {size >> 20} MiB"
    print(timing.table(title, seconds, size, OURS), flush=True)


def _pushdown(spark: Any, folder: Path, rounds: int) -> None:
    frame = spark.read.format("logs").options(**OPTIONS["app"])

    def query(pushed: str) -> None:
        noop(frame.option("filterPushdown", pushed).load(str(folder)).where("level = 'ERROR'"))

    contenders = {
        "pushed": lambda: query("true"),
        "not pushed": lambda: query("false"),
        "text + regexp_extract": lambda: noop(app_by_regexp(spark, str(folder)).where("level = 'ERROR'")),
    }
    seconds = timing.in_turns(contenders, rounds)
    size = data.total_bytes(folder)
    print(
        timing.table("app: where level = 'ERROR' (2% of the rows), all columns, to noop", seconds, size, "pushed"),
        flush=True,
    )
