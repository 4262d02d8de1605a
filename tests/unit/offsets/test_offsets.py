"""Offsets of streams: what they say, how they stand in a checkpoint, and each part of the rule by which they move."""

from __future__ import annotations

import dataclasses
import json
import pickle
import random
import sys
import uuid
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.errors import OptionError
from pyspark_logs.offsets import MAX_SEEN, BatchPlan, Offset, PollRules, StreamFile, is_new, lowest_layout_us, poll

ROOT = "s3://logs/app"
NOON_MS = 1_795_348_800_000
HOUR_MS = 3_600_000
RULES = PollRules(window_ms=2 * HOUR_MS, lateness_ms=HOUR_MS)


def start(identity: str = "key") -> Offset:
    return Offset.initial(ROOT, identity, starting="earliest", now_ms=NOON_MS, window_ms=RULES.window_ms)


def mark(key: str, after_s: float = 0, size: int = 1, etag: str = "e", layout_us: int | None = None) -> StreamFile:
    """A file, modified so long after noon."""
    return StreamFile(key, size, NOON_MS + round(after_s * 1000), etag, layout_us)


def at(after_s: float) -> int:
    return NOON_MS + round(after_s * 1000)


def keys(offset: Offset) -> list[str]:
    return [file.key for file in offset.batch.files]


def reread(offset: Offset) -> Offset:
    return Offset.from_dict(json.loads(json.dumps(offset.to_dict())), root=offset.root, identity=offset.identity)


# --- in a checkpoint ------------------------------------------------------------------------------------------------

TIMES_MS = st.integers(-62_135_596_800_000, 253_402_300_800_000)
# Names of files may hold anything; \0 marks a key that is a whole path, surrogates a name that is not UTF-8.
NAMES = st.text(st.characters() | st.sampled_from("\0\udc80/="), max_size=12)
MARKS = st.builds(
    StreamFile,
    key=NAMES,
    size=st.integers(0, 1 << 40),
    modified_ms=TIMES_MS,
    etag=NAMES,
    layout_start_us=st.none() | TIMES_MS.map(lambda ms: ms * 1000),
    layout_end_us=st.none() | TIMES_MS.map(lambda ms: ms * 1000),
    values=st.lists(st.none() | NAMES, max_size=2).map(tuple),
)
SEEN = st.dictionaries(st.integers(0, (1 << 64) - 1), st.integers(-62_135_596_800, 253_402_300_800), max_size=20)
OFFSETS = st.builds(
    Offset,
    root=NAMES,
    identity=st.sampled_from(["key", "key+etag"]),
    ts_ms=TIMES_MS,
    floor_ms=TIMES_MS,
    from_us=st.none() | TIMES_MS.map(lambda ms: ms * 1000),
    seen=SEEN.map(lambda seen: tuple(sorted((second, hashed) for hashed, second in seen.items()))),
    batch=st.builds(
        BatchPlan,
        columns=st.lists(NAMES, max_size=2).map(tuple),
        slack_us=st.integers(0, 1 << 50),
        files=st.lists(MARKS, max_size=5).map(tuple),
    ),
    layout=NAMES,
)


