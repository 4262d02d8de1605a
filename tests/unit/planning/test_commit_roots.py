"""Visibility for readers whose load path is the root, a directory below it, or a directory above it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import AccessDeniedError, CommitConflictError, SnapshotChangedError
from pyspark_logs.jobs import find_roots_below, snapshots
from pyspark_logs.layout import LayoutMatch
from pyspark_logs.options import parse_read_options
from pyspark_logs.planning import FileFilters, plan
from pyspark_logs.planning.commit_roots import LoadPathRoots
from pyspark_logs.planning.listing_result import ListingResult
from pyspark_logs.planning.load_paths import LoadPath
from pyspark_logs.reader import LogReader
from pyspark_logs.store import normalise, open_store
from pyspark_logs.store.local import LocalStore

FORMAT = {"template": "{level} {message}", "layout": "{team}/{hour}"}


class Died(BaseException):
    """The death of a process."""


def rows(*levels: str) -> pa.Table:
    count = len(levels)
    columns = {
        "level": levels,
        "message": ["m"] * count,
        "team": ["web"] * count,
        "hour": [str(n) for n in range(count)],
    }
    return pa.table(columns)


def levels(path: Path | str | list[str], **options: Any) -> list[str]:
    return sorted(
        pyspark_logs.scan(path, **{"template": FORMAT["template"], **options}).read_all()["level"].to_pylist()
    )


def die_at_the_record(monkeypatch: pytest.MonkeyPatch, *, written: bool) -> None:
    create = LocalStore.create

    def dying(self: LocalStore, path: str, data: bytes) -> bool:
        if not path.endswith(".json") or path.endswith("~intent.json"):
            return create(self, path, data)
        if written:
            create(self, path, data)
        raise Died

    monkeypatch.setattr(LocalStore, "create", dying)


@pytest.fixture
def undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a directory with one committed row, and two files of a job whose driver died before the decision."""
    pyspark_logs.write(rows("OLD"), tmp_path, **FORMAT)
    with monkeypatch.context() as patch:
        die_at_the_record(patch, written=False)
        with pytest.raises(Died):
            pyspark_logs.write(rows("NEW", "NEW"), tmp_path, **FORMAT)
    assert len(list(tmp_path.glob("web/*/part-*"))) == 3
    return tmp_path


def test_published_files_of_an_undecided_job_are_hidden_and_counted(undecided: Path) -> None:
    assert levels(undecided, layout=FORMAT["layout"]) == ["OLD"]
    options = parse_read_options({"path": str(undecided), **FORMAT})
    report = plan(open_store(str(undecided), options.store), options).report
    assert (report.files_planned, report.skipped_uncommitted) == (1, 2)


def test_a_load_path_below_the_root(undecided: Path) -> None:
    assert levels(undecided / "web") == ["OLD"]
    assert levels(undecided / "web" / "1") == []


def test_a_glob_and_several_load_paths(undecided: Path) -> None:
    assert levels(f"{undecided}/*/") == ["OLD"]
    assert levels([str(undecided / "web" / "0"), str(undecided / "web" / "1")]) == ["OLD"]


def test_a_load_path_that_is_a_file(undecided: Path) -> None:
    old, new = sorted(undecided.glob("web/0/part-*"))
    assert levels(old) == ["OLD"]
    assert levels(new) == []


def test_files_that_no_job_wrote_are_visible(undecided: Path) -> None:
    (undecided / "web" / "0" / "app.log").write_text("PLAIN x\n")
    assert levels(undecided) == ["OLD", "PLAIN"]
    assert levels(undecided / "web" / "0" / "app.log") == ["PLAIN"]


def test_a_decided_job_is_visible_before_and_after_its_cleanup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyspark_logs.write(rows("OLD"), tmp_path, **FORMAT)
    with monkeypatch.context() as patch:
        die_at_the_record(patch, written=True)
        with pytest.raises(Died):
            pyspark_logs.write(rows("NEW", "NEW"), tmp_path, mode="overwrite", **FORMAT)
    assert len(list(tmp_path.glob("web/*/part-*"))) == 3  # the old one is still there
    assert levels(tmp_path) == levels(tmp_path / "web") == ["NEW", "NEW"]
    assert pyspark_logs.recover(tmp_path, "0s").rolled_forward
    assert len(list(tmp_path.glob("web/*/part-*"))) == 2
    assert levels(tmp_path) == ["NEW", "NEW"]


