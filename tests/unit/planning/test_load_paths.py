"""Load paths: directories, files and globs."""

from __future__ import annotations

import pytest

from pyspark_logs.errors import OptionError, PathNotFoundError
from pyspark_logs.layout import Layout, LayoutMatch
from pyspark_logs.planning import FileFilters, Window, list_files
from tests.support.key_store import KeyStore
from tests.support.plans import COMMIT_LISTS, HOURLY, ROOT, YEAR, options, run, us

TREE = ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "_hidden/x.log", "top.log", "noext", "b2/c"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("s3://b/app", ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "b2/c", "noext", "top.log"]),
        ("s3://b/app/", ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "b2/c", "noext", "top.log"]),
        ("s3://b", ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "b2/c", "noext", "top.log"]),
        ("s3://b/app/a*", ["a1/x.log", "a2/x.log", "a2/y.gz"]),
        ("s3://b/app/a[2-9]", ["a2/x.log", "a2/y.gz"]),
        ("s3://b/app/a[^2]/", ["a1/x.log"]),
        ("s3://b/app/?2/*.gz", ["a2/y.gz"]),
        ("s3://b/app/{a1,b1/c}", ["a1/x.log", "b1/c/x.log"]),
        ("s3://b/app/{a{1,2},b1}/x.log", ["a1/x.log", "a2/x.log"]),
        ("s3://b/*/a1", ["a1/x.log"]),
        ("s3://b/app/*", ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "b2/c", "noext", "top.log"]),
        ("s3://b/app/*/", ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "b2/c"]),
        ("s3://b/app/b*/c", ["b1/c/x.log", "b2/c"]),
        ("s3://b/app/*.log", ["top.log"]),
        ("s3://b/app/_hidden", ["_hidden/x.log"]),
        ("s3://b/app/_h*", ["_hidden/x.log"]),
        ("s3://b/app/top.log", ["top.log"]),
        ("s3://b/app/noext", ["noext"]),
        ("s3://b/app/a\\1", ["a1/x.log"]),
        (["s3://b/app/a1", "s3://b/app/a2"], ["a1/x.log", "a2/x.log", "a2/y.gz"]),
        (["s3://b/app/a*", "s3://b/app/a2", "s3://b/app/a2/y.gz"], ["a1/x.log", "a2/x.log", "a2/y.gz"]),
    ],
)
@pytest.mark.parametrize("page_size", [1, 1000])
def test_load_paths(path: str | list[str], found: list[str], page_size: int) -> None:
    store = KeyStore.from_keys(TREE, page_size=page_size)
    assert run(store, path)[0] == found


def test_overlapping_paths_are_counted_as_duplicates() -> None:
    _, report = run(KeyStore.from_keys(TREE), ["s3://b/app/a2", "s3://b/app/a*", "s3://b/app/a2/y.gz"])
    assert (report.duplicates, report.files_planned, report.files_listed) == (3, 3, 6)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("s3://b/nothing", "there is no such file or directory"),
        ("s3://b/ap", "there is no such file or directory"),
        ("s3://b/app/nothing.log", "there is no such file or directory"),
        ("s3://b/app/z*", "the glob matches nothing"),
        ("s3://b/app/{x,y}", "the glob matches nothing"),
        ("s3://b/app/*/nothing", "the glob matches nothing"),
        (["s3://b/app/a1", "s3://b/nothing"], "there is no such file or directory"),
    ],
)
@pytest.mark.parametrize("page_size", [1, 1000])
def test_a_missing_path_is_an_error(path: str | list[str], says: str, page_size: int) -> None:
    with pytest.raises(PathNotFoundError, match=says) as error:
        run(KeyStore.from_keys(TREE, page_size=page_size), path)
    assert (path if isinstance(path, str) else path[-1]) in str(error.value)


def test_names_with_the_characters_of_globs() -> None:
    """As ``_metadata.file_path`` shows them, they are globs that match nothing; the error says how they are written."""
    names = ["a[1].log", "b{x}.log", "c\\d.log", "e*f.log", "g?.log"]
    store = KeyStore.from_keys(names)
    for name in names[:3]:
        with pytest.raises(PathNotFoundError, match="are part of the name, write a backslash before each of them"):
            run(store, f"s3://b/app/{name}")
    for name in names:
        escaped = "".join(f"\\{character}" if character in "*?[{\\" else character for character in name)
        assert run(store, f"s3://b/app/{escaped}")[0] == [name]


@pytest.mark.parametrize("page_size", [1, 1000])
def test_a_path_with_nothing_in_the_range_is_an_empty_plan(page_size: int) -> None:
    # Neighbours that begin with its name come first in key order.
    keys = [*(f"app/{key}" for key in YEAR[:100]), *(f"app-{n}/x" for n in range(5))]
    store = KeyStore.from_keys(keys, root="s3://b/", page_size=page_size)
    found, report = run(store, layout=HOURLY, startTime="2030-01-01T00:00:00Z", endTime="2030-01-01T01:00:00Z")
    assert found == []
    assert report.list_calls == store.request_counts["LIST"] <= 3 + 2 + COMMIT_LISTS


@pytest.mark.parametrize("bucket", ["s3://b", "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/b"])
def test_a_bucket_with_nothing_in_the_range_is_an_empty_plan(bucket: str) -> None:
    store = KeyStore.from_keys(YEAR[:10], root=bucket + "/")
    found, report = run(store, bucket, layout=HOURLY, startTime="2001-01-01T10:00:00Z", endTime="2001-01-01T11:00:00Z")
    assert found == []
    assert report.list_calls == 2 + COMMIT_LISTS  # the months of 2001, and whether the bucket exists


@pytest.mark.parametrize("path", ["s3://*/app", "s3://{a,b}/app"])
def test_a_glob_cannot_stand_for_a_bucket(path: str) -> None:
    with pytest.raises(OptionError, match="name the bucket"):
        run(KeyStore.from_keys(TREE), path)


def test_a_named_file_need_not_fit_the_layout() -> None:
    store = KeyStore.from_keys(["other/name.log", "2026/11/22/_x.log", "logs-2026-11-22.gz"])
    read = options([ROOT + "other/name.log", ROOT + "2026/11/22/_x.log"])
    filters = FileFilters(Window(us("2001-01-01"), us("2001-01-02")))
    listing = list_files(store, read, Layout.parse("{team}/{yyyy}"), filters)
    assert [(file.path, match) for file, match in listing.files] == [
        (ROOT + "2026/11/22/_x.log", LayoutMatch(None, None, (None,))),
        (ROOT + "other/name.log", LayoutMatch(None, None, (None,))),
    ]
    assert listing.report.list_calls == 0
    named = options(ROOT + "logs-2026-11-22.gz", layout="logs-{yyyy-MM-dd}.gz")
    layout = Layout.parse("logs-{yyyy-MM-dd}.gz")
    ((_, match),) = list_files(store, named, layout).files
    assert match.start_us == us("2026-11-22")
    assert not list_files(store, named, layout, FileFilters(Window(None, us("2026-11-01")))).files
