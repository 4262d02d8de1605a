"""Inference of the layout of Hive directories."""

from __future__ import annotations

import pytest

from pyspark_logs.errors import LayoutError
from pyspark_logs.layout import hive_layout
from pyspark_logs.planning import FileFilters, list_files, resolve_layout
from tests.support.key_store import KeyStore
from tests.support.plans import options


@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        (["a=1/b=2/x.log", "a=2/b=3/x.log"], ("a", "b")),
        (["a=1/x.log", "_SUCCESS", "_tmp/b=1/x", ".x/y"], ("a",)),
        (["a=1/x.log", "b=1/x.log"], ()),
        (["a=1/x.log", "Other/x.log"], ("a",)),
        (["a=1/x.log", "stray.log"], ("a",)),
        (["a=1/b=2/x.log", "a=1/x.log"], ("a", "b")),
        (["a=1/b=2/x.log", "b=1/x.log"], ()),
        (["a=1/a=2/x.log"], ("a",)),
        (["Team=1/Team=2/x.log"], ("Team",)),
        (["team=1/TEAM=2/x.log"], ("team",)),
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


def test_a_warning_names_directories_of_different_keys(caplog: pytest.LogCaptureFixture) -> None:
    assert resolve_layout(KeyStore.from_keys(["dt=1/x.log", "dt=2/x.log", "tmp=1/x.log"]), options()) == hive_layout(())
    (record,) = caplog.records
    assert "app/dt=1/ and s3://b/app/tmp=1/ beside each other have the keys 'dt' and 'tmp'" in record.getMessage()
    assert "layout='dt={dt}'" in record.getMessage()
    caplog.clear()
    resolve_layout(KeyStore.from_keys(["dt=1/dt=2/x.log", "other/x.log"]), options())
    assert not caplog.records


def test_hive_values_below_a_glob() -> None:
    store = KeyStore.from_keys(["d1/a=1/x.log", "d2/a=2/x.log"])
    listing = list_files(store, options("s3://b/app/d*"), resolve_layout(store, options("s3://b/app/d*")))
    assert [match.values for _, match in listing.files] == [("1",), ("2",)]


STRAYS = [
    "a=1/b=2/x",
    "a=1/b=3/x",
    "a=2/b=2/x",
    "a=__HIVE_DEFAULT_PARTITION__/b=2/x",
    "a=1/y",
    "a=1/c=1/x",
    "B/b=2/y",
    "z",
]


@pytest.mark.parametrize("allowed_a", [None, ["1"], [None], ["1", None], ["3"]])
@pytest.mark.parametrize("allowed_b", [None, ["2"], [None], ["3", None]])
@pytest.mark.parametrize("as_test", [False, True])
def test_files_beside_hive_directories_have_nulls(
    allowed_a: list[str | None] | None, allowed_b: list[str | None] | None, as_test: bool
) -> None:
    store = KeyStore.from_keys([*STRAYS, ".h/x"], page_size=2)
    layout = hive_layout(["a", "b"])
    wanted = {"a": allowed_a, "b": allowed_b}
    allowed = {name: values for name, values in wanted.items() if values is not None}
    tests = {name: (lambda value, values=values: value in values) for name, values in allowed.items()}
    listing = list_files(store, options(), layout, FileFilters(allowed=tests if as_test else allowed))
    values = {"a=1/y": ("1", None), "a=1/c=1/x": ("1", None), "B/b=2/y": (None, None), "z": (None, None)}
    values |= {"a=1/b=2/x": ("1", "2"), "a=1/b=3/x": ("1", "3"), "a=2/b=2/x": ("2", "2")}
    values["a=__HIVE_DEFAULT_PARTITION__/b=2/x"] = (None, "2")
    expected = {
        key: pair
        for key, pair in values.items()
        if (allowed_a is None or pair[0] in allowed_a) and (allowed_b is None or pair[1] in allowed_b)
    }
    assert {file.path.removeprefix("s3://b/app/"): match.values for file, match in listing.files} == expected
    assert listing.report.duplicates == 0


def test_a_malformed_layout_is_an_error() -> None:
    with pytest.raises(LayoutError):
        resolve_layout(KeyStore.from_keys([]), options(layout="{HH}"))
