"""The command ``presets``."""

from __future__ import annotations

import json

import pytest

from pyspark_logs.cli import main
from pyspark_logs.formats.presets import PRESETS


def test_all_presets_are_listed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["preset", "written", "by"]
    assert [line.split()[0] for line in lines[1:]] == list(PRESETS)
    assert [line.split(maxsplit=1)[1] for line in lines[1:]] == [preset.about for preset in PRESETS.values()]
    assert main(["presets", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["presets"]
    assert [preset["name"] for preset in report] == list(PRESETS)
    assert report[0]["columns"][0] == {"name": "remote_host", "type": "string"}


def test_a_preset_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "aws_elb_classic"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("aws_elb_classic: AWS Classic Load Balancer: access log\n")
    assert "client_port" in output
    assert PRESETS["aws_elb_classic"].sample[0] in output
    assert "layout  AWSLogs/{account}/elasticloadbalancing/{region}/{yyyy}/{MM}/{dd}" in output
    assert PRESETS["aws_elb_classic"].source in output


def test_an_unknown_preset_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "aws_elb"]) == 2
    assert "did you mean 'aws_" in capsys.readouterr().err
