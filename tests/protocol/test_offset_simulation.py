"""Simulation of stream offsets: each file is read exactly once.

Files appear late, out of order and under old layout times. Polls happen at any time, with any limits, and list as little as
they may. Queries restart with nothing but their offset, whose ``seen`` may hold as little as one file.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from pyspark_logs.offsets import FullListing, Offset, PollRules, StreamFile, lowest_layout_us, poll
from tests.support.effort import extent

# Coverage would double the duration of these tests, and other tests reach the same code.
pytestmark = pytest.mark.no_cover

ROOT = "s3://logs/app"
BEGIN_MS = 1_795_348_800_000
LIFE_MS = 60_000  # files are modified within this time
CLOCK_ERROR_MS = 5000
LONGEST_LATENESS_MS = 10_000 + 20_000  # of any query and any turn


@dataclass(frozen=True)
class Version:
    """One version of a file, listed from ``visible_ms`` until a later version is listed."""

    key: str
    modified_ms: int
    visible_ms: int
    layout_us: int | None = None
    size: int = 1

    def stream_file(self) -> StreamFile:
        """Returns the version as listed."""
        etag = f"{self.modified_ms}/{self.visible_ms}"
        return StreamFile(self.key, self.size, self.modified_ms, etag, self.layout_us)


@dataclass(frozen=True)
class Turn:
    """One poll, ``after_ms`` after the previous one."""

    after_ms: int
    max_files: int | None = None
    max_bytes: int | None = None
    more_lateness_ms: int = 0
    restarts: bool = False


@dataclass
class Query:
    """A query over simulated files; only ``offset`` survives a restart."""

    versions: list[Version]
    lateness_ms: int
    slack_ms: int
    interval_ms: int | None
    settle_ms: int = 0
    identity: str = "key"
    clock_ms: int = 0  # how far the clock of the query runs ahead of the store's
    max_seen: int | None = None
    listed_all_ms: int | None = None
    polled_ms: int | None = None
    taken: list[StreamFile] = field(default_factory=list)
    pruned: int = 0
    deferred: int = 0  # polls that took no file although one was ready, because of max_seen

    def __post_init__(self) -> None:
        self.offset = Offset.initial(ROOT, self.identity, starting="earliest", now_ms=BEGIN_MS, window_ms=0).to_dict()

    def poll(self, true_ms: int, turn: Turn) -> bool:
        """Polls as the reader does; True if it took new files."""
        now_ms = true_ms + self.clock_ms
        start = Offset.from_dict(json.loads(json.dumps(self.offset)), root=ROOT, identity=self.identity)
        if turn.restarts:
            # What a start may skip follows from the offset alone.
            self.listed_all_ms = None if start.full_listing is None else start.full_listing.started_ms
            self.polled_ms = None
        lateness_ms = self.lateness_ms + turn.more_lateness_ms
        low_us = self._lowest_us(start, now_ms, lateness_ms)
        rules = PollRules(
            lateness_ms + (self.interval_ms or 0),
            lateness_ms,
            self.settle_ms,
            turn.max_files,
            turn.max_bytes,
            self.max_seen,
            CLOCK_ERROR_MS,
        )
        listing = self._listing(true_ms, low_us)
        after = poll(start, listing, now_ms, rules)
        self.polled_ms = now_ms
        if not after.batch.files or after is start:
            self.deferred += poll(start, listing, now_ms, replace(rules, max_seen=None)) is not start
        if after is start:
            return False
        assert self.max_seen is None or len(after.seen) <= max(self.max_seen, len(start.seen))
        assert after.ts_ms <= max(now_ms, start.ts_ms)
        assert after.floor >= start.floor
        if self.listed_all_ms is not None:
            after = replace(after, full_listing=FullListing(self.listed_all_ms, 0))
        self.offset = after.to_dict()
        self.taken += after.batch.files
        return True

    def run(self, turns: list[Turn]) -> None:
        """Polls in turns, and then until a poll finds no new file although none waits for others to be forgotten."""
        true_ms = BEGIN_MS
        for turn in turns:
            true_ms += turn.after_ms
            self.poll(true_ms, turn)
        newest_ms = max((max(v.visible_ms, v.modified_ms) for v in self.versions), default=true_ms)
        while true_ms < newest_ms + self.settle_ms + max(0, -self.clock_ms):
            true_ms += 3000
            self.poll(true_ms, Turn(0))
        while True:
            true_ms += 1000 + (self.interval_ms or 0)
            deferred = self.deferred
            if not self.poll(true_ms, Turn(0)) and self.deferred == deferred:
                return
            assert true_ms < newest_ms + 10 * (LIFE_MS + LONGEST_LATENESS_MS) + len(self.versions) * 20_000

    def _lowest_us(self, start: Offset, now_ms: int, lateness_ms: int) -> int | None:
        due = self.listed_all_ms is None or (
            self.interval_ms is not None and now_ms - self.listed_all_ms >= self.interval_ms
        )
        if due:
            self.listed_all_ms = now_ms
            return None
        self.pruned += 1
        return lowest_layout_us(start, self.polled_ms, lateness_ms * 1000, self.slack_ms * 1000, self.settle_ms * 1000)

    def _listing(self, true_ms: int, low_us: int | None) -> list[StreamFile]:
        listed: dict[str, Version] = {}
        for version in sorted(self.versions, key=lambda v: v.visible_ms):
            if version.visible_ms <= true_ms:
                listed[version.key] = version
        return [
            v.stream_file() for v in listed.values() if low_us is None or v.layout_us is None or v.layout_us >= low_us
        ]


def turns_of(choices: st.SearchStrategy[int]) -> st.SearchStrategy[list[Turn]]:
    """Returns lists of polls with various distances and limits, and some restarts."""
    return st.lists(
        st.builds(
            Turn,
            after_ms=choices,
            max_files=st.sampled_from([None, 1, 2, 3, 100]),
            max_bytes=st.sampled_from([None, None, 1, 10, 100]),
            more_lateness_ms=st.sampled_from([0, 0, 0, 4000, 20_000]),
            restarts=st.sampled_from([False] * 7 + [True]),
        ),
        max_size=60,
    )


TURNS = turns_of(st.sampled_from([0, 1, 300, 1000, 1000, 2000, 9000]))


@st.composite
def queries(draw: st.DrawFn, *, versions: int = 1, identity: str = "key", prefetch: bool = False) -> Query:
    """Returns queries over random files, each visible within the lateness of its query."""
    lateness_ms = draw(st.sampled_from([0, 700, 3000, 10_000]))
    slack_ms = draw(st.sampled_from([0, 2000, 5000]))
    interval_ms = draw(st.sampled_from([None, 0, 2000, 10_000]))
    settle_ms = draw(st.sampled_from([0, 0, 1500, 20_000]))
    # Without full listings, old layout times are not listed any more. A version that overwrites an old one, and a version
    # dated ahead that has to settle, lie under an old layout time by then and need not be read.
    flat = draw(st.booleans()) or (interval_ms is None and (versions > 1 or (prefetch and settle_ms > 0)))
    # A clock that runs ahead lists too little until the next full listing.
    clocks = [0, 0, -5000] if interval_ms is None or prefetch else [0, 0, -5000, 5000]
    found = []
    for number in range(draw(st.integers(0, 25))):
        # Equal and nearly equal times are likely.
        first_ms = draw(st.integers(0, LIFE_MS // 500).map(lambda n: n * 500) | st.integers(0, LIFE_MS))
        drift_ms = draw(
            st.integers(0, slack_ms) | (st.nothing() if interval_ms is None else st.integers(0, 10 * LIFE_MS))
        )
        layout_us = None if flat else (BEGIN_MS + first_ms - drift_ms) * 1000
        for version in range(draw(st.integers(1, versions))):
            modified_ms = (
                BEGIN_MS
                + first_ms
                + (0 if version == 0 else draw(st.integers(0, lateness_ms) | st.integers(-3000, 30_000)))
            )
            visible_ms = modified_ms + draw(st.integers(0, lateness_ms))
            if prefetch and draw(st.booleans()):
                modified_ms = visible_ms + draw(st.integers(1, 2 * LIFE_MS))
            size = draw(st.integers(0, 12))
            found.append(Version(f"f{number}", modified_ms, visible_ms, layout_us, size))
    clock_ms, max_seen = draw(st.sampled_from(clocks)), draw(st.sampled_from([None, 1, 2, 5]))
    return Query(found, lateness_ms, slack_ms, interval_ms, settle_ms, identity, clock_ms, max_seen)


@given(queries(), TURNS)
def test_every_file_is_read_exactly_once(query: Query, turns: list[Turn]) -> None:
    query.run(turns)
    event(f"pruned polls: {'none' if not query.pruned else 'some' if query.pruned < 20 else 'many'}")
    event(f"polls that deferred files: {'none' if not query.deferred else 'some'}")
    assert Counter(file.key for file in query.taken) == Counter(version.key for version in query.versions)


@given(queries(prefetch=True), TURNS)
def test_files_dated_ahead_are_read_once_and_no_other_file_is_missed(query: Query, turns: list[Turn]) -> None:
    query.run(turns)
    assert Counter(file.key for file in query.taken) == Counter(version.key for version in query.versions)


@given(queries(versions=4), TURNS)
def test_versions_within_lateness_count_as_one_file(query: Query, turns: list[Turn]) -> None:
    query.run(turns)
    taken = defaultdict(list)
    for file in query.taken:
        taken[file.key].append(file.modified_ms)
    most_ms = query.lateness_ms + 20_000  # The widest window of any turn.
    for key in {version.key for version in query.versions}:
        last = max((v for v in query.versions if v.key == key), key=lambda v: v.visible_ms)
        times = taken[key]
        # A version within lateness of one that was read is not read ...
        assert all(after - before > query.lateness_ms for before, after in pairwise(times))
        # ... and the last version is read, unless it is within lateness.
        assert times
        assert last.modified_ms in times or any(last.modified_ms - time <= most_ms + 999 for time in times)


@given(queries(versions=4, identity="key+etag"), TURNS)
def test_with_etags_each_version_is_a_file(query: Query, turns: list[Turn]) -> None:
    query.run(turns)
    taken = Counter((file.key, file.etag) for file in query.taken)
    assert set(taken.values()) <= {1}
    listed: dict[str, Version] = {}
    for version in sorted(query.versions, key=lambda v: v.visible_ms):
        listed[version.key] = version
    assert {(v.key, v.stream_file().etag) for v in listed.values()} <= set(taken)


@pytest.mark.parametrize("tick_ms", [1000, 370])
@pytest.mark.parametrize("lateness_changes", [False, True])
@pytest.mark.parametrize("max_seen", [None, 3])
def test_long_simulations(max_seen: int | None, lateness_changes: bool, tick_ms: int) -> None:
    """Each file is read exactly once in long simulations with many files and polls."""
    deferred = 0
    for seed in range(extent(bounded=30, full=200)):
        chance = random.Random(seed)
        lateness, slack, interval = chance.choice((0, 3, 10)), chance.choice((0, 2, 5)), chance.choice((None, 2, 5, 10))
        versions = []
        for number in range(chance.randint(1, 40)):
            modified = chance.randint(0, 60)
            visible = modified + chance.randint(0, lateness)
            fresh = interval is None or chance.random() < 0.6
            layout = modified - chance.randint(0, slack if fresh else 50)
            versions.append(
                Version(
                    f"f{number}",
                    BEGIN_MS + modified * tick_ms,
                    BEGIN_MS + visible * tick_ms,
                    (BEGIN_MS + layout * tick_ms) * 1000,
                )
            )
        every_ms = None if interval is None else interval * tick_ms
        query = Query(versions, lateness * tick_ms, slack * tick_ms, every_ms, chance.choice((0, 0, 4)) * tick_ms)
        query.max_seen = max_seen
        now, more = 0, 0
        while now < (140 if max_seen is None else 400):
            now += chance.choice((0, 1, 1, 2))
            if lateness_changes and chance.random() < 0.1:
                more = chance.choice((0, 4, 20))
            turn = Turn(0, chance.choice((1, 2, 3, 100)), None, more * tick_ms, chance.random() < 0.1)
            query.poll(BEGIN_MS + now * tick_ms, turn)
        assert query.pruned, seed
        deferred += query.deferred
        assert Counter(file.key for file in query.taken) == {version.key: 1 for version in versions}, seed
    assert (deferred > 0) == (max_seen is not None)
