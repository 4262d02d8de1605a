"""The snippets of the demo and the checks of their results."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from pyspark_logs.options import parse_read_options
from pyspark_logs.reader import LogReader
from pyspark_logs.schema_inference import infer_schema
from screen import WIDTH
from tour import Tour, TourStep, require

URL = "s3://acme-logs/"
HOUR = "2026-11-22T13"
SOME_FILE = "app/payments/2026/11/22/13/app-0.log"


def check_bucket(tour: Tour) -> Iterator[str]:
    """Checks the number of files of the sample."""
    for name, what in (("app", "an application's own format"), ("lb", "an AWS load balancer's")):
        files = tour.bucket.sample_files(f"{name}/")
        require(f"files in {name}/", len(files), tour.expected[name]["files"])
        size = sum(map(len, files.values()))
        yield f"{URL}{name + '/':4}  {len(files)} files  {size / 1000:3.0f} KB   {what}"
    yield f"\nSome lines of {SOME_FILE}:\n"
    lines = tour.bucket.files[SOME_FILE].decode().splitlines()
    yield from [line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in lines[1:4]]


def check_format(tour: Tour) -> Iterator[str]:
    """Checks that the detected template matches all records, and finds the level and the time of each."""
    found = tour.names["found"]
    require("share of the records that the detected format matches", found.share, 1.0)
    require(
        "columns that a guess finds",
        [name for name in ("ts", "level", "message") if name in found.columns],
        ["ts", "level", "message"],
    )
    yield "The names of the fields are guesses: copy the template, and change them."


def check_first_rows(tour: Tour) -> Iterator[str]:
    """Checks that every line is a row, lines that are no records included."""
    app = tour.expected["app"]
    rows = tour.names["logs"].count()
    require("rows of all application logs", rows, app["records"] + app["broken_lines"] + app["continuation_lines"])
    yield f"{rows:,} rows in all. The column `team` comes from the path."


def check_hour(tour: Tour) -> Iterator[str]:
    """Checks the figures of one hour, and the requests made for it."""
    bucket, names = tour.bucket, tour.names
    fetched, listings = bucket.fetched_keys(), bucket.list_requests()
    rows = names["by_service"].collect()
    require("records of the hour", sum(row.records for row in rows), tour.expected["app"]["hour"][HOUR])
    in_spark = {row.service: row.errors for row in rows}
    require("errors by service, by scan()", dict(names["errors_by_service"]), in_spark)

    options = parse_read_options({**names["app"], **names["one_hour"], "path": f"{URL}app"})
    report = LogReader(options, infer_schema(options)).plan().report
    require("objects fetched for the hour", len(fetched), report.files_planned)
    app = bucket.sample_files("app/")
    top, *folders = (prefix.removeprefix(URL) for prefix in report.prefixes_listed)
    yield f"listed   {top} for its teams, then"
    for start in range(0, len(folders), 2):
        yield "         " + "  ".join(f"{folder:27}" for folder in folders[start : start + 2]).rstrip()
    yield (
        f"planned  {report.files_planned} of {len(app)} files, {report.bytes_planned / 1000:.0f} of"
        f" {sum(map(len, app.values())) / 1000:.0f} KB: an hour more on each side,\n         as records come late"
    )
    yield f"counted  by the S3 server: {listings} LIST requests, {len(fetched)} objects fetched"


def check_bad_lines(tour: Tour) -> Iterator[str]:
    """Checks that the text at each reported offset is the reported text."""
    app = tour.expected["app"]
    rows = tour.names["bad"].select("raw", "_metadata.file_path", "_metadata.record_offset").collect()
    require("lines that do not match", len(rows), app["broken_lines"] + app["continuation_lines"])
    for row in rows:
        data = tour.bucket.files[row.file_path.removeprefix(URL)]
        text = gzip.decompress(data) if row.file_path.endswith(".gz") else data
        line = text[row.record_offset :].partition(b"\n")[0].decode()
        require(f"the line at byte {row.record_offset} of {row.file_path}", row.raw, line)
    yield (
        f"{len(rows)} lines did not match: {app['broken_lines']} broken ones, {app['continuation_lines']} of stack"
        " traces.\nEach was found again at its offset."
    )


def check_records(tour: Tour) -> Iterator[str]:
    """Checks that each record is one row, its stack trace included."""
    app = tour.expected["app"]
    counts = tour.names["whole"].selectExpr("count(*) AS rows", r"count_if(message LIKE '%\n%') AS traces").first()
    require("rows, a record each", counts.rows, app["records"])
    yield f"{app['records']:,} records are {counts.rows:,} rows; {counts.traces} of them have lines that go on."


def check_balancer(tour: Tour) -> Iterator[str]:
    """Checks that lines of all numbers of fields are read completely."""
    lb, alb = tour.expected["lb"], tour.names["alb"]
    status = {str(row.elb_status_code): row["count"] for row in alb.groupBy("elb_status_code").count().collect()}
    require("requests by status", status, lb["status"])
    row = alb.selectExpr("count(*) AS lines", "count(conn_trace_id) AS traced", "count(alb_node_ip) AS nodes").first()
    fields = {int(width): count for width, count in lb["fields"].items()}
    require("lines of the load balancer", row.lines, lb["records"])
    require("lines of 30 fields or more", row.traced, sum(count for width, count in fields.items() if width >= 30))
    require("lines of 34 fields", row.nodes, fields[34])
    widths = ", ".join(f"{count} of {width}" for width, count in fields.items())
    yield f"All {row.lines:,} lines were read, by their number of fields:\n{widths}."


def check_condition(tour: Tour) -> Iterator[str]:
    """Checks that the condition gives the rows of Spark's filter, from fewer objects."""
    names = tour.names
    fetched = len(tour.bucket.fetched_keys())
    rows = names["errors"].toArrow().sort_by("ts").to_pylist()
    tour.bucket.clear_requests()
    everything = names["find_errors"]("true").where(f"{names['is_error']} AND {names['in_hour']}")
    filtered_rows = everything.toArrow().sort_by("ts").to_pylist()
    fetched_for_filter = len(tour.bucket.fetched_keys())
    require("errors, by the condition", rows, filtered_rows)
    require("objects fetched for a filter of Spark", fetched_for_filter, tour.expected["app"]["files"])
    yield f"where            {len(rows)} rows from {fetched:2} objects"
    yield f"filter of Spark  {len(filtered_rows)} rows from {fetched_for_filter:2} objects, the same ones"


