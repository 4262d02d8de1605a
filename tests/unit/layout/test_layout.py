"""Layouts: what their notation means, the intervals of their tokens, and that match undoes render."""

from __future__ import annotations

import datetime as dt
import pickle
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.errors import LayoutError
from pyspark_logs.layout import (
    DAY_US,
    HOUR_US,
    Layout,
    LayoutMatch,
    escape_value,
    hive_layout,
    is_hidden,
    is_hidden_key,
    time_span,
    unescape_value,
)


def us(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp()) * 1_000_000


def span(layout: str, key: str, zone: str = "UTC") -> tuple[int | None, int | None]:
    match = Layout.parse(layout, zone).match(key)
    assert match is not None
    return match.start_us, match.end_us


HOUR_10 = (us("2026-11-22T10:00+00:00"), us("2026-11-22T11:00+00:00"))
HOUR_5 = (us("2026-03-07T05:00+00:00"), us("2026-03-07T06:00+00:00"))
DAY_22 = (us("2026-11-22T00:00+00:00"), us("2026-11-23T00:00+00:00"))


@pytest.mark.parametrize(
    ("layout", "key", "expected"),
    [
        ("{yyyy}/{MM}/{dd}/{HH}", "2026/11/22/10/a.gz", HOUR_10),
        ("/{yyyy}/{MM}/{dd}/", "2026/11/22/deep/er/a.gz", DAY_22),
        ("year={yyyy}/month={MM}/day={dd}/hour={HH}", "year=2026/month=11/day=22/hour=10/a", HOUR_10),
        ("dt={yyyy-MM-dd}/hr={HH}", "dt=2026-11-22/hr=10/a", HOUR_10),
        ("{yyyyMMddHH}", "2026112210/a", HOUR_10),
        ("{yyyy-MM-dd-HH}", "2026-11-22-10/a", HOUR_10),
        ("{yyyy-MM-ddTHH}", "2026-11-22T10/a", HOUR_10),
        ("{yyyy-MM-dd'at'HH}", "2026-11-22at10/a", HOUR_10),
        ("{yyyy_MM_dd HH.mm}", "2026_11_22 10.05/a", (HOUR_10[0] + 300_000_000, HOUR_10[0] + 360_000_000)),
        ("logs-{yyyy-MM-dd-HH}.gz", "logs-2026-11-22-10.gz", HOUR_10),
        ("logs-{yyyyMMdd}", "logs-20261122", DAY_22),
        ("logs-{yyyyMMdd}", "logs-20261122/a", DAY_22),
        ("{dd}.{MM}.{yyyy}/app", "22.11.2026/app", DAY_22),
        ("{yyyy}", "2026/a", (us("2026-01-01T00:00+00:00"), us("2027-01-01T00:00+00:00"))),
        ("{yyyy}/{MM}", "2026/12/a", (us("2026-12-01T00:00+00:00"), us("2027-01-01T00:00+00:00"))),
        ("{yyyy}/{MM}", "2028/02/a", (us("2028-02-01T00:00+00:00"), us("2028-03-01T00:00+00:00"))),
        ("year={yyyy}/month={MM}/day={dd}/hour={HH}", "year=2026/month=3/day=7/hour=5/a", HOUR_5),
        ("year={yyyy}/month={MM}/day={dd}/hour={HH}", "year=2026/month=03/day=7/hour=05/a", HOUR_5),
        ("{yyyy-MM-dd-HH}", "2026-3-7-5/a", HOUR_5),
        ("app.{yyyy-MM-dd-HH}.log", "app.2026-3-7-5.log", HOUR_5),
        ("app.{yyyy-MM-ddTHH}", "app.2026-3-7T5", HOUR_5),
        ("*/{yyyy}/*", "anything/2026/a", (us("2026-01-01T00:00+00:00"), us("2027-01-01T00:00+00:00"))),
        ("{{x}}/{yyyy}", "{x}/2026/a", (us("2026-01-01T00:00+00:00"), us("2027-01-01T00:00+00:00"))),
    ],
)
def test_a_key_has_the_interval_its_tokens_mean(layout: str, key: str, expected: tuple[int, int]) -> None:
    assert span(layout, key) == expected


