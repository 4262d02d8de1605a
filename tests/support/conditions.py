"""Random conditions on one table of odd values, as trees of tuples and as SQL."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa

UTC = dt.timezone.utc

STRINGS = [
    "",
    "a",
    "A",
    "ab",
    "aB",
    "b",
    "a%b",
    "a_b",
    "a\\b",
    "x'y",
    "é",
    "\U0001f600",
    "10",
    "error",
    "ERROR",
    "a\nb",
    "  a",
]
TIMES = [
    dt.datetime(2026, 3, 29, 0, 59, 59, 999999),
    dt.datetime(2026, 3, 29, 1, 0),
    dt.datetime(2026, 10, 24, 23, 30),
    dt.datetime(2026, 1, 1),
    dt.datetime(1969, 12, 31, 23, 59, 59, 1),
    dt.datetime(2026, 1, 1, 0, 0, 0, 1),
]
COLUMNS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "s": (pa.string(), STRINGS),
    "t": (pa.string(), ["a", "AB", "", "a%b", "é"]),
    "tiny": (pa.int8(), [-128, -1, 0, 1, 127]),
    "i": (pa.int32(), [-(1 << 31), -5, 0, 5, 16777217, (1 << 31) - 1]),
    "l": (pa.int64(), [-(1 << 63), 0, 5, (1 << 53) + 1, (1 << 63) - 1]),
    "b": (pa.bool_(), [True, False]),
    "f": (pa.float32(), [0.0, -0.0, 0.1, 5.0, float("nan"), float("inf"), 16777216.0]),
    "d": (pa.float64(), [0.0, -0.0, 0.1, 5.0, float("nan"), float("-inf"), 9007199254740992.0]),
    "e": (pa.decimal128(10, 2), [Decimal("0.00"), Decimal("0.10"), Decimal("5.00"), Decimal("-5.01"), Decimal("99999999.99")]),
    "day": (pa.date32(), [time.date() for time in TIMES]),
    "ts": (pa.timestamp("us", "UTC"), [time.replace(tzinfo=UTC) for time in TIMES]),
    "wall": (pa.timestamp("us"), TIMES),
}  # fmt: skip
KINDS = {
    "string": ["s", "t"],
    "number": ["tiny", "i", "l", "f", "d", "e"],
    "time": ["day", "ts"],
    "wall": ["day", "wall"],
    "boolean": ["b"],
}
OPERATORS = ["=", "<>", "<", "<=", ">", ">=", "<=>", "!=", "=="]
PATTERNS = ["a%", "%b", "%a%", "a_b", "a\\%b", "a\\\\b", "_", "%", "", "a%b", "%\n%", "%'%", "__%"]
EXPRESSIONS = ["a", "^a", "b$", "[A-Z]+", "a.b", "^$", "é|x"]


def table(rows: int = 400, seed: int = 7) -> pa.Table:
    """Returns random rows of the columns, a tenth of each column null."""
    random = Random(seed)
    columns = {
        name: pa.array([None if random.random() < 0.1 else random.choice(values) for _ in range(rows)], dtype)
        for name, (dtype, values) in COLUMNS.items()
    }
    return pa.table(columns)


def condition(random: Random, depth: int = 3) -> tuple[Any, ...]:
    """Returns a random condition: ("and"|"or", children), ("not", child), or a test of a column."""
    shape = random.random()
    if depth and shape < 0.35:
        word = random.choice(["and", "or"])
        return (word, *(condition(random, depth - 1) for _ in range(random.randint(2, 3))))
    if depth and shape < 0.5:
        return ("not", condition(random, depth - 1))
    return _test(random)


def _test(random: Random) -> tuple[Any, ...]:
    kind = random.choice([*KINDS, "string", "number"])
    column = random.choice(KINDS[kind])
    form = random.choice(["compare", "compare", "compare", "in", "between", "null", "special"])
    if form == "null":
        return ("null", random.choice([*COLUMNS]))
    if form == "in":
        values = tuple(literal(random, kind) for _ in range(random.randint(1, 4)))
        return ("in", column, values + ((("NULL", None),) if random.random() < 0.2 else ()))
    if form == "between":
        return ("between", column, literal(random, kind), literal(random, kind))
    if form == "special" and kind == "string":
        if random.random() < 0.3:
            return ("rlike", column, random.choice(EXPRESSIONS))
        return ("like", column, random.choice(PATTERNS))
    if form == "special" and kind == "boolean":
        return ("truth", column)
    if form == "special" and kind != "wall":
        return ("columns", random.choice(OPERATORS), column, random.choice(KINDS[kind]))
    return ("compare", random.choice(OPERATORS), column, literal(random, kind))


def literal(random: Random, kind: str) -> tuple[str, Any]:
    """Returns a literal as SQL, and its value in Python: an int, a Decimal, a float (a double), a string, a time..."""
    if kind == "string":
        value = random.choice(STRINGS)
        return quote(value), value
    if kind == "boolean":
        value = random.choice([True, False])
        return str(value).lower(), value
    if kind == "number":
        return random.choice([
            ("5", 5), ("0", 0), ("-1", -1), ("127", 127), ("128", 128), ("2147483648", 1 << 31), ("9007199254740993", (1 << 53) + 1),
            ("0.1", Decimal("0.1")), ("5.00", Decimal(5)), ("-5.01", Decimal("-5.01")), ("0.1D", 0.1), ("5e0", 5.0), ("-0.0D", -0.0),
        ])  # fmt: skip
    time = random.choice(TIMES)
    if random.random() < 0.3:
        return f"DATE '{time.date()}'", time.date()
    if kind == "wall":
        return f"TIMESTAMP_NTZ '{time}'", time
    if random.random() < 0.3:
        return f"TIMESTAMP '{time}+00:00'", time.replace(tzinfo=UTC)
    return f"TIMESTAMP '{time}'", ("local", time)


def quote(value: str) -> str:
    """Returns a string as a literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n") + "'"


def sql(tree: tuple[Any, ...]) -> str:
    """Returns a condition as SQL."""
    word = tree[0]
    if word in ("and", "or"):
        return f" {word.upper()} ".join(f"({sql(child)})" for child in tree[1:])
    if word == "not":
        return f"NOT ({sql(tree[1])})"
    if word == "compare":
        return f"{tree[2]} {tree[1]} {tree[3][0]}"
    if word == "columns":
        return f"{tree[2]} {tree[1]} {tree[3]}"
    if word == "in":
        return f"{tree[1]} IN ({', '.join(text for text, _ in tree[2])})"
    if word == "between":
        return f"{tree[1]} BETWEEN {tree[2][0]} AND {tree[3][0]}"
    if word == "like":
        return f"{tree[1]} LIKE {quote(tree[2])}"
    if word == "rlike":
        return f"{tree[1]} RLIKE {quote(tree[2])}"
    return f"{tree[1]} IS NULL" if word == "null" else tree[1]