def check_scan(tour: Tour) -> Iterator[str]:
    """Checks the number of records of an hour without Spark."""
    table = tour.names["table"]
    records = table.num_rows - table["level"].null_count
    require("records of the hour, by scan()", records, tour.expected["app"]["hour"][HOUR])
    yield f"{tour.seconds:.2f} seconds. Step 5 compares the figures with those that Spark gives."


def check_write(tour: Tour) -> Iterator[str]:
    """Checks that the written rows read back, and that no file was published before all were staged and announced."""
    written, again = tour.names["errors"], tour.names["again"]
    require("rows that were written and not read back", written.exceptAll(again.select(*written.columns)).count(), 0)
    require("rows read back", again.count(), written.count())
    writes = tour.bucket.writes()
    require(
        "whether all was staged before a file was completed",
        _last_index(writes, "part") < writes.index("complete"),
        True,
    )
    require("whether it was announced before", writes.index("intent") < writes.index("complete"), True)
    require("whether it was decided last", _last_index(writes, "complete") < writes.index("record"), True)
    require("decisions", writes.count("record"), 1)
    yield "What the S3 server was asked, in this order:\n"
    sent = f"{writes.count('create')} uploads begun, {writes.count('part')} parts sent"
    yield f"  {sent:31}staged: not visible to readers"
    yield f"  {'1 intent':31}what is about to be published"
    completed = f"{writes.count('complete')} uploads completed"
    yield f"  {completed:31}the files are there; readers skip them"
    yield f"  {'1 record, create-only':31}the commit: readers see all of them"


def _last_index(items: list[str], wanted: str) -> int:
    return len(items) - 1 - items[::-1].index(wanted)


def check_crash(tour: Tour) -> Iterator[str]:
    """Checks that no row of a killed writer was visible, and that recovery removes its files and uploads."""
    names = tour.names
    teams_and_hours = 2 * 6
    require("rows seen of a job that died", (names["seen"], names["seen_by_scan"]), (0, 0))
    require("whether some of its files were there, and not all", 3 <= len(names["left"]) < teams_and_hours, True)
    require("jobs rolled back", len(names["report"].rolled_back), 1)
    require("files left after recover()", tour.bucket.data_files("copy/"), [])
    require("uploads left open after recover()", tour.bucket.open_uploads(), 0)
    yield f"It was to write {teams_and_hours} files. What it had written is gone, and its uploads."


