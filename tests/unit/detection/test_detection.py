"""Detection of formats, and the proposal of templates."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

import pyspark_logs
from pyspark_logs.detection.heads import FileHead, detect_encoding
from pyspark_logs.detection.proposal import propose_templates
from pyspark_logs.detection.ranking import GOOD_SHARE
from pyspark_logs.detection.trial_formats import general_formats
from pyspark_logs.errors import CorruptFileError, FormatError, OptionError, PathNotFoundError
from pyspark_logs.formats.presets import PRESETS
from tests.support.effort import extent
from tests.support.s3_server import S3Bucket

CORPUS = Path(__file__).parents[3] / ".." / "shared" / "corpus" / "loghub"

APP = [
    "2026-11-22 01:00:11,045 [main] user=17 INFO acme.Cart: order 1399 accepted",
    "2026-11-22 01:00:12,145 [worker-2] user=3 WARN acme.Cart: slow: 307 ms",
    "2026-11-22 01:00:13,245 [main] user=17 ERROR acme.billing.Invoice: no such order",
]

# Templates by the lines for which they are proposed.
UNKNOWN = {
    "{ts:timestamp} [{thread}] user={user:long} {level} {logger}: {message}": APP,
    "{ts:timestamp} {level} [{thread}] {logger}: {message}": [
        "2026-11-22 01:00:11,045 INFO [main] acme.Cart: order 1399 accepted",
        "2026-11-22 01:00:12,145 WARN [worker-2] acme.Cart: slow",
    ],
    "[{ts:timestamp(%d/%b/%Y:%H:%M:%S %z)}] {level} {message}": [
        "[22/Nov/2026:01:00:11 +0000] info a b",
        "[22/Nov/2026:01:00:12 +0000] error c d e",
    ],
    "{ts:timestamp} level={level} user={user:long?} took={took:double}ms path={path:quoted} {message}": [
        '2026-11-22T01:00:11Z level=info user=17 took=3.5ms path="/a b" done it',
        '2026-11-22T01:00:12Z level=warn user=- took=12ms path="/" and more',
    ],
    "{ts:timestamp(%b %d %H:%M:%S)} {host} {program}[{pid:long}]: {message}": [
        "Nov 22 01:00:11 web1 sshd[12]: Accepted key",
        "Nov  2 01:00:11 web2 cron[1234]: (root) CMD (run)",
    ],
    "{ts:timestamp(%Y%m%d-%H:%M:%S:%f)}|{field}|{number:long}|{message}": [
        "20261122-22:15:29:606|Step_A|30002312|start 3 x",
        "20261122-22:15:29:633|Step_Long|30002319|stop now",
    ],
    "{client_ip} {number:long?} {request:quoted} {status:long} {number_2:double}": [
        '10.0.0.1 17 "GET / HTTP/1.1" 200 0.125',
        '10.0.0.2 - "GET /b HTTP/1.1" 404 0.5',
        '10.0.0.2 3 "GET /b HTTP/1.1" 404 12.5',
    ],
    "{ts:epoch(s)} {level} {message}": ["1795305611 INFO started x", "1795305612.25 WARN stopped y z"],
    "{ts:epoch(ms)} {level} {message}": ["1795305611045 INFO started x", "1795305612046 WARN stopped y z"],
    "{ts:timestamp(%Y%m%dT%H%M%S%z)} {level} {message}": ["20261122T010011Z INFO a b", "20261122T010012Z INFO c d"],
    "{ts:timestamp(%Y%m%d %H%M%S)} {level} {message}": ["20261122 010011 INFO a b", "20261122 010012 INFO c d"],
    "{ts:timestamp(%Y%m%d)} {level} {message}": ["20261122 INFO a b", "20261122 WARN c d"],
    "{ts:date} {level} {message}": ["2026-11-22 INFO a b", "2026-11-22 WARN c d"],
    "ts={ts:epoch(s)} level={level} {message}": ["ts=1795305611.5 level=info a b", "ts=1795305612.0 level=warn c"],
    "{ts:timestamp(%Y-%m-%d %H:%M:%S %Z)}:{client_ip:ip}({port:long}):{source}: {message}": [
        "2026-08-22 16:00:01 UTC:192.0.2.7(48808):ana@shop:[10]:LOG: connection received",
        "2026-08-22 16:00:02 CEST:192.0.2.8(48809):ana@shop:[12]:FATAL: no such user",
    ],
    "{{{ts:timestamp}}} {message}": ["{2026-11-22T01:00:11Z} a b", "{2026-11-22T01:00:12Z} c"],
}


@pytest.mark.parametrize("template", UNKNOWN)
def test_proposed_template_of_unknown_lines(template: str, tmp_path: Path) -> None:
    assert propose_templates(UNKNOWN[template])[0] == template
    (tmp_path / "a.log").write_text("\n".join(UNKNOWN[template]) + "\n")
    rows = pyspark_logs.scan(str(tmp_path), template=template, mode="FAILFAST").read_all()
    assert rows.num_rows == len(UNKNOWN[template])


@pytest.mark.parametrize("share", [1, 60, 100])
def test_continuation_lines_do_not_change_the_proposal(share: int) -> None:
    assert propose_templates(APP * 20 + ["\tat acme.Cart.order(Cart.java:17)", "Caused by: x"] * share)[0] == next(
        iter(UNKNOWN)
    )


def test_records_of_several_lines(tmp_path: Path) -> None:
    trace = ["java.lang.IllegalStateException: no", "\tat acme.Cart.order(Cart.java:17)", "\t... 3 more"]
    (tmp_path / "a.log").write_text("\n".join([*APP, *trace] * 20))
    found = pyspark_logs.detect(tmp_path / "a.log")[0]
    assert found.options == {"template": next(iter(UNKNOWN)), "multiLine": "true"}
    assert (found.share, found.records) == (1, 60)
    rows = pyspark_logs.scan(str(tmp_path), **found.options).read_all().to_pylist()
    assert rows[2]["message"] == "\n".join(["no such order", *trace])


@pytest.mark.parametrize("head", ["2026-11-22 01:00:11", "2026-11-22 01:00:11 INFO", "2026-11-22 01:00:11 INFO [x]"])
def test_a_few_lines_that_end_after_a_field(head: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(99 * f"{head} a b c x\n" + f"{head}\n")
    assert pyspark_logs.detect(tmp_path / "a.log")[0].share >= 0.9


@pytest.mark.parametrize(
    "lines", [[], ["", "  "], ["no structure here", "whatever comes"], ["\x00\x01", "}{", '"'], ["Note: it is."]]
)
def test_unstructured_lines_have_no_template(lines: list[str]) -> None:
    assert propose_templates(lines) == []


@pytest.mark.parametrize("number", ["1795305611", "3763773211"])
def test_a_number_that_is_no_time_is_no_compact_date(number: str) -> None:
    lines = [f"{number} INFO a b", f"{number} WARN c"]
    assert not propose_templates(lines)[0].startswith("{ts:timestamp(%Y")


def test_a_time_and_any_text_is_no_syslog(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("2026-11-22T01:00:11Z\n")
    assert [found.options for found in pyspark_logs.detect(tmp_path / "a.log")] == [{"template": "{ts:timestamp}"}]


@pytest.mark.parametrize("unit", ['"', "[", "{", "=", ": ", "a.", "1", "-", "\\", "(<"])
def test_long_lines_are_handled_in_linear_time(unit: str) -> None:
    propose_templates([unit * 300_000] * 5)


@pytest.mark.parametrize("unit", ["x", "a.", "a=", '"', ","])
def test_general_formats_of_a_very_long_line(unit: str) -> None:
    """Binary files have such lines. The time is linear; it would be minutes otherwise."""
    assert all(described.get("json") is None for described in general_formats([unit * 2_000_000]))
    assert {"logfmt": "true"} in general_formats(["ts=1 level=info msg=" + unit * 2_000_000])


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the Loghub logs are not beside the project")
@pytest.mark.parametrize("system", ["Apache", "HDFS", "Hadoop", "OpenSSH", "Spark", "Zookeeper"])
def test_proposed_templates_of_real_logs(system: str) -> None:
    path = CORPUS / f"{system}_2k.log"
    proposed = next(one for one in pyspark_logs.detect(path) if "template" in one.options)
    assert proposed.share >= GOOD_SHARE
    rows = pyspark_logs.scan(str(path), **proposed.options, columnNameOfCorruptRecord="bad").read_all()
    assert rows["bad"].null_count >= GOOD_SHARE * rows.num_rows
    assert len(rows.column_names) >= 4, "a time, and more than a message"


# A detection tries all formats, which takes most of a second: `make test` runs a third of the presets.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (index % 3 > 0)) for index, name in enumerate(PRESETS)]
)
def test_each_preset_is_detected_in_its_sample(name: str, tmp_path: Path) -> None:
    (tmp_path / "sample").write_text("\n".join(PRESETS[name].sample) + "\n")
    found = pyspark_logs.detect(tmp_path / "sample")[0]
    assert found.options == {"preset": name}
    assert found.share == 1


COMBINED = '192.0.2.7 - - [22/Nov/2026:01:00:11 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"'
_TRACE = "803b448a0489f84084905d3093480352-3425f23bb2432450"
GIVEN = {
    '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 - "-" "-"': {"preset": "apache_combined"},
    '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 499 0 "-" "-"': {"preset": "nginx_combined"},
    COMBINED + ' "10.0.0.1"': {"preset": "nginx_combined"},
    COMBINED + " 0.005": {
        "nginx": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer"'
        ' "$http_user_agent" $request_time'
    },
    "2026-11-22 01:00:11.045  INFO 123 --- [           main] com.acme.CartApplication                 : Started": {
        "preset": "spring_boot"
    },
    **{
        f"2026-11-22T01:00:11.045+01:00  WARN 123 --- {values} c.acme.Cart                              : x y": {
            "preset": "spring_boot"
        }
        for values in (
            "[           main]",
            "[cart] [nio-8080-exec-1]",
            f"[nio-8080-exec-1] [{_TRACE}]",
            f"[cart] [           main] [{_TRACE}]",
        )
    },
    'time=2026-11-22T01:00:11Z level=info msg="a b" n=3': {"logfmt": "true"},
    "id,name,at\n1,a b,2026-11-22T01:00:11Z": {"delimited": ",", "header": "first"},
    '{"timestamp": "2026-11-22T01:00:11Z", "level": "info", "message": "like that of many presets"}': {"json": "true"},
}


@pytest.mark.parametrize("text", GIVEN)
def test_lines_of_servers_and_libraries(text: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text + "\n")
    assert pyspark_logs.detect(tmp_path / "a")[0].options == GIVEN[text]


# --- files ---


def test_a_compressed_file_in_a_directory(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.log.gz").write_bytes(gzip.compress("\n".join(APP * 5000).encode()))
    (tmp_path / "a.log").write_text("")
    found = pyspark_logs.detect(tmp_path)[0]
    assert found.options == {"template": next(iter(UNKNOWN))}
    assert 1000 < found.records < 5000, "the beginning is enough"
    assert (found.share, found.matched) == (1, found.records)
    assert found.columns == ["ts", "thread", "user", "level", "logger", "message"]


def test_json_lines(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text('{"a": 1}\n{"a": 2}\n')
    assert pyspark_logs.detect(tmp_path / "a.log")[0].options == {"json": "true"}


def test_a_header_is_preferred_to_a_template(tmp_path: Path) -> None:
    row = '2026-11-22T00:00:0{}Z,ERROR,"a, b"\n'
    (tmp_path / "a.csv").write_text("ts,level,message\n" + "".join(row.format(n % 10) for n in range(50)))
    found = pyspark_logs.detect(tmp_path / "a.csv")[0]
    assert (found.options, found.share) == ({"delimited": ",", "header": "first"}, 1)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_of_many_lines(indent: int | None, tmp_path: Path) -> None:
    records = json.loads(PRESETS["aws_cloudtrail"].sample[0])["Records"] * 300
    (tmp_path / "a.json").write_text(json.dumps({"Records": records}, indent=indent))
    found = pyspark_logs.detect(tmp_path / "a.json")[0]
    assert found.options == {"preset": "aws_cloudtrail"}
    assert found.matched >= found.records - 1 > 50, "only the last one may be cut off"


def test_encodings(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("\n".join(APP), encoding="utf-16")
    assert pyspark_logs.detect(tmp_path / "a.log", encoding="utf-16")[0].options == {"template": next(iter(UNKNOWN))}


def test_empty_missing_and_misused(tmp_path: Path) -> None:
    (tmp_path / "empty.log").write_text("")
    assert pyspark_logs.detect(tmp_path / "empty.log") == []
    with pytest.raises(PathNotFoundError, match=r"nowhere\.log"):
        pyspark_logs.detect(tmp_path / "nowhere.log")
    with pytest.raises(OptionError, match="'TEMPLATE' names a line format, which is what detect"):
        pyspark_logs.detect(tmp_path, TEMPLATE="{a}")


class TestSeveralFiles:
    """Directories: several files are read, and their paths give the layout."""

    def test_files_of_a_date_layout(self, tmp_path: Path) -> None:
        for day in range(1, 15):
            directory = tmp_path / f"web/2026/11/{day:02}"
            directory.mkdir(parents=True)
            (directory / "a.log").write_text("\n".join(APP) + "\n")
        best = pyspark_logs.detect(tmp_path)[0]
        assert best.options == {"template": next(iter(UNKNOWN)), "layout": "web/{yyyy}/{MM}/{dd}"}
        assert best.records == 8 * len(APP), "eight files are read"
        rows = pyspark_logs.scan(tmp_path, **best.options, startTime="2026-11-22", endTime="2026-11-23").read_all()
        assert rows.num_rows == 0, "the records of the 22nd are under other days: the layout selects directories"

    def test_the_layout_of_a_preset_is_preferred(self, tmp_path: Path) -> None:
        layout = "AWSLogs/123456789012/vpcflowlogs/eu-central-1/2026/11/22"
        (tmp_path / layout).mkdir(parents=True)
        (tmp_path / layout / "a.log").write_text("\n".join(PRESETS["aws_vpc_flow"].sample) + "\n")
        best = pyspark_logs.detect(tmp_path)[0]
        assert best.options == {"preset": "aws_vpc_flow", "layout": PRESETS["aws_vpc_flow"].layout}
        below = pyspark_logs.detect(tmp_path / "AWSLogs" / "123456789012")[0]
        assert below.options["layout"] == "vpcflowlogs/*/{yyyy}/{MM}/{dd}".replace("*", "eu-central-1")

    def test_a_given_layout_and_files_of_other_kinds(self, tmp_path: Path) -> None:
        (tmp_path / "dt=2026-11-22").mkdir()
        (tmp_path / "dt=2026-11-22" / "a.log").write_text("\n".join(APP))
        (tmp_path / "dt=2026-11-22" / "b.bin").write_bytes(b"PAR1" + bytes(500))
        (tmp_path / "dt=2026-11-22" / "c.log").write_text("no structure here\n" * 3)
        assert "layout" not in pyspark_logs.detect(tmp_path, layout="dt={yyyy-MM-dd}")[0].options
        best = pyspark_logs.detect(tmp_path)[0]
        assert best.options["layout"] == "dt={yyyy-MM-dd}"
        assert best.share < 1 or best.options.get("multiLine") == "true"

    def test_keys_of_a_bucket(self, s3: S3Bucket) -> None:
        for day in (22, 23):
            s3.put(f"app/dt=2026-11-{day}/hr=06/a.log.gz", gzip.compress("\n".join(APP).encode()))
        access = {"endpoint": s3.endpoint, "accessKey": "testing", "secretKey": "test-secret", "region": "us-east-1"}
        for path in (f"{s3.url}/app", f"{s3.url}/app/", f"{s3.url}/a*"):
            best = pyspark_logs.detect(path, **access)[0]
            assert best.options == {"template": next(iter(UNKNOWN)), "layout": "dt={yyyy-MM-dd}/hr={HH}"}
            assert best.records == 2 * len(APP)
            assert f'    "{path}",\n' in best.code("scan")
            rows = pyspark_logs.scan(path, **best.options, **access).read_all()
            assert rows.num_rows == 2 * len(APP)

    def test_damaged_files_are_left_out(self, tmp_path: Path) -> None:
        (tmp_path / "a.log.gz").write_bytes(gzip.compress(b"x\n" * 999)[:10])
        (tmp_path / "b.log").write_text("\n".join(APP))
        assert pyspark_logs.detect(tmp_path)[0].share == 1
        with pytest.raises(CorruptFileError):
            pyspark_logs.detect(tmp_path / "a.log.gz")


REPEATED = extent(bounded=600, full=3000)  # in two bytes a character, 600 are more than the part of a file that is read


class TestEncodings:
    """Encodings, and files that are not text."""

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "latin-1"])
    def test_encodings(self, tmp_path: Path, encoding: str) -> None:
        lines = [line.replace("order", "commande à payer") for line in APP]
        file = tmp_path / "app.log"
        file.write_bytes("".join(line + "\r\n" for line in lines * REPEATED).encode(encoding))
        given = {} if encoding in ("utf-16", "utf-32") else {"encoding": encoding}
        best = pyspark_logs.detect(file, **given)[0]
        assert best.matched == best.records
        assert best.options == {"template": next(iter(UNKNOWN)), **({} if given else {"encoding": encoding})}
        found = pyspark_logs.scan(file, **{**best.options, **given}, mode="FAILFAST").read_all()
        assert found.num_rows == REPEATED * len(APP)
        assert found["message"][0].as_py() == "commande à payer 1399 accepted"

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "latin-1", "windows-1252"])
    def test_encodings_without_a_mark(self, tmp_path: Path, encoding: str) -> None:
        dash = "\u2013" if encoding == "windows-1252" else "-"
        text = "".join(line.replace("order", f"à {dash} payer") + "\n" for line in APP)
        (tmp_path / "app.log").write_bytes((text * REPEATED).encode(encoding))
        best = pyspark_logs.detect(tmp_path / "app.log")[0]
        assert best.options == {"template": next(iter(UNKNOWN)), "encoding": encoding}
        rows = pyspark_logs.scan(tmp_path, **best.options, mode="FAILFAST").read_all()
        assert rows["message"][0].as_py() == f"à {dash} payer 1399 accepted"
        assert rows.num_rows == REPEATED * len(APP)

    @pytest.mark.parametrize("damage", ["déjà vu é".encode() + b"\xff", "日志文件 错误".encode("gbk"), b"ASCII"])
    def test_encodings_that_are_not_certain_are_not_named(self, damage: bytes) -> None:
        assert detect_encoding([FileHead("a.log", damage, 0)]) is None

    @pytest.mark.parametrize(
        "data",
        [
            bytes(range(256)) * 20,
            b"PAR1" + bytes(500),
        ],
        ids=["any bytes", "parquet"],
    )
    def test_binary_files_are_errors(self, tmp_path: Path, data: bytes) -> None:
        file = tmp_path / "app.log"
        file.write_bytes(data)
        with pytest.raises(
            FormatError, match=r"app\.log does not look like text: \d+ of the \d+ bytes .*encoding="
        ) as raised:
            pyspark_logs.detect(file)
        assert ("it begins like a Parquet file" in str(raised.value)) == data.startswith(b"PAR1")

    def test_compressed_files_without_a_suffix(self, tmp_path: Path) -> None:
        file = tmp_path / "app.log"
        file.write_bytes(gzip.compress("\n".join(APP).encode()))
        assert pyspark_logs.detect(file)[0].share == 1

    def test_a_few_control_characters_are_text(self, tmp_path: Path) -> None:
        file = tmp_path / "app.log"
        file.write_text("".join(f"\x1b[32m{line}\x1b[0m \0\n" for line in APP))
        assert pyspark_logs.detect(file)[0].share == 1


def test_keys_in_the_text_are_not_judged_by_their_values(tmp_path: Path) -> None:
    """The level of Kubernetes' audit events is Metadata or Request."""
    for name, lines in {
        "json": '{"level": "Metadata", "x_id": "%d"}',
        "logfmt": "level=Metadata x_id=%d",
        "header": "level,x_id,z\nMetadata,%d,1",
    }.items():
        (tmp_path / name).write_text("".join(lines % n + "\n" for n in range(20)))
        found = pyspark_logs.detect(tmp_path / name)
        assert found, name
        assert name in found[0].options, name


