"""Tables of files, and the memory of plans."""

from __future__ import annotations

import tracemalloc

import pytest

from pyspark_logs.layout import Layout, LayoutMatch
from pyspark_logs.planning import FileTable, list_files, plan
from pyspark_logs.store import StoredFile
from tests.support.key_store import KeyStore
from tests.support.plans import HOURLY, ROOT, hours, options

FILES = [StoredFile(name, size, 5, f"e{size}") for size, name in enumerate("abc")]
MATCH = LayoutMatch(1, 2, ("v",))


def table(files: list[StoredFile], *origins: tuple[int, str]) -> FileTable:
    result = FileTable()
    for origin in origins or ((0, "/"),):
        result.add(files, [LayoutMatch(origin[0])] * len(files), origin)
    return result


def test_a_table_is_a_sequence_of_planned_files() -> None:
    files = table(FILES)
    assert list(files) == [(file, LayoutMatch(0)) for file in FILES]
    assert files[-1] == (FILES[2], LayoutMatch(0))
    assert list(files[1:]) == list(files)[1:]
    with pytest.raises(IndexError):
        files[3]


def test_the_first_load_path_decides_on_a_file_listed_twice() -> None:
    files = table(FILES[::-1], (1, "/x/"), (0, "/y/"), (0, "/x/"))
    assert [(file.path, match.start_us) for file, match in files.distinct(range(9))] == [("a", 0), ("b", 0), ("c", 0)]
    assert files.distinct(range(6)).origins == [(0, "/y/")] * 3
    assert [match.start_us for _, match in files.distinct([2])] == [1]


def test_a_planned_file_costs_less_than_300_bytes() -> None:
    """A path has 53 characters here and an etag 32; they are 184 bytes of the cost."""
    keys = hours("2026-01-01", 200, "%Y/%m/%d/%H/app-0f3c9a7e51b24d68-{n}.log.gz", 50)
    files = [StoredFile(ROOT + key, n + 1000, 1_795_348_800_000 + n, f"{n:032x}") for n, key in enumerate(keys)]
    layout, read = Layout.parse(HOURLY), options(layout=HOURLY)

    class NewObjects(KeyStore):
        """A store whose pages hold new strings, as responses of a server do."""

        def list_page(self, prefix: str, **arguments: object):  # type: ignore[no-untyped-def]
            page = super().list_page(prefix, **arguments)
            copies = [
                StoredFile("".join(list(f.path)), f.size, f.modified_ms, "".join(list(f.etag))) for f in page.files
            ]
            return type(page)(tuple(copies), page.directories, page.next_token)

    for make in (list_files, lambda store, *_: plan(store, read, layout=layout)):
        store = NewObjects(files)
        make(store, read, layout)  # fills caches
        tracemalloc.start()
        kept = make(store, read, layout)
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept
        assert size / len(files) < 300


def test_a_plan_matches_each_directory_once(monkeypatch: pytest.MonkeyPatch) -> None:
    matched: list[str] = []
    original = Layout.match

    def counted(self: Layout, key: str) -> LayoutMatch | None:
        matched.append(key)
        return original(self, key)

    monkeypatch.setattr(Layout, "match", counted)
    store = KeyStore.from_keys(hours("2026-01-01", 5, per_hour=100))
    assert len(list_files(store, options(layout=HOURLY), Layout.parse(HOURLY)).files) == 500
    assert len(matched) == 5
