"""Inference of the layout of Hive directories."""

from __future__ import annotations

import pytest

from pyspark_logs.errors import LayoutError
from pyspark_logs.layout import hive_layout
from pyspark_logs.planning import plan_files, resolve_layout
from tests.support.key_store import KeyStore
from tests.support.plans import options


@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        (["a=1/b=2/x.log", "a=2/b=3/x.log"], ("a", "b")),
        (["a=1/x.log", "_SUCCESS", "_tmp/b=1/x", ".x/y"], ("a",)),
        (["a=1/x.log", "b=1/x.log"], ()),
        (["a=1/x.log", "other/x.log"], ()),
        (["a=1/x.log", "stray.log"], ()),
        (["a=1/b=2/x.log", "a=1/x.log"], ("a",)),
        (["a=1/a=2/x.log"], ("a",)),
        (["a=/x.log"], ()),
        (["=1/x.log"], ()),
        (["yyyy=2026/MM=11/x.log"], ("yyyy", "MM")),
        (["x.log"], ()),
        ([], ()),
    ],
)
def test_hive_directories_are_recognised(keys: list[str], columns: tuple[str, ...]) -> None:
    layout = resolve_layout(KeyStore.from_keys(keys), options())
    assert layout == hive_layout(columns)


def test_hive_values_below_a_glob() -> None:
    store = KeyStore.from_keys(["d1/a=1/x.log", "d2/a=2/x.log"])
    files, _ = plan_files(store, options("s3://b/app/d*"), resolve_layout(store, options("s3://b/app/d*")))
    assert [match.values for _, match in files] == [("1",), ("2",)]


def test_a_malformed_layout_is_an_error() -> None:
    with pytest.raises(LayoutError):
        resolve_layout(KeyStore.from_keys([]), options(layout="{HH}"))