def test_moved_files_of_a_job_are_plain_files(undecided: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for path in undecided.glob("web/*/part-*"):
        path.rename(elsewhere / path.name)
    assert levels(elsewhere) == ["NEW", "NEW", "OLD"]


def test_a_missing_file_of_a_job_is_always_an_error(tmp_path: Path) -> None:
    pyspark_logs.write(rows("OLD", "OLD"), tmp_path, **FORMAT)
    options = {"path": str(tmp_path), **FORMAT, "ignoreMissingFiles": "true"}
    reader = LogReader(parse_read_options(options), "level string")
    tasks = reader.plan().tasks
    next(tmp_path.glob("web/1/part-*")).unlink()
    with pytest.raises(SnapshotChangedError, match="was deleted after the query was planned") as caught:
        [list(reader.read_task(task)) for task in tasks]
    assert "ignoreMissingFiles" not in str(caught.value)


def test_a_load_path_above_the_root(undecided: Path, tmp_path: Path) -> None:
    above = tmp_path / "lake"
    above.mkdir()
    (above / "app").mkdir()
    for path in list(undecided.iterdir()):
        if path != above:
            path.rename(above / "app" / path.name)
    assert levels(above, layout="{root}/{team}/{hour}") == ["OLD"]
    assert levels(above, layout="{root}/{team}") == ["OLD"]
    assert levels(above) == ["OLD"]


def test_a_nested_root_is_not_overwritten(tmp_path: Path) -> None:
    pyspark_logs.write(rows("INNER"), tmp_path / "app", **FORMAT)
    options = {"template": FORMAT["template"], "layout": "{team}/{hour}"}
    with pytest.raises(CommitConflictError, match=r"app/ is a root of its own"):
        pyspark_logs.write(rows("OUTER"), tmp_path, mode="overwrite", **options)
    assert levels(tmp_path / "app") == ["INNER"]
    assert levels(tmp_path) == ["INNER"]


# --- changes during a listing -----------------------------------------------------------------------


def visible_jobs(root: Path, actions: Iterator[Any], **options: Any) -> list[str]:
    """Returns the jobs of the visible files; the next action runs at the end of each listing."""
    directory = normalise(str(root)) + "/"
    parsed = parse_read_options({"path": directory, **FORMAT})
    store = open_store(directory, parsed.store)

    def list_data() -> ListingResult:
        result = ListingResult()
        files = [file for file in store.list_page(directory, recursive=True).files if "/part-" in file.path]
        result.files.add(files, [LayoutMatch()] * len(files), (0, directory))
        action = next(actions, None)
        if action is not None:
            action()
        return result

    roots = LoadPathRoots(store, [LoadPath(directory, 0)])
    snapshot = snapshots.take_snapshot(store, roots, list_data, **options)
    return sorted(listed.path.rpartition("/")[2].split("-")[3] for listed in snapshot.files)


def test_an_undecided_job_is_hidden_in_the_directory_of_another_root(undecided: Path) -> None:
    inner = undecided / "web" / "0"
    pyspark_logs.write(rows("INNER").select(["level", "message"]), inner, template=FORMAT["template"])
    assert levels(undecided, layout=FORMAT["layout"]) == ["INNER", "OLD"]
    assert levels([str(inner), str(undecided)]) == levels([str(undecided), str(inner)]) == ["INNER", "OLD"]
    # A reader of the inner root alone does not know the outer one.
    assert levels(inner) == ["INNER", "NEW", "OLD"]


def test_an_overwrite_during_the_listing_restarts_the_snapshot(tmp_path: Path) -> None:
    pyspark_logs.write(rows("OLD"), tmp_path, **FORMAT)
    jobs = []

    def overwrite() -> None:
        jobs.append(pyspark_logs.write(rows("NEW", "NEW"), tmp_path, mode="overwrite", **FORMAT).job)

    assert visible_jobs(tmp_path, iter([overwrite])) == jobs * 2


def test_an_overwrite_during_each_listing_is_an_error(tmp_path: Path) -> None:
    def overwrite() -> None:
        pyspark_logs.write(rows("NEW"), tmp_path, mode="overwrite", **FORMAT)

    with pytest.raises(SnapshotChangedError, match="overwritten during each of 3 listings") as caught:
        visible_jobs(tmp_path, iter([overwrite] * 10), retries=2)
    assert str(tmp_path) in str(caught.value)


def test_an_append_during_the_listing_is_hidden(tmp_path: Path) -> None:
    old = pyspark_logs.write(rows("OLD"), tmp_path, **FORMAT).job

    def append() -> None:
        pyspark_logs.write(rows("NEW", "NEW"), tmp_path, **FORMAT)

    assert visible_jobs(tmp_path, iter([append])) == [old]


def test_a_listing_that_takes_too_long_is_an_error(tmp_path: Path) -> None:
    pyspark_logs.write(rows("OLD"), tmp_path, **FORMAT)
    seconds = iter(range(0, 10_000, 100))
    with pytest.raises(SnapshotChangedError, match=r"took 100 s, and after 30 s \(half of recordRetention\)"):
        visible_jobs(tmp_path, iter([]), clock=lambda: next(seconds), longest_s=30.0)


def test_a_record_that_disappears_restarts_the_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = pyspark_logs.write(rows("OLD"), tmp_path, **FORMAT).job
    answers: list[Any] = [None]
    read = snapshots.read_commits_before
    monkeypatch.setattr(snapshots, "read_commits_before", lambda *where: answers.pop() if answers else read(*where))
    assert visible_jobs(tmp_path, iter([])) == [job]
    answers.extend([None] * 5)
    with pytest.raises(SnapshotChangedError):
        visible_jobs(tmp_path, iter([]))


# --- a load path above the root, with prefixes from the layout --------------------------------------


def test_a_time_range_hides_undecided_files_of_roots_below_the_load_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layout gives the directories below the root, so that the reader never lists the root's ``_commits/``."""
    table = pa.table({"level": ["A", "B"], "message": ["m", "m"], "day": ["1", "2"]})
    options = {"template": FORMAT["template"], "layout": "d={day}"}
    pyspark_logs.write(table, tmp_path / "app", **options)
    with monkeypatch.context() as patch:
        die_at_the_record(patch, written=False)
        with pytest.raises(Died):
            pyspark_logs.write(table, tmp_path / "app", **options)
    read = parse_read_options({"path": str(tmp_path), "template": FORMAT["template"], "layout": "app/d={day}"})
    planned = plan(open_store(str(tmp_path), read.store), read, FileFilters(allowed={"day": ["1", "2"]}))
    assert (planned.report.files_planned, planned.report.skipped_uncommitted) == (2, 2)


@pytest.mark.parametrize("has_own_commits", [True, False])
def test_a_time_range_hides_undecided_files_of_roots_inside_a_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_own_commits: bool
) -> None:
    layout = "{team}/{yyyy}/{MM}/{dd}"
    times = [dt.datetime(2026, 11, day, 10, tzinfo=dt.timezone.utc) for day in (22, 23)]
    table = pa.table({"ts": times, "level": ["A", "B"]})
    outer = table.append_column("team", pa.array(["web", "web"]))
    template = {"template": "{ts:timestamp} {level}"}
    if has_own_commits:
        pyspark_logs.write(outer, tmp_path, layout=layout, **template)
    with monkeypatch.context() as patch:
        die_at_the_record(patch, written=False)
        with pytest.raises(Died):
            pyspark_logs.write(table, tmp_path / "web", layout="{yyyy}/{MM}/{dd}", **template)
    day = {"startTime": "2026-11-22T00:00:00Z", "endTime": "2026-11-23T00:00:00Z", "layoutSlack": "0s"}
    for options in (day, {}, {"where": "team = 'web'"}):
        found = levels(tmp_path, layout=layout, **template, **options)
        assert found == (["A"] if options is day else ["A", "B"]) * has_own_commits