class TestAsJson:
    @given(OFFSETS)
    def test_what_is_written_is_read(self, offset: Offset) -> None:
        assert reread(offset) == offset
        assert reread(reread(offset)).to_dict() == offset.to_dict()

    @given(OFFSETS)
    def test_it_is_of_primitives_as_spark_wants_them(self, offset: Offset) -> None:
        value = offset.to_dict()
        assert list(value) == [
            "v",
            "root",
            "identity",
            "ts",
            "floor",
            "from",
            "seen",
            "batch",
            "full",
            "took",
            "layout",
        ]
        assert {type(part) for part in value.values()} <= {int, str}
        assert value["v"] == 1

    @given(st.lists(MARKS, max_size=8, unique_by=lambda file: file.key), st.randoms())
    def test_equal_offsets_are_equal_texts(self, files: list[StreamFile], shuffle: random.Random) -> None:
        first = poll(start(), files, NOON_MS, RULES)
        shuffle.shuffle(files)
        second = poll(reread(start()), files, NOON_MS, RULES)
        assert json.dumps(first.to_dict()) == json.dumps(second.to_dict())

    def test_pickles(self) -> None:
        offset = poll(start(), [mark("a")], NOON_MS, RULES)
        assert pickle.loads(pickle.dumps(offset)) == offset

    def test_its_size_for_a_busy_bucket(self, capsys: pytest.CaptureFixture[str]) -> None:
        chance = random.Random(7)

        def delivered(n: int) -> StreamFile:
            second = n * 3600 // 11_000  # some 11,000 files in the hour
            name = f"{chance.randbytes(16).hex()}_{chance.randrange(1 << 32)}"
            key = f"AWSLogs/123456789012/elasticloadbalancing/eu-central-1/2026/11/22/app.web-prod.10.0.{n % 255}.7_{name}.log.gz"
            return StreamFile(key, chance.randrange(10_000_000), NOON_MS + 1000 * second, f'"{uuid.UUID(int=chance.getrandbits(128)).hex}"',
                            NOON_MS * 1000, (NOON_MS + HOUR_MS) * 1000, ("123456789012", "eu-central-1"))  # fmt: skip

        files = [delivered(n) for n in range(11_000)]
        before = poll(start(), files[:10_000], at(3600), RULES)
        after = poll(before, files, at(3600), RULES)
        assert (len(before.seen), len(after.seen), len(after.batch.files)) == (10_000, 11_000, 1_000)
        assert 110 < len(files[0].key) < 140
        # 10,000 files of earlier batches, and the batch of 1,000.
        offset = dataclasses.replace(after, seen=before.seen)
        size = len(json.dumps(offset.to_dict()))
        with capsys.disabled():
            sys.stdout.write(f" an offset of 10,000 files and a batch of 1,000 has {size:,} bytes")
        assert size < 250_000


class TestRefusals:
    def good(self) -> dict[str, Any]:
        return poll(start(), [mark("a"), mark("b", 5)], NOON_MS, RULES).to_dict()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"v": 2}, "is damaged in 'floor_key'"),
            ({"v": 3}, r"has version 3, this release reads versions up to 2: continue with the release that wrote it, or start the query with a new checkpoint"),
            ({"v": True}, "has version True"),
            ({"v": "1"}, "has version '1'"),
            ({"root": "s3://other"}, r"a stream over 's3://other', but this query reads 's3://logs/app': load the path .* or start the query"),
            ({"root": 5}, "a stream over 5"),
            ({"identity": "key+etag"}, r"written with allowOverwrites=true, but this query has false: restore the option"),
            ({"ts": "1"}, "is damaged in 'ts'; start the query with a new checkpoint"),
            ({"floor": 1.5}, "is damaged in 'floor'"),
            ({"floor": None}, "is damaged in 'floor'"),
            ({"from": None}, "is damaged in 'from'"),
            ({"seen": "?"}, "is damaged in 'seen'"),
            ({"seen": "AAAA"}, "is damaged in 'seen'"),
            ({"seen": "\xe4"}, "is damaged in 'seen'"),
            ({"seen": 5}, "is damaged in 'seen'"),
            ({"batch": None}, "is damaged in 'batch'"),
            ({"batch": "eJwDAAAAAAE="}, "is damaged in 'batch'"),  # of no bytes at all
        ],
    )  # fmt: skip
    def test_of_one_part(self, change: dict[str, Any], message: str) -> None:
        with pytest.raises(OptionError, match=message):
            Offset.from_dict({**self.good(), **change}, root=ROOT, identity="key")

    def test_of_the_other_identity(self) -> None:
        with pytest.raises(OptionError, match="written with allowOverwrites=false, but this query has true"):
            Offset.from_dict(self.good(), root=ROOT, identity="key+etag")

    @pytest.mark.parametrize("part", ["v", "root", "identity", "ts", "floor", "from", "seen", "batch"])
    def test_of_a_part_that_is_missing(self, part: str) -> None:
        value = self.good()
        del value[part]
        with pytest.raises(OptionError, match="the checkpoint"):
            Offset.from_dict(value, root=ROOT, identity="key")

    @pytest.mark.parametrize("value", [None, "{}", 7, [], ["v"]])
    def test_of_what_is_no_offset(self, value: object) -> None:
        with pytest.raises(
            OptionError, match=r"is not an offset of this source: .*; start the query with a new checkpoint"
        ):
            Offset.from_dict(value, root=ROOT, identity="key")

    @given(part=st.sampled_from(["seen", "batch"]), data=st.data())
    def test_no_change_of_a_text_passes_for_another_offset(self, part: str, data: st.DataObject) -> None:
        good = self.good()
        text = good[part]
        place = data.draw(st.integers(0, len(text) - 1))
        other = data.draw(st.sampled_from("ABab01+/= ?") | st.just(""))
        end = data.draw(st.sampled_from([text[place + 1 :], ""]))
        changed = text[:place] + other + end
        with suppress(OptionError):
            found = Offset.from_dict({**good, part: changed}, root=ROOT, identity="key")
            # The same bytes in another spelling, or nothing at all, which is a text, too.
            assert found.to_dict() == good or changed == ""


