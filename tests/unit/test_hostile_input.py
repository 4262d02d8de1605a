"""Input that an attacker controls: nesting without end, names that no expression expects, links, control characters."""

from __future__ import annotations

import contextlib
import gzip
import logging
import os
import pickle
import random
import re
import subprocess
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs import plan, recover, scan, write
from pyspark_logs.cli import main
from pyspark_logs.errors import FormatError, LogSourceError, OptionError, StoreError
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.layout import COLUMN, TEXT, TIME, Layout
from pyspark_logs.layout.notation import Segment, parse_segments
from pyspark_logs.options import StoreOptions
from pyspark_logs.planning.globs import Glob, split_glob
from pyspark_logs.store import open_store
from tests.fuzz.engines import write_values
from tests.support.trials import tries

DIGITS = "9" * 5000  # more than int() takes


def rows(path: Path, **options: Any) -> list[dict[str, Any]]:
    return scan(path, **options).read_all().to_pylist()


# --- nesting ------------------------------------------------------------------------------------------------


@tries("JSON of 600 to 980 levels", "read, or a corrupt row")
@pytest.mark.parametrize("depth", [600, 700, 980])
@pytest.mark.parametrize(("opening", "inner", "closing"), [("[", "", "]"), ('{"x":', "1", "}")])
def test_nested_json(tmp_path: Path, depth: int, opening: str, inner: str, closing: str) -> None:
    path = tmp_path / "a.log"
    path.write_text('{"a":1,"b":' + opening * depth + inner + closing * depth + "}\n")
    # The depth that Python's parser accepts depends on the stack of its caller.
    with contextlib.suppress(OptionError):
        assert len(rows(path, json=True)) == 1
    (row,) = rows(path, json=True, schema="a long, b string, r string", rescuedDataColumn="r")
    assert list(row) == ["a", "b", "r"]


@tries(
    "120 and 2,000 nested parentheses in `regex` and `grok`, groups in `template`, braces in globs, types in `schema`",
    "an error that names the limit",
)
@pytest.mark.parametrize("depth", [120, 2000])
@pytest.mark.parametrize(
    ("options", "before", "after", "error"),
    [
        ({"regex": "(?P<a>{}a{})"}, "(", ")", "nested deeper than 100"),
        ({"regex": "(?P<a>{}a{})"}, "(?:", ")", "nested deeper than 100"),
        ({"grok": "%{{WORD:a}}{}a{}"}, "(", ")", "nested deeper than 100"),
        ({"template": "{{m}}{}{{z}}{}"}, "{? ", " ?}", "nested deeper than 50"),
        ({"json": "true", "schema": "a {}int{}"}, "array<", ">", "nested deeper than 128"),
        ({"json": "true", "schema": "a {}int{}"}, "struct<x:", ">", "nested deeper than 128"),
        ({"template": "{{m}}", "pathGlobFilter": "{}x{}"}, "{", "}", "nested deeper than 50"),
    ],
)
def test_nested_descriptions(
    tmp_path: Path, options: dict[str, str], before: str, after: str, error: str, depth: int
) -> None:
    (tmp_path / "a.log").write_text("abc\n")
    nested = {name: text.format(before * depth, after * depth) for name, text in options.items()}
    if depth < int(error.rpartition(" ")[2]):
        assert len(rows(tmp_path, **nested)) == 1
        return
    with pytest.raises((FormatError, OptionError), match=error):
        rows(tmp_path, **nested)


@tries("numbers of 5,000 digits in options, types and `where`", "an error that names the option")
@pytest.mark.parametrize(
    "options",
    [
        {"template": "{a}", "maxRecordBytes": DIGITS}, {"template": "{a}", "maxInferredColumns": DIGITS},
        {"template": "{a}", "layoutSlack": f"{DIGITS}h"}, {"template": f"{{a:decimal({DIGITS},2)}}"},
        {"template": "{a}", "where": f"a = {DIGITS}"}, {"template": "{a:double}", "where": "a = 1E999999999BD"},
        {"logback": f"%{DIGITS}level %m%n"},
    ],
    ids="-".join,
)  # fmt: skip
def test_numbers_of_thousands_of_digits(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "a.log").write_text("x y\n")
    with pytest.raises(LogSourceError):
        scan(tmp_path, **options).read_all()