def test_the_request_count_of_a_read_of_the_root_does_not_change(tmp_path: Path) -> None:
    table = pa.table({"level": ["A", "B"], "message": ["m", "m"], "day": ["1", "2"]})
    pyspark_logs.write(table, tmp_path, template=FORMAT["template"], layout="d={day}")
    read = parse_read_options({"path": str(tmp_path), "template": FORMAT["template"], "layout": "d={day}"})
    planned = plan(open_store(str(tmp_path), read.store), read, FileFilters(allowed={"day": ["1", "2"]}))
    # Two directories, and `_commits/` twice before and twice after, because local listings are not in key order.
    assert planned.report.list_calls == 6


def test_one_directory_finds_the_root_of_its_neighbours(tmp_path: Path) -> None:
    for root in ("one", "two"):
        (tmp_path / root / "_commits").mkdir(parents=True)
        (tmp_path / root / "_commits" / "record.json").write_text("")
        for day in range(50):
            (tmp_path / root / f"d={day}" / "h=1").mkdir(parents=True)
    (tmp_path / "moved" / "x").mkdir(parents=True)
    top = normalise(str(tmp_path)) + "/"
    directories = [f"{top}{root}/d={day}/h=1/" for root in ("one", "two") for day in range(50)] + [f"{top}moved/x/"]
    store = open_store(top, parse_read_options({"path": top, **FORMAT}).store)
    before = store.request_counts["LIST"]
    assert find_roots_below(store, top, directories) == {f"{top}one/", f"{top}two/"}
    # Two passes for each directory that has no `_commits/`: 2 x 2 below the roots, 2 below `moved`.
    assert store.request_counts["LIST"] - before == 2 * (2 * 2 + 1) + 2 * 2