@pytest.mark.parametrize(
    ("layout", "key", "values"),
    [
        ("{team}/{yyyy}", "web/2026/a", ("web",)),
        ("AWSLogs/{account}/elasticloadbalancing/{region}/{yyyy}/{MM}/{dd}",
         "AWSLogs/123/elasticloadbalancing/eu-west-1/2026/11/22/x.log.gz", ("123", "eu-west-1")),
        ("{dist}.{yyyy-MM-dd-HH}.*", "E1A2.2026-11-22-10.abcdef.gz", ("E1A2",)),
        ("{a}-{b}.log", "x-y-z.log", ("x", "y-z")),
        ("{a}{yyyy}", "web2026", ("web",)),
        ("k={k}", "k=a%2Fb%3D/f", ("a/b=",)),
        ("k={k}", "k=__HIVE_DEFAULT_PARTITION__/f", (None,)),
        ("k={k}", "k=100%/f", ("100%",)),
        ("{team}/*/{host}", "web/any/h1/f", ("web", "h1")),
    ],
)  # fmt: skip
def test_columns_have_the_text_of_their_place(layout: str, key: str, values: tuple[str | None, ...]) -> None:
    match = Layout.parse(layout).match(key)
    assert match is not None
    assert match.values == values


@pytest.mark.parametrize(
    ("layout", "key"),
    [
        ("{yyyy}/{MM}/{dd}", "2026/02/31/a"),
        ("{yyyy}/{MM}/{dd}", "2026/13/01/a"),
        ("{yyyy}/{MM}/{dd}/{HH}", "2026/11/22/24/a"),
        ("{yyyy}", "0000/a"),
        ("{yyyy}", "9999/a"),
        ("{yyyy}/{MM}", "2026/0/a"),
        ("{yyyy}/{MM}", "2026/٠١/a"),
        ("{yyyy}/{MM}/{dd}", "26/11/22/a"),
        ("{yyyyMMdd}", "2026112/a"),  # without a separator, only two digits are certain
        ("{yyyy-MM}1", "2026-11/a"),
        ("{yyyy}/{MM}", "2026/011/a"),
        ("{yyyy}/{MM}/{dd}", "2026/11"),
        ("{yyyy}/{MM}/{dd}", "2026/11/22"),  # a file: the day must be a directory
        ("{team}", "stray.log"),
        ("k={k}", "k=/a"),
        ("k={k}", "K=1/a"),
        ("app/{yyyy}", "other/2026/a"),
        ("logs-{yyyy-MM-dd}.gz", "logs-2026-11-22xgz"),
    ],
)
def test_a_key_that_does_not_fit_has_no_match(layout: str, key: str) -> None:
    assert Layout.parse(layout).match(key) is None
    assert not Layout.parse(layout).matches(key)


@pytest.mark.parametrize(
    ("layout", "says"),
    [
        ("{yyyy}/{HH}", "{HH} without {MM}"),
        ("{HH}", "{HH} without {yyyy}"),
        ("{yyyy-mm-dd}", "MM is the month, mm the minute"),
        ("{yyyy}/{yyyy-MM}", "{yyyy} occurs twice"),
        ("{team}/{Team}", "{Team} occurs twice"),
        ("{YYYY}/{MM}", "{YYYY} is not a time token"),
        ("{yyyy-MM-DD}", "{yyyy-MM-DD} is not a time token"),
        ("{yyyy}/{ss}", "{ss} is not a time token"),
        ("{team:string}", "neither a time token nor a column name"),
        ("{}", "neither a time token nor a column name"),
        ("{yyyy", "unbalanced brace"),
        ("yyyy}", "unbalanced brace"),
        ("{yyyy/MM}", "unbalanced brace"),
        ("{a{b}}", "unbalanced brace"),
        ("a//b", "empty segment"),
        ("", "empty segment"),
        ("/", "empty segment"),
        ("{a}{b}", "no text separates {a} from {b}"),
        ("{a}*", "no text separates {a} from *"),
        ("**/{yyyy}", "'**' is not supported"),
        ("_logs/{yyyy}", "hidden"),
        (".x/{yyyy}", "hidden"),
        ("logs/yyyy/MM/dd", "fields are in braces: logs/{yyyy}/{MM}/{dd}"),
        ("dt=%Y-%m-%d", "fields are in braces: dt={yyyy}-{MM}-{dd}"),
    ],
)
def test_what_a_layout_cannot_be_is_said(layout: str, says: str) -> None:
    with pytest.raises(LayoutError) as error:
        Layout.parse(layout)
    assert says in str(error.value)
    assert repr(layout) in str(error.value)


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(LayoutError, match="not a time zone"):
        Layout.parse("{yyyy}", "Mars/Base")


