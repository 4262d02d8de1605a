"""Writer of JSON lines, an object a line."""

from __future__ import annotations

import itertools
import json
from collections.abc import Hashable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import concat_texts, text_scalar
from pyspark_logs.formats.compiled.render_program import LineRules, ValueForm
from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.json.render_plan import json_form
from pyspark_logs.formats.json.rendering import (
    cast_to_plain_type,
    escape_json,
    quote_json,
    render_json,
    render_json_text,
)
from pyspark_logs.formats.types.casts import fits, plain_type, replace_invalid_utf8, to_instants
from pyspark_logs.formats.types.field_type import RenderResult
from pyspark_logs.formats.writing.column_program import ColumnProgram, PlannedValue, compile_values
from pyspark_logs.formats.writing.line_writer import FindUnencodable, UnwritableValues, characters_of, unwritable_values
from pyspark_logs.formats.writing.render_plan import RenderPlan


class JsonWriter:
    """Renders columns as JSON; see :class:`pyspark_logs.formats.writing.line_writer.LineWriter`.

    Every line has every key, with ``null`` for null. So all lines of a file have the same shape, which readers parse
    fastest, and a schema inferred from a sample has all columns.

    Args:
        schema: the columns.
        zone: time zone of timestamps without a zone.
        unencodable: function that finds characters that the encoding lacks; None: the encoding has all characters.
        fields: path and notation of the values of each column.
    """

    first = 0

    def __init__(
        self, schema: pa.Schema, zone: str, unencodable: FindUnencodable | None, fields: Sequence[JsonField]
    ) -> None:
        self.zone, self.unencodable = zone, unencodable
        self.names = tuple(schema.names)
        self.nullable = (True,) * len(self.names)
        self.times = [field.time() for field in fields]
        self.is_json_text = [field.type == "json" for field in fields]
        self.order, self.openings, self.closing = object_layout([field.keys for field in fields])
        self._programs: dict[Hashable, ColumnProgram] = {}

    def cast_lossless(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], list[UnwritableValues]]:
        """Returns the columns to render, and the strings that are not UTF-8 and the times that are not instants."""
        columns, problems = [], []
        for index, name in enumerate(self.names):
            array = cast_to_plain_type(batch.column(name))
            if self.times[index] is not None:
                array, lost = to_instants(array, self.zone)
                problems += unwritable_values(index, lost, "never was in the time zone, or is finer than microseconds")
            elif pa.types.is_string(array.type):
                array, lost = replace_invalid_utf8(array)
                problems += unwritable_values(index, lost, "is not valid UTF-8")
            columns.append(array)
        return columns, problems

    def render_lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        """Joins the rendered values and the constant text between them."""
        parts: list[pa.Array | str] = []
        problems: list[UnwritableValues] = []
        quote = ""
        for index, opening in zip(self.order, self.openings, strict=True):
            array = columns[index]
            is_string = pa.types.is_string(array.type) and self.times[index] is None and not self.is_json_text[index]
            if is_string and array.null_count == 0:
                parts += [quote + opening + '"', escape_json(array)]  # the quotes become part of the constants
                quote = '"'
                continue
            strings, lossy = self._render(index, array)
            problems += unwritable_values(index, lossy, "has no JSON text that reads back")
            parts += [quote + opening, strings.fill_null(text_scalar("null"))]
            quote = ""
        parts.append(quote + self.closing + "\n")
        lines = concat_texts(*parts)
        for character in self.unencodable(characters_of(lines)) if self.unencodable is not None else ():
            lines = pc.replace_substring(lines, character, json.dumps(character)[1:-1])
        return lines, problems

    def _render(self, index: int, array: pa.Array) -> RenderResult:
        time = self.times[index]
        if self.is_json_text[index]:
            return render_json_text(array), None
        if time is None:
            return render_json(array, self.zone)
        strings, lossy = time.render(array, self.zone)
        return strings if time.json_kind == "number" else quote_json(strings), lossy

    def plan_rendering(
        self, columns: Sequence[pa.Array], avoided: frozenset[Hashable], rules: LineRules
    ) -> RenderPlan | None:
        """Returns a plan in which the machine renders scalars; other values are rendered as whole columns."""
        types = tuple(column.type for column in columns)
        key = (types, avoided, rules)
        if key not in self._programs:
            values = [
                PlannedValue(opening, index, None if position in avoided else self._form(index, types[index]))
                for position, (index, opening) in enumerate(zip(self.order, self.openings, strict=True))
            ]
            self._programs[key] = compile_values(values, self.closing + "\n", rules)

        def render_value(position: int) -> tuple[pa.Array, list[UnwritableValues]]:
            index = self.order[position]
            strings, lossy = self._render(index, columns[index])
            return strings.fill_null(text_scalar("null")), unwritable_values(index, lossy, "")

        return self._programs[key].plan(columns, render_value)

    def _form(self, index: int, dtype: pa.DataType) -> ValueForm | None:
        return None if self.is_json_text[index] else json_form(dtype, self.times[index], self.zone)

    def uncertain_rows(self, columns: Sequence[pa.Array]) -> None:
        """Returns None: every rendered line is valid JSON, so no line needs a check."""
        return

    def comparable_texts(self, column: int, array: pa.Array) -> list[str]:
        """Returns the values as strings; not called, because no line is checked."""
        return [str(value) for value in array.to_pylist()]

    def replace_by_spaces(self, column: int, values: pa.Array) -> pa.Array | None:
        """Returns strings unchanged: U+FFFD has replaced invalid bytes, and every other character can be written."""
        return values if pa.types.is_string(values.type) else None


