"""Tables for a terminal."""

from __future__ import annotations

import datetime as dt

import pytest

from pyspark_logs.rendering.text_table import table


@pytest.mark.parametrize("width", [20, 40, 60, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    rows = [{"a": "x" * 100, "b": 1, "c": None, "d": "日本" * 20, "e\n": "\t"}]
    for line in table(rows, list(rows[0]), width):
        assert sum(2 if "日" <= c <= "本" else 1 for c in line) <= width


def test_columns_without_values_are_omitted_first() -> None:
    rows = [{"a": None, "b": 1, "c": None, "message": "started in two seconds"}]
    assert table(rows, list(rows[0]), 80) == ["   a  b     c  message", "NULL  1  NULL  started in two seconds"]
    assert table(rows, list(rows[0]), 33) == ["b  message                 (+2)", "1  started in two seconds"]


def test_times_and_numbers_are_not_cut() -> None:
    at = dt.datetime(2026, 11, 22, 1, 0, 11, 45_000, tzinfo=dt.timezone.utc)
    rows = [{"ts": at, "took": 12_345_678.25, "message": "a message of more than a few words"}]
    assert table(rows, list(rows[0]), 50) == [
        "ts                              took  message", "2026-11-22 01:00:11.045  12345678.25  a message o…",
    ]  # fmt: skip
    assert table(rows, ["ts"], 12) == ["ts", "2026-11-22 …"]


def test_ids_are_not_cut() -> None:
    rows = [{"job": "0homzy7duwywjxdz99uvw72q0000000000a", "state": "committed", "mode": "append"}]
    assert table(rows, list(rows[0]), 44)[1].split() == ["0homzy7duwyw…q0000000000a", "committed", "append"]
    assert table(rows, list(rows[0]), 44, whole=["job"])[1].split() == [rows[0]["job"]]


def test_texts_without_spaces_keep_their_ends() -> None:
    rows = [
        {
            "file": "22/123456789012_elasticloadbalancing_us-east-1_app.log.gz",
            "日": "日本日本日本日本日本日本日本日本日本日本日本",
        }
    ]
    assert table(rows, ["file"], 24)[1] == "22/123456789…_app.log.gz"
    assert table(rows, ["日"], 24)[1] == "日本日本日本…本日本日本"