@pytest.mark.parametrize(
    ("layout", "granularity_us", "slack_us", "in_file_name", "ends_in_directory"),
    [
        ("{yyyy}", 366 * DAY_US, 366 * DAY_US, False, True),
        ("{yyyy}/{MM}", 31 * DAY_US, 31 * DAY_US, False, True),
        ("dt={yyyy-MM-dd}", DAY_US, DAY_US, False, True),
        ("{yyyy}/{MM}/{dd}/{HH}", HOUR_US, HOUR_US, False, True),
        ("{yyyyMMddHHmm}", HOUR_US // 60, HOUR_US, False, True),
        ("{yyyy.MM.dd}", DAY_US, DAY_US, False, True),
        ("{team}", 0, HOUR_US, False, True),
        ("{yyyy}/app", 366 * DAY_US, 366 * DAY_US, False, False),
        ("logs-{yyyyMMdd}", DAY_US, DAY_US, False, False),
        ("{app}-{yyyyMMdd}", DAY_US, DAY_US, False, False),
        ("{yyyyMMdd}.log", DAY_US, DAY_US, True, False),
        ("{yyyyMMdd}*", DAY_US, DAY_US, True, False),
        ("{yyyy}/*", 366 * DAY_US, 366 * DAY_US, True, False),
        ("*/{yyyy}", 366 * DAY_US, 366 * DAY_US, False, True),
        ("v1.0/{yyyy}", 366 * DAY_US, 366 * DAY_US, False, True),
    ],
)
def test_properties(
    layout: str, granularity_us: int, slack_us: int, in_file_name: bool, ends_in_directory: bool
) -> None:
    found = Layout.parse(layout)
    assert found.granularity_us == granularity_us
    assert found.default_slack_us == slack_us
    assert found.in_file_name == in_file_name
    assert found.ends_in_directory == ends_in_directory


def test_a_layout_travels() -> None:
    layout = Layout.parse("{team}/{yyyy-MM-dd}", "Europe/Berlin")
    key = "web/2026-11-22/a"
    copy = pickle.loads(pickle.dumps(layout))
    assert copy == layout
    assert hash(copy) == hash(layout)
    assert copy.match(key) == layout.match(key)


def test_hive_names_are_never_time() -> None:
    layout = hive_layout(["yyyy", "dd", "a b"])
    assert layout.columns == ("yyyy", "dd", "a b")
    assert layout.match("yyyy=1/dd=2/a b=3/f") == LayoutMatch(None, None, ("1", "2", "3"))
    assert layout.match("yyyy=1/dd=2/f") == LayoutMatch(None, None, ("1", "2", None))
    flat = hive_layout([])
    assert flat.columns == ()
    assert flat.match("any/thing") == LayoutMatch()


# --- summer time --------------------------------------------------------------------------------

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("key", "start", "end"),
    [
        ("2026/07/01/00", "2026-06-30T22:00+00:00", "2026-06-30T23:00+00:00"),
        # It ends on 25 October at 03:00, which becomes 02:00: that hour occurs twice.
        ("2026/10/25/01", "2026-10-24T23:00+00:00", "2026-10-25T00:00+00:00"),
        ("2026/10/25/02", "2026-10-25T00:00+00:00", "2026-10-25T02:00+00:00"),
        ("2026/10/25/03", "2026-10-25T02:00+00:00", "2026-10-25T03:00+00:00"),
        # It begins on 29 March at 02:00, which becomes 03:00: what skipped hours hold is not lost.
        ("2026/03/29/01", "2026-03-29T00:00+00:00", "2026-03-29T01:00+00:00"),
        ("2026/03/29/02", "2026-03-29T01:00+00:00", "2026-03-29T02:00+00:00"),
        ("2026/03/29/03", "2026-03-29T01:00+00:00", "2026-03-29T02:00+00:00"),
    ],
)
def test_tokens_are_wall_clock(key: str, start: str, end: str) -> None:
    assert span("{yyyy}/{MM}/{dd}/{HH}", key + "/f", BERLIN) == (us(start), us(end))


@pytest.mark.parametrize("zone", [BERLIN, "America/Sao_Paulo", "Australia/Lord_Howe", "America/Nuuk", "Asia/Kolkata"])
@pytest.mark.parametrize("year", [2018, 2024, 2026])
def test_days_follow_one_another_in_every_zone(zone: str, year: int) -> None:
    day, spans = dt.date(year, 1, 1), []
    while day.year == year:
        spans.append(time_span((day.year, day.month, day.day), zone))
        day += dt.timedelta(days=1)
    assert all(one[1] == other[0] for one, other in pairwise(spans))
    assert (spans[0][0], spans[-1][1]) == time_span((year,), zone)