def object_layout(paths: Sequence[tuple[str, ...]]) -> tuple[list[int], list[str], str]:
    """Returns the order of values that puts the values of one object together, and the text between the values.

    Args:
        paths: keys that lead to each value; no path is the beginning of another.

    Returns:
        Indices of the paths in the order in which the values are written, the text before each of these values, and the
        text after the last value.

    >>> object_layout([("a", "x"), ("b",), ("a", "y")])
    ([0, 2, 1], ['{"a":{"x":', ',"y":', '},"b":'], '}')
    """
    first_seen: dict[tuple[str, ...], int] = {}
    for path in paths:
        for end in range(1, len(path) + 1):
            first_seen.setdefault(path[:end], len(first_seen))
    order = sorted(
        range(len(paths)),
        key=lambda index: [first_seen[paths[index][:end]] for end in range(1, len(paths[index]) + 1)],
    )
    openings: list[str] = []
    open_objects: tuple[str, ...] = ()
    for index in order:
        *parents, key = (json.dumps(name, ensure_ascii=False) for name in paths[index])
        pairs = zip(open_objects, parents, strict=False)
        shared = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        text = "}" * (len(open_objects) - shared) + ("," if openings else "{")
        openings.append(text + "".join(f"{name}:{{" for name in parents[shared:]) + key + ":")
        open_objects = tuple(parents)
    return order, openings, "}" * (len(open_objects) + 1)


def field_problem(column: pa.Field, field: JsonField) -> str:
    """Returns the reason why a column cannot be written as a documented field; "" if it can."""
    target = field.arrow()
    if fits(column.type, target) or plain_type(column.type) == target:
        return ""
    return f"{column.name!r} is {column.type}, not {target}, as {field.type} is written from; cast it in the query"


def path_problems(fields: Sequence[JsonField]) -> list[str]:
    """Returns a message for each field whose path leads into the value of another field."""
    return [
        f"{inner.name!r} would be inside {outer.name!r}"
        for inner, outer in itertools.permutations(fields, 2)
        if inner.keys[: len(outer.keys)] == outer.keys
    ]


def json_type_problem(name: str, dtype: pa.DataType) -> str:
    """Returns the reason why a column of a type cannot be written as JSON; "" if it can."""
    dtype = plain_type(dtype)
    if pa.types.is_list(dtype):
        return json_type_problem(name, dtype.value_type)
    if pa.types.is_map(dtype):
        if not pa.types.is_string(plain_type(dtype.key_type)):
            return f"{name!r} has keys of type {dtype.key_type}, but keys of JSON objects are strings"
        return json_type_problem(name, dtype.item_type)
    if pa.types.is_struct(dtype):
        names = [field.name for field in dtype]
        if len(set(names)) < len(names):
            return f"{name!r} has two fields with the same name"
        return next((why for f in dtype if (why := json_type_problem(f"{name}.{f.name}", f.type))), "")
    exact = pa.types.is_string, pa.types.is_boolean, pa.types.is_integer, pa.types.is_float32, pa.types.is_float64
    scalar = *exact, pa.types.is_decimal, pa.types.is_date, pa.types.is_timestamp, pa.types.is_null
    return "" if any(is_type(dtype) for is_type in scalar) else f"{name!r} is {dtype}, which JSON cannot represent"