# --- where a query begins -------------------------------------------------------------------------------------------


class TestBeginnings:
    def test_earliest_is_before_everything(self) -> None:
        files = [StreamFile("old", 1, -62_135_596_800_000, ""), StreamFile("epoch", 1, 0, ""), mark("new")]
        assert keys(poll(start(), files, NOON_MS, RULES)) == ["old", "epoch", "new"]

    def test_latest_is_behind_what_is_there(self) -> None:
        there = [mark("a", -1e6), mark("b", -5), mark("b2", -5), mark("tomorrow", 86_400)]
        offset = Offset.initial(
            ROOT, "key", starting="latest", listing=there, now_ms=NOON_MS, window_ms=RULES.window_ms
        )
        assert offset.batch == BatchPlan()
        assert offset.ts_ms == NOON_MS
        assert poll(offset, there, at(10), RULES) is offset
        # Late, fresh, and in the very second of what was there.
        new = [mark("late", -3000), mark("fresh", 5), mark("tie", -5)]
        assert keys(poll(reread(offset), [*there, *new], at(10), RULES)) == ["late", "tie", "fresh"]

    def test_latest_does_not_trust_the_clock_of_this_process(self) -> None:
        # It is three hours ahead of the store's; lateness is nothing.
        offset = Offset.initial(ROOT, "key", starting="latest", listing=[mark("a")], now_ms=at(10_800), window_ms=0)
        assert (offset.ts_ms, offset.floor_ms) == (NOON_MS, NOON_MS)
        assert keys(poll(offset, [mark("a"), mark("b", 1)], at(10_801), PollRules(0, 0))) == ["b"]

    def test_latest_of_more_files_than_an_offset_holds(self) -> None:
        """Keeps the newest files, and passes over the others by their time; files dated ahead are never passed."""
        there = [mark(f"{n:03}", n - 600) for n in range(500)] + [mark("tomorrow", 86_400)]
        offset = Offset.initial(
            ROOT, "key", starting="latest", listing=there, now_ms=NOON_MS, window_ms=RULES.window_ms, max_seen=100
        )
        assert len(offset.seen) == 50  # the others are for new files
        assert (offset.floor_ms, offset.floor_key) == (at(450 - 600), "450")
        new = [mark("earlier", -300), mark("late", -120), mark("fresh", 5)]
        after = poll(reread(offset), [*there, *new], at(10), RULES)
        assert keys(after) == ["late", "fresh"]
        # A copy that was over long ago needs no entries.
        later = at(5 * 3600)
        offset = Offset.initial(
            ROOT, "key", starting="latest", listing=there[:-1], now_ms=later, window_ms=RULES.window_ms, max_seen=100
        )
        assert (offset.seen, offset.ts_ms) == ((), at(499 - 600))
        assert poll(offset, there[:-1], later, RULES) is offset
        ahead = [mark(f"{n}", 86_400 + n) for n in range(3)]
        offset = Offset.initial(ROOT, "key", starting="latest", listing=ahead, now_ms=NOON_MS, window_ms=0, max_seen=2)
        assert poll(offset, [*ahead, mark("a", 1)], at(2), RULES).batch.files[0].key == "a"

    def test_latest_of_nothing_is_earliest(self) -> None:
        assert Offset.initial(ROOT, "key", starting="latest", now_ms=NOON_MS, window_ms=0) == start()

    def test_a_time_is_the_first_that_counts(self) -> None:
        offset = Offset.initial(ROOT, "key", starting="time", starting_ms=at(60), now_ms=NOON_MS, window_ms=HOUR_MS)
        assert (offset.ts_ms, offset.floor_ms) == (NOON_MS, at(60))
        files = [mark("a", 59.999), mark("b", 60), mark("c", 61)]
        after = poll(offset, files, at(62), RULES)
        assert keys(after) == ["b", "c"]
        assert after.floor_ms == at(60)  # the window does not reach before it