def check_stream(tour: Tour) -> Iterator[str]:
    """Checks that the sink has each row of each file once."""
    names = tour.names
    keys = names["data_files"]("live/", ".log")
    rows = names["sink"].select("request_id").collect()
    require("files that landed", len(keys), 8)
    require("rows in the sink", len(rows), 100 * len(keys))
    require("different rows in the sink", len({row.request_id for row in rows}), 100 * len(keys))
    yield f"{len(keys)} files landed, {len(rows)} rows are in the sink, each once;\none file lay under an hour of yesterday."


# Before Spark has started.
FIRST_STEPS = (
    TourStep(
        "A bucket of logs",
        "They are invented: 28 hours of two teams' application, and of its load\nbalancer.",
        "",
        check_bucket,
    ),
    TourStep(
        "Find out the format",
        "detect() reads the beginning of some files by everything that they may be.",
        r"""
from pprint import pprint
import pyspark_logs

s3 = dict(
    endpoint="ENDPOINT",
    accessKey="demo", secretKey="demo-secret",
)
found = pyspark_logs.detect("s3://acme-logs/app", **s3)[0]
print(f"{found.share:.0%} of {found.records} records match by")
pprint(found.options)
""",
        check_format,
    ),
    TourStep(
        "Read an hour, without Spark",
        "The names of the template become columns. The layout says where time is in the\n"
        "path. scan() gives Arrow batches: for notebooks, DuckDB, Polars.",
        r"""
import collections
import pyarrow.compute as pc

app = dict(
    template="{ts:timestamp} {level} [{service}] req={request_id} "
             "user={user:long?} took={took_ms:double?}ms {message}",
    layout="{team}/{yyyy}/{MM}/{dd}/{HH}",
    **s3,
)
one_hour = dict(
    startTime="2026-11-22T13:00:00Z", endTime="2026-11-22T14:00:00Z"
)

table = pyspark_logs.scan("s3://acme-logs/app", **app, **one_hour).read_all()
errors = table.filter(pc.field("level") == "ERROR")
errors_by_service = collections.Counter(errors["service"].to_pylist())
for service, count in errors_by_service.most_common():
    print(f"{service:8} {count:3} errors")
""",
        check_scan,
    ),
)