instants = st.integers(us("1990-01-01T00:00+00:00"), us("2060-01-01T00:00+00:00"))
zones = st.sampled_from(["UTC", BERLIN, "America/Sao_Paulo", "Australia/Lord_Howe", "America/Nuuk", "Asia/Kolkata"])


@given(instants, zones, st.integers(1, 5))
def test_an_instant_lies_in_the_interval_of_its_own_tokens_and_that_in_the_coarser_one(
    instant: int, zone: str, size: int
) -> None:
    wall = dt.datetime.fromtimestamp(instant // 1_000_000, ZoneInfo(zone))
    tokens = (wall.year, wall.month, wall.day, wall.hour, wall.minute)
    start, end = time_span(tokens[:size], zone)
    assert start <= instant < end
    finer = time_span(tokens, zone)
    outer = time_span(tokens[:size], zone, outer=True)
    assert outer[0] <= finer[0] < finer[1] <= outer[1]


@given(st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1)), st.integers(0, 23), zones, st.integers(1, 4))
def test_even_skipped_hours_lie_in_the_outer_interval(day: dt.date, hour: int, zone: str, size: int) -> None:
    tokens = (day.year, day.month, day.day, hour)
    start, end = time_span(tokens, zone)
    outer = time_span(tokens[:size], zone, outer=True)
    assert outer[0] <= start < end <= outer[1]


# --- render ---------------------------------------------------------------------------------------

RENDERED = [
    "{team}/{yyyy}/{MM}/{dd}/{HH}",
    "dt={yyyy-MM-dd}/hr={HH}",
    "{a}-{b}/{yyyyMMddHHmm}",
    "{a}{yyyy}/x-{b}-y",
    "k={k}/{yyyy}",
    "{a}",
    "{yyyy}/{MM}",
]
values = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
tricky = st.text(st.sampled_from("a1-_.%/=x:é2"), min_size=1, max_size=6)
tricky |= st.sampled_from([None, "..", ".", "_", "__HIVE_DEFAULT_PARTITION__", "a._COPYING_", "_commits", "~"])


@given(st.sampled_from(RENDERED), zones, instants, st.lists(values | tricky, min_size=2, max_size=2))
def test_match_undoes_render(text: str, zone: str, instant: int, drawn: list[str | None]) -> None:
    layout = Layout.parse(text, zone)
    wanted = tuple(drawn[: len(layout.columns)])
    try:
        path = layout.render(instant, wanted)
    except LayoutError:
        # Refused rather than written wrongly, as "{a}-{b}" with a null that its "-" does not end.
        assert None in wanted
        assert len(layout.columns) > 1
        return
    assert not is_hidden_key(path + "/f")
    match = layout.match(path + "/f")
    assert match is not None
    assert layout.matches(path + "/f")
    assert match.values == wanted
    if match.start_us is not None:
        assert match.start_us <= instant < match.end_us


def test_times_are_written_with_two_digits() -> None:
    assert Layout.parse("y={yyyy}/{MM}/{dd}/{HH}").render(HOUR_5[0], []) == "y=2026/03/07/05"


def test_render_refuses_what_would_not_read_back() -> None:
    with pytest.raises(LayoutError, match="has no value to write"):
        Layout.parse("{yyyy}/*").render(0, [])
    with pytest.raises(LayoutError, match="has no value to write"):
        Layout.parse("{yyyy}").render(None, [])
    with pytest.raises(LayoutError, match="read back"):
        Layout.parse("k={k}").render(None, [""])
    with pytest.raises(LayoutError, match="2 values for 1 columns"):
        Layout.parse("k={k}").render(None, ["a", "b"])


def test_values_are_escaped_as_hive_does() -> None:
    assert escape_value("a/b=c d:ü%") == "a%2Fb%3Dc d%3Aü%25"
    assert escape_value("_x", first=True) == "%5Fx"
    assert escape_value("_x") == "_x"
    assert escape_value("x._COPYING_") == "x._COPYING%5F"
    assert unescape_value("%e4%3A") == "ä:"
    assert unescape_value("50%") == "50%"


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("_SUCCESS", True), (".crc", True), ("_k=1", False), (".k=1", True), ("a._COPYING_", True), ("a_b", False),
     ("__HIVE_DEFAULT_PARTITION__", False)],
)  # fmt: skip
def test_hidden_names_are_sparks(name: str, hidden: bool) -> None:
    assert is_hidden(name) == hidden
    assert is_hidden_key(f"a/{name}/b") == hidden


@pytest.mark.parametrize("text", ["{a}/\0b={b}", "a\n/{b}", "{a}\x7f"])
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(LayoutError, match="is a control character"):
        Layout.parse(text)
