"""Logs of sixteen systems against header fields that were extracted manually (the Loghub collection).

The logs are not part of the project. Without a copy of them next to the repository, only the lines below are read, which are
invented in the form of each system's lines. See https://github.com/logpai/loghub; Jieming Zhu, Shilin
He, Pinjia He, Jinyang Liu, Michael R. Lyu: Loghub: A Large Collection of System Log Datasets for AI-driven Log
Analytics. ISSRE, 2023.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.formats.template.engine import TemplateEngine
from pyspark_logs.formats.template.notation import parse_template
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import FormatOptions, parse_read_options
from pyspark_logs.reader import LogReader
from pyspark_logs.records import find_lines
from tests.support.formats import compile_decoder, compile_encoder, format_schema

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "loghub"


class System(NamedTuple):
    """A template with the column names of Loghub, and a function that formats its field ``ts`` as Loghub does."""

    template: str
    time: Callable[[datetime], dict[str, str]] = lambda _: {}


def millis(time: datetime, mark: str = ",") -> str:
    return f"{time:%H:%M:%S}{mark}{time.microsecond // 1000:03}"


def syslog(time: datetime, day: str = "Date") -> dict[str, str]:
    return {"Month": f"{time:%b}", day: f"{time.day}", "Time": f"{time:%H:%M:%S}"}


SYSTEMS = {
    "Android": System(
        "{ts:timestamp(%m-%d %H:%M:%S.%f)}{~}{Pid:int}{~}{Tid:int} {Level} {Component}: {Content}",
        lambda time: {"Date": f"{time:%m-%d}", "Time": millis(time, ".")},
    ),
    "Apache": System(
        "[{ts:timestamp(%a %b %d %H:%M:%S %Y)}] [{Level}] {Content}",
        lambda time: {"Time": f"{time:%a %b %d %H:%M:%S %Y}"},
    ),
    "BGL": System(
        "{Label} {Timestamp:epoch(s)} {Date} {Node} {ts:timestamp(%Y-%m-%d-%H.%M.%S.%f)} {NodeRepeat} {Type}"
        " {Component} {Level} {Content}",
        lambda time: {"Time": f"{time:%Y-%m-%d-%H.%M.%S.%f}"},
    ),
    "HDFS": System(
        "{ts:timestamp(%y%m%d %H%M%S)} {Pid:int} {Level} {Component}: {Content}",
        lambda time: {"Date": f"{time:%y%m%d}", "Time": f"{time:%H%M%S}"},
    ),
    "HPC": System("{LogId:long} {Node} {Component} {State} {Time:epoch(s)} {Flag:int} {Content}"),
    "Hadoop": System(
        "{ts:timestamp} {Level} [{Process}] {Component}: {Content}",
        lambda time: {"Date": f"{time:%Y-%m-%d}", "Time": millis(time)},
    ),
    "HealthApp": System(
        "{ts:timestamp(%Y%m%d-%H:%M:%S:%L)}|{Component}|{Pid:int}|{Content}",
        lambda time: {
            "Time": f"{time:%Y%m%d}-{time.hour}:{time.minute}:{time.second}:{time.microsecond // 1000}",
        },
    ),
    "Linux": System("{ts:timestamp(%b %d %H:%M:%S)} {Level}{~}{Component}{?[{PID:int}]?}: {Content}", syslog),
    "Mac": System("{ts:timestamp(%b %d %H:%M:%S)} {User} {Component}[{PID:int}]{? ({Address})?}: {Content}", syslog),
    "OpenSSH": System(
        "{ts:timestamp(%b %d %H:%M:%S)} {Component} sshd[{Pid:int}]: {Content}",
        lambda time: {"Date": f"{time:%b}", "Day": f"{time.day}", "Time": f"{time:%H:%M:%S}"},
    ),
    "OpenStack": System(
        "{Logrecord} {ts:timestamp} {Pid:int} {Level} {Component} [{ADDR}] {Content}",
        lambda time: {"Date": f"{time:%Y-%m-%d}", "Time": millis(time, ".")},
    ),
    "Proxifier": System(
        "[{ts:timestamp(%m.%d %H:%M:%S)}] {Program} - {Content}",
        lambda time: {"Time": f"{time:%m.%d %H:%M:%S}"},
    ),
    "Spark": System(
        "{ts:timestamp(%y/%m/%d %H:%M:%S)} {Level} {Component}: {Content}",
        lambda time: {"Date": f"{time:%y/%m/%d}", "Time": f"{time:%H:%M:%S}"},
    ),
    "Thunderbird": System(
        "{Label} {Timestamp:epoch(s)} {Date} {User} {ts:timestamp(%b %d %H:%M:%S)} {Location} {Component}"
        "{?[{PID:int}]?}: {Content}",
        lambda time: syslog(time, "Day"),
    ),
    "Windows": System(
        "{ts:timestamp}, {Level}{~}{Component}{~}{Content}",
        lambda time: {"Date": f"{time:%Y-%m-%d}", "Time": f"{time:%H:%M:%S}"},
    ),
    "Zookeeper": System(
        "{ts:timestamp} - {Level}{~}[{Node}:{Component}@{Id:int}] - {Content}",
        lambda time: {"Date": f"{time:%Y-%m-%d}", "Time": millis(time)},
    ),
}
SIX = ["Apache", "HDFS", "Spark", "Zookeeper", "OpenSSH", "Hadoop"]
AVAILABLE = [name for name in SYSTEMS if (CORPUS / f"{name}_2k.log").is_file()]
corpus = pytest.mark.skipif(not AVAILABLE, reason="no copy of the Loghub logs")
systems = pytest.mark.parametrize("name", AVAILABLE or SIX)


def collapse_blanks(text: str) -> str:
    """Returns a text with runs of blanks collapsed, as in some of Loghub's values, and without blanks at its ends."""
    return re.sub(r"\s+", " ", text).strip()