SPARK_STEPS = (
    TourStep(
        "The same logs in Spark",
        "A line that does not match is a row of nulls, never lost silently; step 6 has\nmore about these.",
        r"""
pyspark_logs.register(spark)

logs = spark.read.format("logs").options(**app).load("s3://acme-logs/app")
logs.printSchema()
logs.select("ts", "level", "service", "user", "message").show(5, truncate=24)
""",
        check_first_rows,
    ),
    TourStep(
        "Ask for one hour: only its folders are listed, only their files read",
        "Rows outside the hour are dropped exactly.",
        r"""
hour = (
    spark.read.format("logs").options(**app, **one_hour)
    .load("s3://acme-logs/app")
)
by_service = spark.sql('''
    SELECT team, service, count(*) AS records,
           count_if(level = 'ERROR') AS errors,
           round(percentile(took_ms, 0.95), 1) AS p95_ms
    FROM {hour} WHERE service IS NOT NULL
    GROUP BY team, service ORDER BY errors DESC, service
''', hour=hour).cache()
by_service.show()
""",
        check_hour,
    ),
    TourStep(
        "See what did not match",
        "Ask for the text of such lines, and for where they are. If just a value is not\n"
        "of its type, the line's other columns stand, like the level below.",
        r"""
bad = (
    spark.read.format("logs").options(**app)
    .option("columnNameOfCorruptRecord", "raw").option("metadata", "true")
    .load("s3://acme-logs/app").where("raw IS NOT NULL").cache()
)
spark.sql('''
    SELECT substring_index(_metadata.file_path, '/', -2) AS file,
           _metadata.record_offset AS offset, level, raw
    FROM {bad} WHERE raw RLIKE '^20|^--|INFO'    -- leave out the stack traces
    ORDER BY _metadata.file_path, offset
''', bad=bad).show(8, truncate=44)
""",
        check_bad_lines,
    ),
    TourStep(
        "Keep stack traces with their records",
        "With multiLine, a line that does not match continues the record before it.",
        r"""
whole = (
    spark.read.format("logs").options(**app, multiLine=True)
    .load("s3://acme-logs/app").cache()
)
print(whole.where(r"message LIKE '%\n%'").orderBy("ts").first().message)
""",
        check_records,
    ),
    TourStep(
        "A format that ships: the access log of an AWS load balancer",
        "AWS has appended fields over the years; lines here have from 25 to 34. One\npreset reads all.",
        r"""
lb = dict(
    preset="aws_alb",
    layout="AWSLogs/{account}/elasticloadbalancing/{region}/{yyyy}/{MM}/{dd}",
    **s3,
)
alb = spark.read.format("logs").options(**lb).load("s3://acme-logs/lb")
alb.cache()
failed = alb.where("elb_status_code = 500").orderBy("time")
failed.select("time", "target_ip", "conn_trace_id").show(3, truncate=26)
statuses = alb.groupBy("target_ip").pivot("elb_status_code").count()
statuses.na.fill(0).orderBy("target_ip").show()
""",
        check_balancer,
    ),
    TourStep(
        "Conditions while reading",
        "With `where`, conditions on time and partitions choose the files, and those on\n"
        "fields drop rows before Spark sees them. A schema parses just its columns.",
        r"""
def find_errors(condition):
    return (
        spark.read.format("logs").options(**app, where=condition)
        .schema("ts timestamp, level string, team string, message string")
        .load("s3://acme-logs/app")
    )

is_error = "level = 'ERROR' AND team = 'search'"
in_hour = "ts >= '2026-11-22 13:00:00' AND ts < '2026-11-22 14:00:00'"
errors = find_errors(f"{is_error} AND {in_hour}")
errors.orderBy("ts").show(3, truncate=40)
""",
        check_condition,
    ),
    TourStep(
        "Write: all files of a job become visible at once, or none",
        "The options that read a format and a layout write them. Tasks stage uploads;\nthe driver commits.",
        r"""
errors = hour.where("level = 'ERROR'")
(
    errors.write.format("logs").options(**app)
    .mode("append").save("s3://acme-logs/errors")
)
again = spark.read.format("logs").options(**app).load("s3://acme-logs/errors")
again.groupBy("team").count().orderBy("team").show()
""",
        check_write,
    ),
    TourStep(
        "Kill a writer half-way, and recover",
        "A process without Spark copies the logs of six hours. SIGKILL hits it when three\nof its files are complete.",
        r"""
program = '''
import pyarrow.compute as pc, pyspark_logs
hours = dict(startTime="2026-11-22T00:00:00Z", endTime="2026-11-22T06:00:00Z")
rows = pyspark_logs.scan("s3://acme-logs/app", **app, **hours).read_all()
rows = rows.filter(pc.field("ts").is_valid())
pyspark_logs.write(rows, "s3://acme-logs/copy", commitThreads=1, **app)
'''
kill_after_files(3, program, app)

left = data_files("copy/")
copy = spark.read.format("logs").options(**app).load("s3://acme-logs/copy")
seen = copy.count()
seen_by_scan = pyspark_logs.dataset("s3://acme-logs/copy", **app).count_rows()
print(f"{len(left)} files are there")
print(f"{seen} rows are seen by Spark, {seen_by_scan} without it")

report = pyspark_logs.recover("s3://acme-logs/copy", older_than="0s", **s3)
print("rolled back:", *report.rolled_back)
print(len(data_files("copy/")), "files are there")
""",
        check_crash,
    ),
    TourStep(
        "Stream what lands, each file once",
        "A process puts files, one of them under an hour long over. The query is stopped\n"
        "in the middle, and goes on from its checkpoint.",
        r"""
def start_query():
    return (
        spark.readStream.format("logs").options(**app)
        .options(fullListingInterval="2s", maxFilesPerTrigger=2)
        .load("s3://acme-logs/live")
        .writeStream.format("logs")
        .options(**app, checkpointLocation=checkpoint)
        .start("s3://acme-logs/sink")
    )

with landing(8):
    query = start_query()
    watch(query, files=3)
    query.stop()
    print("  stopped; files keep landing")
    query = start_query()
    watch(query, files=8)
query.stop()
sink = spark.read.format("logs").options(**app).load("s3://acme-logs/sink")
""",
        check_stream,
    ),
)