# --- rights that end at a prefix --------------------------------------------------------------------


@pytest.mark.parametrize("load_path", ["", "web/"])
def test_the_search_for_a_root_ends_where_the_rights_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load_path: str
) -> None:
    root = tmp_path / "root"
    pyspark_logs.write(rows("OLD", "OLD"), root, **FORMAT)
    for path in (root / "_commits").iterdir():
        path.unlink()
    list_page = LocalStore.list_page

    def restricted(self: LocalStore, prefix: str, **options: Any) -> Any:
        if not prefix.startswith(f"{normalise(str(root))}/{load_path}"):
            raise AccessDeniedError(f"cannot list {prefix}")
        return list_page(self, prefix, **options)

    monkeypatch.setattr(LocalStore, "list_page", restricted)
    assert levels(f"{root}/{load_path}") == ["OLD", "OLD"]


def test_rights_that_end_at_some_prefixes_below_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day, template = dt.datetime(2026, 11, 22, 10, tzinfo=dt.timezone.utc), {"template": "{ts:timestamp} {level}"}
    layout = {"layout": "{yyyy}/{MM}/{dd}"}
    for level in ("OLD", "NEW"):
        pyspark_logs.write(pa.table({"ts": [day], "level": [level]}), tmp_path, **layout, **template)
    min((tmp_path / "_commits").iterdir()).unlink()  # the record of the first job has expired
    list_page = LocalStore.list_page

    def restricted(self: LocalStore, prefix: str, **options: Any) -> Any:
        if not prefix.startswith((f"{tmp_path}/_commits/", f"{tmp_path}/2026/11/22/")):
            raise AccessDeniedError(f"cannot list {prefix}")
        return list_page(self, prefix, **options)

    monkeypatch.setattr(LocalStore, "list_page", restricted)
    times = {"startTime": "2026-11-22T00:00:00Z", "endTime": "2026-11-23T00:00:00Z", "layoutSlack": "0s"}
    assert levels(tmp_path, **layout, **template, **times) == ["NEW", "OLD"]