def test_a_zone_after_the_time_is_no_program_of_syslog(tmp_path: Path) -> None:
    """Amazon RDS writes the prefix ``%t:%r:%u@%d:[%p]:``."""
    line = "2026-08-22 16:00:{0:02} UTC:10.0.0.{0}(48808):u@d:[1{0}]:LOG:  duration: {0}.685 ms\n"
    (tmp_path / "a.log").write_text("".join(line.format(n) for n in range(20)))
    best = pyspark_logs.detect(tmp_path / "a.log")[0]
    assert best.options.get("preset") in (None, "postgres")
    rows = pyspark_logs.scan(str(tmp_path), **best.options).read_all().to_pylist()
    assert best.share == 1
    assert rows[3][best.columns[0]].second == 3


ROWS = [{"time": f"2026-11-22T01:00:{second:02}Z", "n": second, "tags": ["x"]} for second in range(6)]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("document", "options"),
    [
        ({"batch": 7, "result": {"rows": ROWS}}, {"json": "true", "recordsPath": "result.rows"}),
        ({"batch": 7, "message": "x" * 200, "few": [{"a": 1}]}, {"json": "true"}),
        (ROWS, {"json": "true"}),
    ],
)
def test_path_of_records_in_documents(
    tmp_path: Path, document: object, options: dict[str, str], indent: int | None
) -> None:
    (tmp_path / "a.json").write_text(json.dumps(document, indent=indent))
    assert pyspark_logs.detect(tmp_path / "a.json")[0].options == options


def test_values_of_two_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,ann\n2,bob\n")
    assert pyspark_logs.detect(tmp_path / "a.csv")[0].options == {"delimited": ",", "header": "first"}


def test_objects_of_other_keys_each_are_a_smaller_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of n lines adds a column, so that a table of all of them has n * n values."""
    monkeypatch.setattr("pyspark_logs.detection.samples._MAX_VALUES", 600)
    path = tmp_path / "a.json"
    path.write_text("".join(f'{{"k{n}": 1}}\n' for n in range(60)))
    found = pyspark_logs.detect(path)[0]
    assert found.options == {"json": "true"}
    assert (found.records, found.matched) == (9, 9)  # of 60 columns and that of corrupt records