def expected_rows(name: str) -> list[dict[str, str]]:
    with (CORPUS / f"{name}_2k.log_structured.csv").open(encoding="utf-8", newline="") as file:
        return [
            {key: value for key, value in row.items() if key not in ("LineId", "EventId", "EventTemplate")}
            for row in csv.DictReader(file)
        ]


def header(name: str, row: dict[str, Any]) -> dict[str, str]:
    """Returns a row in Loghub's notation: date and time apart, timestamps as seconds since 1970, null as an empty text."""
    found = {} if "ts" not in row else SYSTEMS[name].time(row["ts"])
    for key, value in row.items():
        if key != "ts":
            is_time = isinstance(value, datetime)
            found[key] = collapse_blanks("" if value is None else f"{value.timestamp():.0f}" if is_time else str(value))
    return found


@corpus
@systems
def test_header_fields_equal_those_of_loghub(name: str) -> None:
    system = SYSTEMS[name]
    path = CORPUS / f"{name}_2k.log"
    rows = (
        pyspark_logs.scan(str(path), template=system.template, columnNameOfCorruptRecord="bad").read_all().to_pylist()
    )
    expected_values = expected_rows(name)
    assert len(rows) == len(expected_values) == len(path.read_bytes().splitlines())
    for row, expected in zip(rows, expected_values, strict=True):
        assert row.pop("bad") is None
        assert header(name, row) == {key: collapse_blanks(value) for key, value in expected.items()}


@corpus
@pytest.mark.parametrize("name", SIX)
@pytest.mark.parametrize("judged", ["HDFS", "Zookeeper"])
@pytest.mark.parametrize("mode", ["PERMISSIVE", "DROPMALFORMED"])
def test_rows_and_bad_records_add_up_to_the_records(name: str, judged: str, mode: str) -> None:
    """Reads each log with its template and with those of other systems."""
    path = CORPUS / f"{name}_2k.log"
    options = parse_read_options({"path": str(path), "template": SYSTEMS[judged].template, "mode": mode})
    reader = LogReader(options, "ts timestamp, Component string, Content string")
    metrics = RecordMetrics()
    rows = sum(batch.num_rows for task in reader.plan().tasks for batch in reader.read_task(task, metrics))
    assert metrics.records == metrics.rows + metrics.dropped == len(path.read_bytes().splitlines())
    assert rows == metrics.rows
    assert metrics.corrupt == (0 if name == judged else metrics.records)
    assert metrics.dropped == (metrics.corrupt if mode == "DROPMALFORMED" else 0)


@corpus
@systems
def test_template_engine_parses_the_whole_log(name: str) -> None:
    assert_engine_parses(name, (CORPUS / f"{name}_2k.log").read_bytes())