@tries("1,100 nested directories", "read")
def test_nested_directories(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=directory)
        below = os.open("d", os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = below
    file = os.open("a.log", os.O_WRONLY | os.O_CREAT, dir_fd=directory)
    os.write(file, b"abc\n")
    os.close(file)
    os.close(directory)
    try:
        assert rows(tmp_path, template="{m}") == [{"m": "abc"}]
    finally:  # pytest removes directories recursively
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)


# --- records ------------------------------------------------------------------------------------------------

_LONG_LINE = 40 << 20


@tries("a line of 40 MiB with `maxRecordBytes=64k`", "one corrupt row, in less than 20 MiB of memory")
@pytest.mark.parametrize(
    "options",
    [{"template": "{a} {b:int}"}, {"template": "{a} {b:int}", "multiLine": "^[a-z]"}, {"json": True}, {"logfmt": True},
     {"delimited": ","}, {"regex": "(?P<a>.*) (?P<b>.*)"}, {"preset": "cri"}],
    ids=str,
)  # fmt: skip
def test_a_line_that_does_not_end(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "a.log"
    with path.open("wb") as file:
        file.write(b"x")
        file.seek(_LONG_LINE)  # a hole, which costs neither time nor space
        file.write(b"y\n")
    columns = {} if "preset" in options else {"schema": "a string, b int"}
    if "regex" in options:
        columns = {}
    arguments = {**options, **columns, "maxRecordBytes": 64 << 10, "prefetchBytes": 0}
    rows(path, **arguments)  # imports
    tracemalloc.start()
    (row,) = rows(path, **arguments)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert set(row.values()) == {None}
    assert peak < 20 << 20


@tries(
    "NUL bytes, invalid UTF-8, surrogates in UTF-8 and in JSON escapes", "read; U+FFFD for invalid bytes and surrogates"
)
def test_bytes_that_are_no_characters(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"a\0b c\n\xff\xed\xa0\x80 d\n")
    assert rows(path, template="{a} {b}") == [{"a": "a\0b", "b": "c"}, {"a": "\ufffd" * 4, "b": "d"}]
    path.write_bytes(rb'{"a":"\ud800x\u0000","\udc00":"\ud83d\ude00"}')
    assert rows(path, json=True) == [{"a": "\ufffdx\0", "\ufffd": "\U0001f600"}]


@tries("a record of 20,000 keys", "read with a schema; without one, an error that names `maxInferredColumns`")
@pytest.mark.parametrize("kind", ["json", "logfmt"])
def test_many_keys(tmp_path: Path, kind: str) -> None:
    path, keys = tmp_path / "a.log", [f"k{number}" for number in range(20_000)]
    path.write_text(
        "{" + ",".join(f'"{key}":1' for key in keys) + "}" if kind == "json" else " ".join(f"{key}=1" for key in keys)
    )
    assert rows(path, **{kind: True}, schema="k7 int, x int") == [{"k7": 1, "x": None}]
    with pytest.raises(OptionError, match=r"20000 different keys.*more than maxInferredColumns=10000"):
        rows(path, **{kind: True})


@tries("expressions that are expensive by backtracking, in `regex`, `multiLine`, `where` and `enum`", "linear time")
@pytest.mark.parametrize(
    "options",
    [{"regex": "(?P<a>(a+)+)$"}, {"template": "{m}", "multiLine": "^(a+)+$"}, {"template": "{m}", "where": "m RLIKE '(a+)+$'"},
     {"template": "{m}", "where": "m LIKE '%a%a%a%a%a%a%a%b'"}, {"template": "{e:enum(a|aa|aaa)} {m}"}],
    ids=str,
)  # fmt: skip
def test_expressions_take_linear_time(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "a.log").write_text("a" * 20_000 + "!\n")
    assert len(rows(tmp_path, **options)) in (0, 1)  # backtracking would not return in the time of the test run


@tries("back-references and look-around in `regex` and `multiLine`", "an error: RE2 does not support them")
@pytest.mark.parametrize(
    "options", [{"regex": r"(?P<a>.)\1"}, {"regex": "(?P<a>(?=a)a)"}, {"template": "{m}", "multiLine": r"(a)\1"}]
)
def test_expressions_that_need_backtracking(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "a.log").write_text("aa\n")
    with pytest.raises(FormatError, match="RE2, which takes linear time"):
        rows(tmp_path, **options)


# --- written values -----------------------------------------------------------------------------------------

_VALUES = (
    "..", ".", "a/b", "/a", "a\nb", "\r", "%2F", "a%", "a=b", "a\x00b", "a\x1b[31mb", "_x", ".x", "a\\b", " ", "a ", "~", "a:b", "a*b",
    "{a}", "a?b", "#", "\u2028", "\x7f", "\x9b", "__HIVE_DEFAULT_PARTITION__", "é",
)  # fmt: skip


@tries(
    "partition values such as `..`, `/a`, a line end, `%2F`, `a=b`, an escape sequence",
    "a directory below the root; read back equal",
)
@pytest.mark.parametrize("layout", ["{team}", "team={team}", "x-{team}-y/{k}"])
def test_partition_values_are_no_paths(tmp_path: Path, layout: str) -> None:
    root, values = tmp_path / "root", {"team": list(_VALUES), "m": [str(index) for index in range(len(_VALUES))]}
    values |= {"k": list(reversed(_VALUES))} if "{k}" in layout else {}
    write(pa.table(values), root, template="{m}", layout=layout)
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
    found = sorted(rows(root, template="{m}", layout=layout), key=lambda row: int(row["m"]))
    assert {name: [row[name] for row in found] for name in values} == values
    names = {name for path in root.rglob("*") for name in path.relative_to(root).parts}
    assert not [name for name in names if re.search(r"[\x00-\x1f\x7f-\x9f]", name)]


_FORMATS = [
    "template={a} {b:quoted}", "template={a} [{b}]\nescape=backslash", "template={a}\ncommentPrefix=#", "template={a?} {b}",
    "json=true\nschema=a string, b string", "logfmt=true\nschema=a string, b string", "delimited=,\nschema=a string, b string",
    "delimited=\\t\nschema=a string, b string\nquote=", "delimited=;\nheader=first\nschema=a string, b string",
    *(
        pytest.param(f"preset={name}", marks=[] if index % 8 == 0 else pytest.mark.slow)
        for index, name in enumerate(PRESETS)
    ),
]  # fmt: skip


@tries(
    "values with line ends, quotes, separators and escapes, in each format and preset that is written",
    "one record that reads back equal, or refused",
)
@pytest.mark.parametrize("form", _FORMATS, ids=lambda form: form.replace("\n", " "))
def test_values_cannot_forge_records(form: str) -> None:
    values = [
        "a\nb",
        "a\r\n",
        '"',
        "\\",
        "a b",
        '","',
        "=",
        "#a",
        "-",
        "",
        "\0a",
        "\u2028",
        "]",
        "\ufeffa",
        'x"\n"y',
        "a",
    ]
    for start in range(0, len(values), 6):
        write_values(f"{form}\n\n".encode() + "\0".join(values[start:] + values[:start]).encode())


# --- names --------------------------------------------------------------------------------------------------


@tries("names of 4,000 characters for `{a}-{b}-{c}-{d}.log` and `*a*a*a*b`", "matched in linear time")
def test_names_that_are_expensive_to_match() -> None:
    dashes = "-" * 4000
    assert Layout.parse("{a}-{b}-{c}-{d}.{yyyy-MM-dd}.*").match(dashes) is None
    assert Layout.parse("{a}-{b}/*x*x*/{c}-{d}.{yyyy-MM-dd}.*").match(f"{dashes}/{'x' * 4000}/{dashes}") is None
    assert not Glob("*a*a*a*a*b").matches("a" * 4000)
    assert not Glob("{a,aa}" * 6 + "{*a,a*}*b").matches("a" * 4000)


@tries("braces of a glob that stand for 2<sup>40</sup> names", "an error that names the limit")
@pytest.mark.parametrize("glob", ["{a,b}" * 40, "{a/b,c}" * 40])
def test_globs_of_too_many_names(glob: str) -> None:
    with pytest.raises(OptionError, match="more than 10000 names"):
        split_glob(glob)


def test_segments_match_as_by_backtracking() -> None:
    """The shortest text of each column, from the left, as an expression of lazy quantifiers finds it."""

    def lazy(segment: Segment) -> str:
        regexes = {
            TEXT: lambda index: re.escape(segment.parts[index].value),
            TIME: lambda index: "([0-9]{1,2})" if segment.is_separated(index) else f"([0-9]{{{len(segment.parts[index].value)}}})",
            COLUMN: lambda _: "([^/]+?)",
        }  # fmt: skip
        return "".join(regexes.get(part.kind, lambda _: "[^/]*?")(index) for index, part in enumerate(segment.parts))

    choose, matched = random.Random(1), 0
    pieces = ["-", "a", "-a", "1", "{p}", "{q}-{r}", "*-", "{yyyy}", "{MM}", "{dd}"]
    for _ in range(400):
        try:
            (segment,) = parse_segments("".join(choose.sample(pieces, choose.randint(1, 6))))
        except LogSourceError:
            continue
        for _ in range(10):
            name = "".join(choose.choices("-a10", k=choose.randint(1, 14)))
            expected = re.fullmatch(lazy(segment), name)
            found = re.fullmatch(segment.regex, name)
            assert (found and found.groups()) == (expected and expected.groups()), (segment, name)
            matched += found is not None
    assert matched > 100


def test_globs_match_as_by_backtracking() -> None:
    choose, matched = random.Random(1), 0
    for _ in range(400):
        glob = "".join(
            choose.choices(["*", "?", "a", "b", "[ab]", "{a,bb}", "{a*,}", "{*b,a{,b}}"], k=choose.randint(1, 6))
        )
        regex = re.sub(r"[*?{},]", lambda m: {"*": ".*", "?": ".", "{": "(?:", "}": ")", ",": "|"}[m[0]], glob)
        compiled = Glob(glob)
        for _ in range(10):
            name = "".join(choose.choices("ab", k=choose.randint(0, 8)))
            assert compiled.matches(name) == (re.fullmatch(regex, name) is not None), (glob, name)
            matched += compiled.matches(name)
    assert matched > 100


@tries("names that are not UTF-8", "read; U+FFFD in `_metadata` and partition columns")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    directory = os.fsencode(tmp_path) + b"/team=caf\xe9/"
    Path(os.fsdecode(directory)).mkdir()
    Path(os.fsdecode(directory + b"\xff.log")).write_text("abc\n")
    (row,) = rows(tmp_path, template="{m}", metadata=True)
    assert row["team"] == "caf\ufffd"
    assert row["_metadata"]["file_name"] == "\ufffd.log"
    assert row["_metadata"]["file_path"].endswith("/team=caf\ufffd/\ufffd.log")


# --- links and permissions ----------------------------------------------------------------------------------


@tries(
    "links to themselves, to each other, to a directory above them, or without a target",
    "counted, and named in a warning",
)
def test_links_without_a_target(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.log").write_text("abc\n")
    (tmp_path / "broken.log").symlink_to("none.log")
    (tmp_path / "self.log").symlink_to("self.log")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    (tmp_path / "up").symlink_to(tmp_path)
    assert rows(tmp_path, template="{m}") == [{"m": "abc"}]
    page = open_store("/", StoreOptions()).list_page(f"{tmp_path}/", recursive=True)
    assert sorted(Path(path).name for path in page.skipped_links) == ["broken.log", "one", "self.log", "two", "up"]
    assert "5 symbolic links have no target or lead to a directory above them and are not read" in caplog.text


@tries("a directory without permission", "an error that names it")
def test_an_unreadable_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, scandir = tmp_path / "secret", os.scandir
    secret.mkdir()

    def refuse(path: str) -> Any:
        if Path(path) == secret:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(
        PermissionError, match=r"cannot list .*/secret: .*Permission denied.*Allow this user to read"
    ) as raised:
        rows(tmp_path, template="{m}")
    assert "s3:" not in str(raised.value)


@tries("a local file overwritten with its old modification time", "`SnapshotChangedError`")
def test_an_overwrite_with_the_old_modification_time(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("abc\n")
    status, store = path.stat(), open_store("/", StoreOptions())
    file = store.head(str(path))
    assert file is not None
    path.write_text("xyz\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(LogSourceError, match="changed after the query was planned"):
        list(store.read(str(path), etag=file.etag))


# --- output -------------------------------------------------------------------------------------------------


@tries("escape sequences in keys, values and names, printed by the commands", "escaped")
def test_control_characters_are_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text('{"a\\u001b[31m\\n": "\\u001b]0;x\\u0007"}\n' * 3)
    assert main(["detect", str(tmp_path / "a.log")]) == 0
    job = "0homif8zu6y915leycm5vvxb0000000000a"
    staged = tmp_path / "_staging" / job / "r" / f"part-00000-0-{job}-0.\x1b[2J\n.log"
    staged.parent.mkdir(parents=True)
    staged.write_text("")
    os.utime(staged, (0, 0))
    assert main(["vacuum", "--older-than", "0s", "--dry-run", str(tmp_path)]) == 0
    assert main(["recover", "--job", "a\x1b[31m", str(tmp_path)]) == 2
    assert main(["detect", str(tmp_path / "no\x1b")]) == 2
    printed = "".join(capsys.readouterr())
    assert "\\x1b[2J\\n.log" in printed
    assert "\x1b" not in printed


@tries("escape sequences and line ends in the text of an error", "escaped")
def test_errors_escape_control_characters(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as raised:
        rows(tmp_path / "no\x1b\x9b\nx", template="{m}")
    assert str(tmp_path / "no\\x1b\\x9b\\x0ax") in str(raised.value)


@tries("escape sequences and line ends in names of files and directories", "escaped in log records and `plan`")
def test_log_records_and_plans_escape_names(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "x\x1b0;\x9b\nWARNING forged"
    folder.mkdir()
    (folder / "a\r.log").write_text("broken\n")
    (folder / "b\x07.gz").write_bytes(gzip.compress(b"abc\n" * 50, mtime=0)[:-9])
    for key in ("c\x1b", "d\n"):
        (folder / f"{key}=v").mkdir()
        (folder / f"{key}=v" / "a.log").write_text("broken\n")
    with caplog.at_level(logging.DEBUG, "pyspark_logs"):
        rows(folder, template="{m} {n:int}", ignoreCorruptFiles=True)
        found = plan(folder, template="{m}", layout="{c}")
        recover(str(folder))
    messages = [record.getMessage() for record in caplog.records]
    assert len([message for message in messages if "x\\x1b0;\\x9b\\nWARNING forged" in message]) >= 3
    for text in (*messages, *repr(found).split("\n"), found._repr_html_().replace("\n", "")):
        assert text.isprintable(), text


def test_loggers_escape_names() -> None:
    """Each module takes its logger from ``terminal_text``."""
    source = Path(pyspark_logs.__file__).parent
    users = {path.name for path in source.rglob("*.py") if "logging.getLogger(" in path.read_text(encoding="utf-8")}
    assert users == {"terminal_text.py", "driver_logs.py"}  # the latter adds filters to the loggers of other packages


# --- credentials in paths -----------------------------------------------------------------------------------


@tries("a path with credentials", "refused; the message does not show them")
@pytest.mark.parametrize(
    "path",
    [
        "s3://AKIA:sEcReT@logs/app",
        "s3a://AKIA:sEc/ReT+1@logs/app",
        "S3N://AKIA:sEcReT@logs/",
        "sftp://me:sEcReT@host/x",
    ],
)
def test_credentials_in_paths_are_refused(path: str) -> None:
    calls: list[Any] = [
        lambda: scan(path, template="{m}"),
        lambda: scan([path, "s3://b/c"], template="{m}"),
        lambda: scan("s3://b/c", template="{m}", badRecordsPath=path),
        lambda: recover(path),
    ]
    for call in calls:
        with pytest.raises(OptionError, match=r"://\*\*\*@... contains credentials") as raised:
            call()
        shown = f"{raised.value!r} {raised.value.__cause__} {raised.value.__context__} {pickle.dumps(raised.value)!r}"
        assert "ReT" not in shown


@pytest.mark.parametrize(
    "path",
    ["abfs://logs@account.dfs.core.windows.net/app", "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/logs/a@b",
     "s3://logs/a:b@c", "hdfs://host:8020/a@b", "/var/log/a:b@c"],
)  # fmt: skip
def test_paths_without_credentials_are_allowed(path: str) -> None:
    from pyspark_logs.options import parse_read_options

    assert parse_read_options({"path": path, "template": "{m}"}).plan.paths == (path,)