# --- the rule -------------------------------------------------------------------------------------------------------


class TestPosition:
    def test_nothing_new_is_the_same_object(self) -> None:
        empty = start()
        assert poll(empty, [], NOON_MS, RULES) is empty
        offset = poll(empty, [mark("a")], NOON_MS, RULES)
        assert poll(offset, [mark("a")], at(10 * HOUR_MS), RULES) is offset

    def test_files_come_in_order_of_time_and_key(self) -> None:
        files = [mark("z", 1), mark("b", 2), mark("a", 2), mark("c", 1.5)]
        assert keys(poll(start(), files, at(9), RULES)) == ["z", "c", "a", "b"]

    def test_position_floor_and_memory(self) -> None:
        old, new = mark("old", -3 * 3600 - 2), mark("new", -1)
        offset = poll(start(), [old, mark("mid", -1.5 * 3600), new], NOON_MS, RULES)
        assert (offset.ts_ms, offset.floor_ms) == (at(-1), at(-7201))
        assert offset.from_us is None
        assert [second for second, _ in offset.seen] == [at(-1.5 * 3600) // 1000, at(-1) // 1000]
        assert offset.batch.files == (old, mark("mid", -1.5 * 3600), new)

    def test_late_files_of_the_window_are_read_and_older_ones_are_not(self) -> None:
        offset = poll(start(), [mark("a", 0)], at(1), RULES)
        late = [mark("at the floor", -7200), mark("below", -7200.001)]
        assert keys(poll(offset, [mark("a"), *late], at(2), RULES)) == ["at the floor"]

    def test_what_is_late_does_not_move_the_position_back(self) -> None:
        offset = poll(start(), [mark("a", 0)], at(1), RULES)
        after = poll(offset, [mark("b", -60)], at(2), RULES)
        assert (after.ts_ms, after.floor_ms) == (offset.ts_ms, offset.floor_ms)

    def test_ties_in_one_second(self) -> None:
        offset = start()
        files = [mark(name, 1) for name in "cab"]
        found = []
        for _ in range(3):
            offset = poll(offset, files, at(2), PollRules(0, 0, max_files=1))
            found += keys(offset)
        assert found == ["a", "b", "c"]
        assert poll(offset, files, at(2), PollRules(0, 0)) is offset
        assert keys(poll(offset, [*files, mark("0", 1)], at(3), PollRules(0, 0))) == ["0"]

    def test_memory_is_by_the_second(self) -> None:
        offset = poll(start(), [mark("a", 1.2), mark("b", 1.7)], at(2), PollRules(0, 0))
        assert offset.floor_ms == at(1.7)
        assert [second for second, _ in offset.seen] == [at(1) // 1000] * 2
        assert [second for second, _ in poll(offset, [mark("c", 2)], at(3), PollRules(0, 0)).seen] == [at(2) // 1000]

    def test_a_wider_window_does_not_lower_the_floor(self) -> None:
        narrow = poll(start(), [mark("a")], NOON_MS, PollRules(1000, 1000))
        wide = poll(narrow, [mark("a"), mark("b", 1)], at(1), RULES)
        assert (narrow.floor_ms, wide.floor_ms) == (at(-1), at(-1))
        # Nor does a narrower one make anybody forget what is above the floor.
        narrow = poll(poll(start(), [mark("a")], NOON_MS, RULES), [mark("b", -5)], at(1), PollRules(1000, 1000))
        assert narrow.floor_ms == at(-1)
        assert poll(narrow, [mark("a"), mark("b", -5)], at(2), PollRules(1000, 1000)) is narrow

    def test_a_file_that_is_listed_twice_is_read_once(self) -> None:
        assert keys(poll(start(), [mark("a"), mark("a"), mark("a", 5)], at(9), RULES)) == ["a"]
        assert poll(start(), [mark("a", 5, etag="new"), mark("a")], at(9), RULES).batch.files == (
            mark("a", 5, etag="new"),
        )


class TestLimits:
    FILES: ClassVar = [
        mark(name, n, size) for n, (name, size) in enumerate({"a": 60, "b": 50, "c": 10, "d": 100}.items())
    ]

    @pytest.mark.parametrize(
        ("max_files", "max_bytes", "batches"),
        [
            (None, None, ["abcd"]),
            (3, None, ["abc", "d"]),
            (1, None, ["a", "b", "c", "d"]),
            (None, 120, ["abc", "d"]),
            (None, 110, ["ab", "cd"]),
            (None, 109, ["a", "bc", "d"]),
            (None, 5, ["a", "b", "c", "d"]),
            (2, 120, ["ab", "cd"]),
            (3, 60, ["a", "bc", "d"]),
            (None, 220, ["abcd"]),
        ],
    )
    def test_the_lower_one_wins_and_one_file_is_always_taken(
        self, max_files: int | None, max_bytes: int | None, batches: list[str]
    ) -> None:
        rules = dataclasses.replace(RULES, max_files=max_files, max_bytes=max_bytes)
        offset, found = start(), []
        while (after := poll(offset, self.FILES, at(9), rules)) is not offset:
            found.append("".join(keys(after)))
            offset = reread(after)
        assert found == batches

    def test_what_is_left_holds_the_floor(self) -> None:
        files = [mark("a", -1e6), mark("b", -9e5), mark("c", 0)]
        rules = dataclasses.replace(RULES, max_files=1)
        floors = []
        offset = start()
        for _ in files:
            offset = poll(offset, files, at(1), rules)
            floors.append(offset.floor_ms)
        assert floors == [at(-1e6 - 7200), at(-9e5 - 7200), at(-7200)]
        # A late one is older than what was taken with it in view.
        late = poll(poll(start(), [mark("a")], NOON_MS, rules), [mark("b", -7200), mark("c", 5e5)], at(5e5), rules)
        assert keys(late) == ["b"]

    def test_what_is_left_holds_the_floor_of_a_window_that_was_wider(self) -> None:
        narrow = PollRules(1000, 1000, max_files=1)
        files = [mark("a"), mark("late", -3000), mark("later", -2000)]
        offset = poll(start(), files[:1], NOON_MS, RULES)
        offset = poll(offset, files, at(1), narrow)
        assert (keys(offset), offset.ts_ms, offset.floor_ms) == (["late"], NOON_MS, at(-2000))
        assert keys(poll(offset, files, at(1), narrow)) == ["later"]

    def test_the_floor_stops_at_what_is_left_however_new_what_is_taken(self) -> None:
        rules = PollRules(0, 0, settle_ms=0, max_files=2)
        offset = poll(start(), [mark("a", 1), mark("b", 2), mark("c", 2)], at(3), rules)
        assert (offset.ts_ms, offset.floor_ms) == (at(2), at(2))
        assert keys(poll(offset, [mark("c", 2)], at(3), rules)) == ["c"]

    def test_from_is_the_earliest_layout_time_that_is_left(self) -> None:
        files = [mark("a", 1, layout_us=5), mark("b", 2, layout_us=3), mark("c", 3, layout_us=4), mark("d", 4)]
        rules = dataclasses.replace(RULES, max_files=1)
        found: list[int | None] = []
        offset = start()
        for _ in files:
            offset = poll(offset, files, at(9), rules)
            found.append(offset.from_us)
        assert found == [3, 4, None, None]


class TestSettle:
    RULES = PollRules(HOUR_MS, HOUR_MS, settle_ms=10_000)

    def test_young_files_wait(self) -> None:
        files = [mark("a", 0), mark("b", 0.001), mark("c", 5)]
        offset = poll(start(), files, at(10), self.RULES)
        assert keys(offset) == ["a"]
        assert keys(poll(offset, files, at(15), self.RULES)) == ["b", "c"]
        assert poll(start(), [mark("b", 1)], at(10), self.RULES) == start()

    def test_they_hold_the_floor_and_from(self) -> None:
        files = [mark("a", 0), mark("waits", 1, layout_us=7)]
        offset = poll(start(), files, at(10), PollRules(0, 0, settle_ms=10_000))
        assert (offset.floor_ms, offset.from_us) == (at(0), 7)

    def test_without_it_none_waits(self) -> None:
        assert keys(poll(start(), [mark("tomorrow", 86_400)], NOON_MS, RULES)) == ["tomorrow"]


class TestClocks:
    def test_a_file_of_tomorrow_is_read_today_and_once(self) -> None:
        files = [mark("a", 1), mark("tomorrow", 86_400)]
        offset = poll(start(), files, at(2), RULES)
        assert keys(offset) == ["a", "tomorrow"]
        assert offset.ts_ms == at(2)
        for hour in range(72):  # nothing honest is lost, and it does not come again
            fresh = mark(f"h{hour}", 3600 * hour + 3)
            files.append(fresh)
            offset = poll(reread(offset), files, at(3600 * hour + 4), RULES)
            assert offset.batch.files == (fresh,)
        assert len(offset.seen) <= 4  # that of tomorrow is forgotten like all others

    def test_a_clock_here_that_runs_behind_costs_memory_only(self) -> None:
        offset = poll(start(), [mark("a", 100_000)], NOON_MS, RULES)
        assert (offset.ts_ms, offset.floor_ms) == (NOON_MS, at(-7200))
        assert keys(poll(offset, [mark("a", 100_000), mark("b", 99_000)], NOON_MS, RULES)) == ["b"]

    def test_a_clock_here_that_runs_ahead_moves_nothing(self) -> None:
        assert poll(start(), [mark("a")], at(1e6), RULES) == poll(start(), [mark("a")], NOON_MS, RULES)

    def test_a_clock_that_is_set_back_does_not_move_the_position_back(self) -> None:
        offset = poll(start(), [mark("a", 60)], at(60), RULES)
        assert poll(offset, [mark("b", 61)], at(30), RULES).ts_ms == at(60)


class TestOverwrites:
    def test_within_lateness_are_ignored_for_good(self) -> None:
        first, second = mark("a", 0, etag="1"), mark("a", 3600, etag="2")
        offset = poll(start(), [first], at(1), RULES)
        assert poll(offset, [second], at(3601), RULES) is offset
        # Not even when the floor comes between the two versions and goes on.
        for hour in range(1, 8):
            fresh = mark(f"h{hour}", 3600 * hour)
            offset = poll(reread(offset), [second, fresh], at(3600 * hour), RULES)
            assert offset.batch.files == (fresh,)
        assert len(offset.seen) == 4  # of lateness and window

    def test_later_ones_are_new_files(self) -> None:
        offset = poll(start(), [mark("a", 0)], at(1), RULES)
        second = mark("a", 3601, etag="2")
        after = poll(offset, [second], at(3602), RULES)
        assert after.batch.files == (second,)
        assert len(after.seen) == 1
        assert poll(after, [second], at(3603), RULES) is after
        assert poll(after, [mark("a", 7201)], at(7202), RULES) is after
        assert keys(poll(after, [mark("a", 7202)], at(7203), RULES)) == ["a"]

    def test_older_ones_are_ignored(self) -> None:
        offset = poll(start(), [mark("a", 0)], at(1), RULES)
        assert poll(offset, [mark("a", -3600)], at(2), RULES) is offset

    def test_by_etag_each_version_is_a_file(self) -> None:
        offset = poll(start("key+etag"), [mark("a", 0, etag="1")], at(1), RULES)
        after = poll(offset, [mark("a", 0, etag="2")], at(2), RULES)
        assert [file.etag for file in after.batch.files] == ["2"]
        assert poll(after, [mark("a", 0, etag="1")], at(3), RULES) is after
        assert poll(after, [mark("a", 0, etag="2")], at(3), RULES) is after

    def test_without_etags_times_tell_versions_apart(self) -> None:
        offset = poll(start("key+etag"), [mark("a", 0, etag="")], at(1), RULES)
        assert poll(offset, [mark("a", 3600, etag="")], at(3601), RULES) is offset
        assert keys(poll(offset, [mark("a", 3601, etag="")], at(3602), RULES)) == ["a"]

    @pytest.mark.parametrize("identity", ["key", "key+etag"])
    def test_is_new_is_the_rule_of_a_poll(self, identity: str) -> None:
        offset = poll(start(identity), [mark("a", 0)], at(1), RULES)
        for file in (mark("a", 0), mark("a", 3600), mark("a", 3601), mark("a", 0, etag="2"), mark("b")):
            taken = poll(offset, [file], at(9999), RULES) is not offset
            assert is_new(offset, file, RULES.lateness_ms) is taken


class TestLowestLayout:
    H, S = 3_600_000_000, 1_000_000

    def test_of_a_new_query_is_all(self) -> None:
        assert lowest_layout_us(start(), None, self.H, self.H) is None

    def test_is_lateness_and_slack_before_position_or_poll(self) -> None:
        offset = poll(start(), [mark("a", 10)], at(11), RULES)
        assert lowest_layout_us(offset, None, 2 * self.S, 3 * self.S) == at(5) * 1000
        assert lowest_layout_us(offset, at(0), 2 * self.S, 3 * self.S) == at(5) * 1000
        assert lowest_layout_us(offset, at(20), 2 * self.S, 3 * self.S) == at(15) * 1000
        assert lowest_layout_us(offset, at(20), 2 * self.S, 3 * self.S, settle_us=self.S) == at(14) * 1000
        assert lowest_layout_us(start(), at(20), 0, 0) == at(20) * 1000

    def test_reaches_what_was_left(self) -> None:
        files = [mark("a", 10), mark("b", 11, layout_us=at(-50) * 1000)]
        offset = poll(start(), files, at(12), dataclasses.replace(RULES, max_files=1))
        assert lowest_layout_us(offset, at(20), 0, 0) == at(-50) * 1000
        assert lowest_layout_us(offset, at(20), 100 * self.S, 0) == at(-80) * 1000


class TestBoundedSeen:
    """A million files in one window, here scaled down; the limit of the real one is ``MAX_SEEN``."""

    RULES = dataclasses.replace(RULES, max_files=100, max_seen=250)

    def drain(self, offset: Offset, files: list[StreamFile], now_ms: int) -> tuple[list[str], Offset]:
        found: list[str] = []
        while (after := poll(offset, files, now_ms, self.RULES)) is not offset:
            found += keys(after)
            assert len(after.seen) <= 250
            offset = reread(after)
        return found, offset

    @pytest.mark.parametrize("times", ["one", "few", "many"])
    def test_a_bulk_copy_that_is_over(self, times: str) -> None:
        """All files are taken at once, also if they have one modification time, as a second on S3."""
        spread = {"one": 0, "few": 3, "many": 1800}[times]
        files = [mark(f"{n:04}", n * spread // 2000) for n in range(2000)]
        found, offset = self.drain(start(), files[::-1], at(4 * 3600))
        assert found == [file.key for file in files]
        assert self.drain(offset, files, at(5 * 3600))[0] == []

    def test_a_bulk_copy_that_goes_on(self) -> None:
        files = [mark(f"{n:04}", n) for n in range(1000)]
        found, offset = self.drain(start(), files, at(1000))
        assert found == [file.key for file in files[:250]]
        late = mark("late", 10)  # visible within lateness
        found, offset = self.drain(offset, [*files, late], at(3000))
        assert found == []
        more, offset = self.drain(offset, [*files, late], at(5 * 3600))
        assert sorted(more) == sorted(file.key for file in [*files[250:], late])
        assert self.drain(offset, [*files, late], at(9 * 3600))[0] == []

    def test_files_that_wait_are_listed_again(self) -> None:
        files = [mark(f"{n:04}", n, layout_us=n) for n in range(300)]
        rules = dataclasses.replace(self.RULES, max_files=250)
        full = poll(start(), files[:250], at(1000), rules)
        assert full.from_us is None
        waiting = poll(full, files[250:], at(1000), rules)
        assert (waiting.batch.files, waiting.from_us) == ((), 250)
        assert poll(waiting, files[250:], at(1000), rules) is waiting

    def test_an_offset_with_a_key_is_refused_by_releases_that_do_not_know_it(self) -> None:
        offset = dataclasses.replace(start(), floor_key="a\udc80")
        assert offset.to_dict()["v"] == 2
        assert start().to_dict()["v"] == 1
        assert reread(offset) == offset

    def test_a_full_offset_is_smaller_than_a_megabyte(self) -> None:
        chance = random.Random(1)
        seen = sorted((NOON_MS // 1000 + chance.randrange(7200), chance.getrandbits(64)) for _ in range(MAX_SEEN))
        assert len(json.dumps(dataclasses.replace(start(), seen=tuple(seen)).to_dict())) < 1_000_000