def assert_engine_parses(name: str, data: bytes) -> None:
    options = FormatOptions("template", SYSTEMS[name].template)
    decoder = compile_decoder(options, format_schema(options) or pa.schema([]), judge_whole=True)
    chain = next(engine for engine in decoder.engines if isinstance(engine, TemplateEngine))
    lines = find_lines(data, 0)
    sure = chain.parse(lines.block, lines.starts, lines.ends, TimestampContext(year_bound_us=1_795_350_896_000_000))
    assert sure.rows is None


# --- invented lines in the form of each system ---

INVENTED: dict[str, list[tuple[str, dict[str, str]]]] = {
    "Android": [
        (
            "04-02 09:07:03.005   812   812 D LampService: setLamp: on=true, why=button",
            {"Date": "04-02", "Time": "09:07:03.005", "Pid": "812", "Tid": "812", "Level": "D",
             "Component": "LampService", "Content": "setLamp: on=true, why=button"},
        ),
        (
            "04-02 09:07:13.940 10244 31007 I TabletPanel: mOpen",
            {"Date": "04-02", "Time": "09:07:13.940", "Pid": "10244", "Tid": "31007", "Level": "I",
             "Component": "TabletPanel", "Content": "mOpen"},
        ),
        (
            "04-02 09:07:13.941     7 31007 E Keys: ",
            {"Date": "04-02", "Time": "09:07:13.941", "Pid": "7", "Tid": "31007", "Level": "E", "Component": "Keys",
             "Content": ""},
        ),
    ],
    "BGL": [
        (
            ("- 1130000042 2005.10.22 R11-M0-N2-C:J05-U01 2005-10-22-09.54.02.001234 R11-M0-N2-C:J05-U01 RAS KERNEL"
            " INFO 3 fan error(s) (dcr 0x01) seen, 12 seconds apart"),
            {"Label": "-", "Timestamp": "1130000042", "Date": "2005.10.22", "Node": "R11-M0-N2-C:J05-U01",
             "Time": "2005-10-22-09.54.02.001234", "NodeRepeat": "R11-M0-N2-C:J05-U01", "Type": "RAS",
             "Component": "KERNEL", "Level": "INFO", "Content": "3 fan error(s) (dcr 0x01) seen, 12 seconds apart"},
        ),
        (
            ("APPIO 1130000043 2005.10.22 UNKNOWN_PLACE 2005-10-22-09.54.03.500000 UNKNOWN_PLACE RAS APP FATAL ciod:"
            " cannot open /home/none: no such file"),
            {"Label": "APPIO", "Timestamp": "1130000043", "Date": "2005.10.22", "Node": "UNKNOWN_PLACE",
             "Time": "2005-10-22-09.54.03.500000", "NodeRepeat": "UNKNOWN_PLACE", "Type": "RAS", "Component": "APP",
             "Level": "FATAL", "Content": "ciod: cannot open /home/none: no such file"},
        ),
    ],
    "HPC": [
        (
            "2041 node-17 unix.hw net.link.down 1120000007 1 Link: node node-17 lost its line on 10.0.0.0 via ee1",
            {"LogId": "2041", "Node": "node-17", "Component": "unix.hw", "State": "net.link.down",
             "Time": "1120000007", "Flag": "1", "Content": "Link: node node-17 lost its line on 10.0.0.0 via ee1"},
        ),
        (
            "612345 gige2 gige temperature 1120000555 0 too warm",
            {"LogId": "612345", "Node": "gige2", "Component": "gige", "State": "temperature", "Time": "1120000555",
             "Flag": "0", "Content": "too warm"},
        ),
    ],
    "HealthApp": [
        (
            "20180102-23:59:58:606|Walk_Counter|20001234|onWalk 41",
            {"Time": "20180102-23:59:58:606", "Component": "Walk_Counter", "Pid": "20001234", "Content": "onWalk 41"},
        ),
        (
            "20180103-0:0:5:7|Walk_Store|20001234| total = 1##0|41",
            {"Time": "20180103-0:0:5:7", "Component": "Walk_Store", "Pid": "20001234", "Content": "total = 1##0|41"},
        ),
        (
            "20180103-0:10:5:74|Sync_|20001234|done",
            {"Time": "20180103-0:10:5:74", "Component": "Sync_", "Pid": "20001234", "Content": "done"},
        ),
    ],
    "Linux": [
        (
            "Mar  4 05:06:07 mill sshd(pam_unix)[2211]: check pass; user unknown",
            {"Month": "Mar", "Date": "4", "Time": "05:06:07", "Level": "mill", "Component": "sshd(pam_unix)",
             "PID": "2211", "Content": "check pass; user unknown"},
        ),
        (
            "Mar 14 05:06:08 mill logrotate: ALERT ended oddly with [1]",
            {"Month": "Mar", "Date": "14", "Time": "05:06:08", "Level": "mill", "Component": "logrotate", "PID": "",
             "Content": "ALERT ended oddly with [1]"},
        ),
        (
            "Mar 14 05:06:09 mill syslogd 1.4.1: restart.",
            {"Month": "Mar", "Date": "14", "Time": "05:06:09", "Level": "mill", "Component": "syslogd 1.4.1",
             "PID": "", "Content": "restart."},
        ),
        (
            "Mar 14 05:06:10 mill kernel: PCI: Using IRQ router XYZ [1234/56] at 0000:00:1f.0",
            {"Month": "Mar", "Date": "14", "Time": "05:06:10", "Level": "mill", "Component": "kernel", "PID": "",
             "Content": "PCI: Using IRQ router XYZ [1234/56] at 0000:00:1f.0"},
        ),
        (
            "Mar 14 05:06:11 mill  -- root[877]: ROOT LOGIN ON tty9",
            {"Month": "Mar", "Date": "14", "Time": "05:06:11", "Level": "mill", "Component": "-- root", "PID": "877",
             "Content": "ROOT LOGIN ON tty9"},
        ),
    ],
    "Mac": [
        (
            "Aug  9 10:11:12 visitor-10-0-0-9 kernel[0]: RADIO: 12.5: Wake[on] (0x0)::done",
            {"Month": "Aug", "Date": "9", "Time": "10:11:12", "User": "visitor-10-0-0-9", "Component": "kernel",
             "PID": "0", "Address": "", "Content": "RADIO: 12.5: Wake[on] (0x0)::done"},
        ),
        (
            "Aug 19 10:11:13 Annas-Book boxd[77] ([4321]): org.none.Book(4321) deny network-outbound",
            {"Month": "Aug", "Date": "19", "Time": "10:11:13", "User": "Annas-Book", "Component": "boxd", "PID": "77",
             "Address": "[4321]", "Content": "org.none.Book(4321) deny network-outbound"},
        ),
        (
            "Aug 19 10:11:14 Annas-Book org.none.launcher[1] (org.none.Web.AB-12[901]): Service ended: 1",
            {"Month": "Aug", "Date": "19", "Time": "10:11:14", "User": "Annas-Book", "Component": "org.none.launcher",
             "PID": "1", "Address": "org.none.Web.AB-12[901]", "Content": "Service ended: 1"},
        ),
    ],
    "OpenStack": [
        (
            ('nova-api.log.2018-02-03_04:05:06 2018-02-03 04:05:05.007 311 INFO nova.none.server [req-1a2b 33cc 44dd - - -]'
            ' 10.1.1.1 "GET /v2/x HTTP/1.1" status: 200'),
            {"Logrecord": "nova-api.log.2018-02-03_04:05:06", "Date": "2018-02-03", "Time": "04:05:05.007",
             "Pid": "311", "Level": "INFO", "Component": "nova.none.server", "ADDR": "req-1a2b 33cc 44dd - - -",
             "Content": '10.1.1.1 "GET /v2/x HTTP/1.1" status: 200'},
        ),
        (
            "nova-compute.log.1 2018-02-03 04:05:05.100 29 WARNING nova.none.manager [-] [instance: 9f] Gone",
            {"Logrecord": "nova-compute.log.1", "Date": "2018-02-03", "Time": "04:05:05.100", "Pid": "29",
             "Level": "WARNING", "Component": "nova.none.manager", "ADDR": "-", "Content": "[instance: 9f] Gone"},
        ),
    ],
    "Proxifier": [
        (
            "[02.03 04:05:06] mail.exe - mail.none.org:443 close, 0 bytes sent, 12 bytes received, lifetime <1 sec",
            {"Time": "02.03 04:05:06", "Program": "mail.exe",
             "Content": "mail.none.org:443 close, 0 bytes sent, 12 bytes received, lifetime <1 sec"},
        ),
        (
            "[02.03 04:05:07] chrome.exe *64 - a.none.org:80 error : no way through proxy p.none.org:5070 - code 503",
            {"Time": "02.03 04:05:07", "Program": "chrome.exe *64",
             "Content": "a.none.org:80 error : no way through proxy p.none.org:5070 - code 503"},
        ),
    ],
    "Thunderbird": [
        (
            "- 1132000000 2005.11.14 an12 Nov 14 12:26:40 an12/an12 crond(pam_unix)[2915]: session closed for user x",
            {"Label": "-", "Timestamp": "1132000000", "Date": "2005.11.14", "User": "an12", "Month": "Nov",
             "Day": "14", "Time": "12:26:40", "Location": "an12/an12", "Component": "crond(pam_unix)", "PID": "2915",
             "Content": "session closed for user x"},
        ),
        (
            "VAPI 1132000001 2005.11.14 bird-sm2 Nov 4 12:26:41 src@bird-sm2 kernel: [KERNEL_IB][sweep]: failed",
            {"Label": "VAPI", "Timestamp": "1132000001", "Date": "2005.11.14", "User": "bird-sm2", "Month": "Nov",
             "Day": "4", "Time": "12:26:41", "Location": "src@bird-sm2", "Component": "kernel", "PID": "",
             "Content": "[KERNEL_IB][sweep]: failed"},
        ),
        (
            "- 1132000002 2005.11.14 bird-ad Nov 14 12:26:42 local@bird-ad /apps/x/sbin/gmetad[16]: no [B7] source",
            {"Label": "-", "Timestamp": "1132000002", "Date": "2005.11.14", "User": "bird-ad", "Month": "Nov",
             "Day": "14", "Time": "12:26:42", "Location": "local@bird-ad", "Component": "/apps/x/sbin/gmetad",
             "PID": "16", "Content": "no [B7] source"},
        ),
    ],
    "Windows": [
        (
            "2017-05-06 07:08:09, Info                  CBS    Session: 1_2 opened by client Update, twice.",
            {"Date": "2017-05-06", "Time": "07:08:09", "Level": "Info", "Component": "CBS",
             "Content": "Session: 1_2 opened by client Update, twice."},
        ),
        (
            "2017-05-06 07:08:10, Warning               CSI    00000001@2017/5/6:05:08:10.111 Starting (x) = y",
            {"Date": "2017-05-06", "Time": "07:08:10", "Level": "Warning", "Component": "CSI",
             "Content": "00000001@2017/5/6:05:08:10.111 Starting (x) = y"},
        ),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", INVENTED)
def test_invented_lines_are_read(name: str, tmp_path: Path) -> None:
    template = SYSTEMS[name].template
    (tmp_path / "x.log").write_text("".join(f"{line}\n" for line, _ in INVENTED[name]))
    table = pyspark_logs.scan(str(tmp_path), template=template, columnNameOfCorruptRecord="bad").read_all()
    assert table["bad"].null_count == len(table)
    assert [header(name, row) for row in table.drop_columns("bad").to_pylist()] == [one for _, one in INVENTED[name]]


@pytest.mark.parametrize("name", INVENTED)
def test_template_engine_parses_invented_lines(name: str) -> None:
    assert_engine_parses(name, "".join(f"{line}\n" for line, _ in 20 * INVENTED[name]).encode())


@pytest.mark.parametrize("name", INVENTED)
def test_invented_lines_are_written_and_read_back(name: str) -> None:
    options = FormatOptions("template", SYSTEMS[name].template)
    schema = format_schema(options)
    assert schema is not None
    context = TimestampContext(year_bound_us=1_795_350_896_000_000)
    data = "".join(f"{line}\n" for line, _ in INVENTED[name]).encode()
    decoder, encoder = compile_decoder(options, schema), compile_encoder(options, schema)
    batch = pa.RecordBatch.from_arrays(decoder.decode(find_lines(data, 0), context).columns, schema=schema)
    again = decoder.decode(find_lines(bytes(encoder.to_bytes(encoder.encode(batch))), 0), context)
    assert again.corrupt is None
    assert again.columns == batch.columns


def test_documentation_has_the_templates() -> None:
    page = (Path(__file__).parents[2] / "docs" / "systems.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^([A-Za-z]+) +([{\[].*)$", page, re.MULTILINE))
    assert list(shown) == list(SYSTEMS)
    for name, template in shown.items():
        types = [field.type for field in parse_template(SYSTEMS[name].template).fields]
        assert [field.type for field in parse_template(template).fields] == types
