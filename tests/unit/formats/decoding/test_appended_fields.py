"""Fields after the last one of a format: counted, named in the log, and kept on request."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

import pyspark_logs
from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.presets import find_preset
from tests.support.records import scan_rows

SHORT = find_preset("aws_alb").sample[0]
ALB = f'{SHORT} "-" "-" "-" 10.0.0.9'


def rescued(path: Path, text: str, **options: Any) -> list[dict[str, str] | None]:
    (path / "a.log").write_text(text)
    rows = scan_rows(path, **{"rescuedDataColumn": "rest", "mode": "FAILFAST", **options})
    return [None if row["rest"] is None else dict(row["rest"]) for row in rows]


def test_fields_that_a_provider_appended_are_named_by_their_positions(tmp_path: Path) -> None:
    lines = [ALB, f'{ALB} "new one" 17', f"{ALB}  ", f'{ALB} "broken', SHORT]
    text = "".join(f"{line}\n" for line in lines)
    expected = [None, {"35": "new one", "36": "17"}, None, {"35": '"broken'}, None]
    assert rescued(tmp_path, text, preset="aws_alb") == expected
    assert rescued(tmp_path, text, preset="aws_alb", schema="elb string, rest map<string,string>, type string") == expected  # fmt: skip
    with pytest.raises(SchemaError, match=r"'rest' \(rescuedDataColumn\) .* declare it map<string,string>, not string"):
        rescued(tmp_path, text, preset="aws_alb", schema="elb string, rest string")


@pytest.mark.parametrize("preset", ["aws_nlb", "aws_elb_classic", "aws_s3_access"])
def test_every_preset_whose_provider_appends_fields(tmp_path: Path, preset: str) -> None:
    complete = find_preset(preset).sample[-1]
    found = rescued(tmp_path, f"{complete}\n{complete} new-1 new-2\n", preset=preset)
    assert found[0] is None
    assert found[1] is not None
    assert list(found[1].values()) == ["new-1", "new-2"]


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({"template": "{a} {b:int}"}, "a 1\nb 2 x \\y\nc 003 z\n", [None, {"3": "x", "4": "\\y"}, {"3": "z"}]),
        ({"template": "[{a}] {b}: {c:quoted}"}, '[x] y: "z" w\n[x] y: "\\"" w\n', [{"4": "w"}, {"4": "w"}]),
        ({"header": "first"}, 'id,n\n1,2\n3,4,5,"x,\ny"\n6,"7",8\n', [None, {"3": "5", "4": "x,\ny"}, {"3": "8"}]),
        ({"header": "first"}, 'id,n\n"a \\" b",4,5\n1,2,"x"y,z\n', [{"3": "5"}, {"3": '"x"y,z'}]),
        ({"schema": "rest map<string,string>, id int"}, "1\n2,\n3,x\n", [None, None, {"2": "x"}]),
    ],
)
def test_fields_of_other_formats(
    tmp_path: Path, options: dict[str, str], text: str, expected: list[dict[str, str] | None]
) -> None:
    kind = {} if "template" in options else {"delimited": ","}
    assert rescued(tmp_path, text, **kind, **options) == expected


@pytest.mark.parametrize("schema", ["rest map<string,string>", "id string, rest map<string,string>"])
@pytest.mark.parametrize("separator", [",", "||"])  # lines with a long separator and quotes are left to the line parser
def test_appended_values_do_not_depend_on_the_requested_columns(tmp_path: Path, separator: str, schema: str) -> None:
    text = 'id,n\n1,"2",x,y\n'.replace(",", separator)
    found = rescued(tmp_path, text, delimited=separator, header="first", schema=schema)
    assert found == [{"3": "x", "4": "y"}]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"template": "{a} {b:int}"}, "a 1\nb 2 x\nc 3\nd 4 y z\n"),
        ({"delimited": ",", "schema": "a string, b int"}, "a,1\nb,2,x\nc,3\nd,4,y,z\n"),
    ],
)
def test_appended_fields_are_counted_and_reported_once(
    tmp_path: Path, options: dict[str, str], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.log").write_text(text)
    for rescue, level in (({}, logging.WARNING), ({"rescuedDataColumn": "rest"}, logging.INFO)):
        caplog.clear()
        caplog.set_level(logging.INFO)
        summary = pyspark_logs.ScanSummary()
        given = {**options, **rescue}
        if rescue and "schema" in given:
            given["schema"] += ", rest map<string,string>"
        pyspark_logs.scan(str(tmp_path), summary=summary, allowTrailing=True, **given).read_all()
        assert (summary.appended, summary.corrupt) == (2, 0)
        messages = [record for record in caplog.records if "after the last one" in record.getMessage()]
        assert [record.levelno for record in messages] == [level]
        assert "2 of 4 records have fields after the last one of the format" in messages[0].getMessage()
        assert messages[0].getMessage().endswith("a.log at byte 4")
