"""Programs that render lines, and their columns as the machine takes them; see ``render_opcodes``."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar.spans import Bytes, Int32, Int64
from pyspark_logs.formats.compiled import render_opcodes as op
from pyspark_logs.formats.compiled.availability import Machines
from pyspark_logs.formats.timestamps.parsing import DAYS, MONTHS, compile_pattern

_SLACK = 64  # bytes after texts, so that they can be copied by chunks
_MAX_BYTES = (1 << 31) - (1 << 20)
_SPARE_SHARE, _LEAST_SPARE = 4, 1 << 16  # memory for escapes: a share of the texts, and at least so much
_MAX_SIZES = {op.INTEGER: 20, op.DOUBLE: 24, op.BOOLEAN: 5, op.ISO_TIME: 27, op.DAY: 10, op.RENDERED: 0, op.TEXTS: 0}
_STOPS = 3
_WIDTHS = {"d": 2, "e": 2, "m": 2, "y": 2, "Y": 4, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3, "L": 3}
_ZONES = {"z": "+0000", ":z": "+00:00", "Z": "UTC"}
_NAMES = {"b": MONTHS, "h": MONTHS, "a": DAYS, "p": ("AM", "PM")}
_FRACTION_DIGITS = 6
# Directives that the machine renders; the colon of ``%:z`` is not part of its directive.
DIRECTIVES = frozenset({*_WIDTHS, *_NAMES, *(zone.lstrip(":") for zone in _ZONES), "f"})


@dataclass(frozen=True)
class ValueForm:
    """Form in which the machine renders the values of a column.

    Attributes:
        kind: kind of the instruction; see ``render_opcodes``.
        null: text of null; None: null has no text.
        mode: mode of texts.
        flags: flags of the instruction.
        stops: texts that a text may not contain as it is. Their first bytes are at most three.
        heads: texts that a text may not begin with.
        tails: texts that a text may not end with.
        equals: texts that a text may not be.
        pattern: strptime pattern of times in UTC, of :data:`DIRECTIVES`.
        argument: number of bits of integers; the quote of texts that are quoted if necessary.
    """

    kind: int
    null: bytes | None = None
    mode: int = op.PLAIN
    flags: int = 0
    stops: tuple[bytes, ...] = ()
    heads: tuple[bytes, ...] = ()
    tails: tuple[bytes, ...] = ()
    equals: tuple[bytes, ...] = ()
    pattern: str | None = None
    argument: int = 0

    @property
    def is_supported(self) -> bool:
        """True if the machine can search for the texts."""
        texts = (*self.stops, *self.heads, *self.tails)
        return all(texts) and len({stop[0] for stop in self.stops}) <= _STOPS


RENDERED_TEXT = ValueForm(op.RENDERED)


@dataclass(frozen=True)
class LineRules:
    """Rules by which a line is a record for readers.

    Attributes:
        forbidden_prefixes: texts that no line may begin with.
        drops_blank: True if a line of blanks is not a record.
        max_bytes: length of the longest line without its line end.
    """

    forbidden_prefixes: tuple[bytes, ...]
    drops_blank: bool
    max_bytes: int


@dataclass(frozen=True)
class LineProgram:
    """A program; see ``render_opcodes``.

    Attributes:
        ops: instructions.
        literals: offsets in the pool and sizes of texts.
        steps: steps of times.
        pool: texts.
        firsts: first instruction of each layout.
        keys: key of the value of each instruction; None: the end of a line.
        fixed_bytes: largest length of a line without the texts of columns.
        slot_uses: largest number of times that a line has the text of each slot.
        prefixes: range of the literals that no line may begin with.
        rules: rules of lines.
    """

    ops: Int32
    literals: Int32
    steps: Int32
    pool: Bytes
    firsts: Int32
    keys: tuple[Hashable, ...]
    fixed_bytes: int
    slot_uses: tuple[int, ...]
    prefixes: tuple[int, int]
    rules: LineRules

    def render(self, machines: Machines, inputs: Sequence[pa.Array], layouts: Int32) -> tuple[pa.Array, Int32] | None:
        """Renders rows.

        Args:
            machines: the machines.
            inputs: column of each slot.
            layouts: index of the layout of each row.

        Returns:
            Lines with their line ends, empty for rows that are not certain, and the number of the instruction in doubt of each
            row, from 1 on, or 0. None: the lines may be too long for an array.
        """
        count = len(layouts)
        columns = [InputColumn.of(array) for array in inputs]
        texts = sum(column.text_bytes * uses for column, uses in zip(columns, self.slot_uses, strict=True))
        spare = texts // _SPARE_SHARE + _LEAST_SPARE
        size = texts + spare + count * self.fixed_bytes + _SLACK
        if size > _MAX_BYTES:
            return None
        out, offsets, failed = np.empty(size, np.uint8), np.empty(count + 1, np.int32), np.empty(count, np.int32)
        state = np.full(op.STATE_SIZE, -1, np.int64)
        state[op.SPARE_STATE] = spare
        machines.render.run(
            self.ops, self.literals, self.steps, self.pool, _input_table(columns), [one.view for one in columns],
            self.firsts[layouts], count, out, offsets, failed, state, *self.prefixes, self.rules.max_bytes,
            self.rules.drops_blank,
        )  # fmt: skip
        data = pa.py_buffer(out).slice(0, int(offsets[-1]))
        return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), data), failed


@dataclass(frozen=True)
class InputColumn:
    """A column as the machine takes it.

    Attributes:
        numbers: row of the table of the compiled machine.
        view: the same for the interpreted machine.
        text_bytes: number of bytes of the texts.
    """

    numbers: tuple[int, ...]
    view: tuple[object, ...]
    text_bytes: int

    @classmethod
    def of(cls, array: pa.Array) -> InputColumn:
        """Returns a column of texts, integers, doubles, booleans, times or days, which must exist while it is rendered."""
        dtype, buffers = array.type, array.buffers()
        valid = buffers[0] if array.null_count else None
        is_text = pa.types.is_string(dtype)
        data = (buffers[2] if is_text else None) or pa.py_buffer(b"")
        values = buffers[1] or pa.py_buffer(b"\0" * 8)
        text_bytes = 0
        if is_text:
            offsets = np.frombuffer(values, np.int32)
            text_bytes = int(offsets[array.offset + len(array)] - offsets[array.offset]) if len(array) else 0
            view = offsets
        elif pa.types.is_boolean(dtype):
            view = np.frombuffer(values, np.uint8)
        else:
            is_integer = pa.types.is_integer(dtype)
            view = np.frombuffer(values, dtype.to_pandas_dtype() if is_integer else _number_type(dtype))
        numbers = (valid.address if valid else 0, values.address, data.address, array.offset, data.size)
        bitmap = None if valid is None else np.frombuffer(valid, np.uint8)
        return cls(numbers, (bitmap, view, memoryview(data).cast("B"), array.offset), text_bytes)


def _number_type(dtype: pa.DataType) -> type[np.generic]:
    if pa.types.is_float64(dtype):
        return np.float64
    return np.int32 if pa.types.is_date32(dtype) else np.int64


def _input_table(columns: Sequence[InputColumn]) -> Int64:
    return np.array([*(column.numbers for column in columns), (0,) * op.INPUT_WIDTH], np.int64).reshape(-1)


@dataclass
class ProgramBuilder:
    """A program that is being compiled.

    Attributes:
        rules: rules of lines.
    """

    rules: LineRules
    ops: list[list[int]] = field(default_factory=list)
    keys: list[Hashable] = field(default_factory=list)
    literals: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    pool: bytearray = field(default_factory=bytearray)
    firsts: list[int] = field(default_factory=list)
    slots: dict[Hashable, int] = field(default_factory=dict)
    _uses: dict[int, int] = field(default_factory=dict)  # of each slot in the current layout
    _most_uses: dict[int, int] = field(default_factory=dict)
    _fixed: int = 0
    _most_fixed: int = 0

    def begin_layout(self) -> None:
        """Begins the program of a layout."""
        self.firsts.append(len(self.ops) * op.WIDTH)
        self._uses, self._fixed = {}, 0

    def add_value(self, before: bytes, form: ValueForm, slot_key: Hashable, key: Hashable) -> None:
        """Adds a value of the current layout.

        Args:
            before: constant text before the value.
            form: form of the value.
            slot_key: key of the column; the columns are requested in the order of their first use, see ``slots``.
            key: key of the value, by which it is found if it often is not certain.
        """
        row = self._add(form.kind, before, key)
        slot = self.slots.setdefault(slot_key, len(self.slots))
        row[op.SLOT], row[op.FLAGS], row[op.MODE], row[op.ARGUMENT] = slot, form.flags, form.mode, form.argument
        self._uses[slot] = self._uses.get(slot, 0) + 1
        if form.null is not None:
            row[op.NULL_TEXT], row[op.NULL_SIZE] = self._text(form.null)
        row[op.FIRST_HEAD], row[op.LAST_HEAD] = self._texts(form.heads)
        row[op.FIRST_TAIL], row[op.LAST_TAIL] = self._texts(form.tails)
        row[op.FIRST_EQUAL], row[op.LAST_EQUAL] = self._texts(form.equals)
        row[op.FIRST_STOP], row[op.LAST_STOP] = self._texts(form.stops)
        firsts = sorted({stop[0] for stop in form.stops}) or [0]  # a zero byte is found in any case
        row[op.STOP], row[op.STOP_2], row[op.STOP_3] = (*firsts, *firsts[-1:] * _STOPS)[:_STOPS]
        if form.kind == op.BOOLEAN:
            row[op.ARGUMENT], _ = self._texts((b"true", b"false"))
        if form.pattern is not None:
            size = self._add_steps(row, form.pattern)
        else:
            size = _MAX_SIZES[form.kind]
        self._fixed += max(size, len(form.null or b"")) + 2 * bool(form.flags & op.QUOTED)

    def end_layout(self, before: bytes) -> None:
        """Ends the lines of the current layout with a constant text."""
        self._add(op.END, before, None)
        self._most_fixed = max(self._most_fixed, self._fixed)
        for slot, uses in self._uses.items():
            self._most_uses[slot] = max(self._most_uses.get(slot, 0), uses)

    def program(self) -> LineProgram:
        """Returns the program."""
        prefixes = self._texts(self.rules.forbidden_prefixes)
        return LineProgram(
            np.array(self.ops, np.int32).reshape(-1),
            np.array([*self.literals, 0, 0], np.int32),
            np.array([*self.steps, *(0,) * op.STEP_WIDTH], np.int32),
            np.frombuffer(bytes(self.pool) + b"\0" * _SLACK, np.uint8),
            np.array(self.firsts, np.int32),
            tuple(self.keys),
            self._most_fixed,
            tuple(self._most_uses[slot] for slot in range(len(self.slots))),
            prefixes,
            self.rules,
        )

    def _add(self, kind: int, before: bytes, key: Hashable) -> list[int]:
        row = [0] * op.WIDTH
        row[op.KIND], row[op.NULL_SIZE] = kind, -1
        row[op.TEXT], row[op.SIZE] = self._text(before)
        self.ops.append(row)
        self.keys.append(key)
        self._fixed += len(before)
        return row

    def _text(self, text: bytes) -> tuple[int, int]:
        """Returns the offset of a text in the pool, and its size."""
        offset = self.pool.find(text)
        if offset < 0:
            offset = len(self.pool)
            self.pool += text
        return offset, len(text)

    def _texts(self, texts: Sequence[bytes]) -> tuple[int, int]:
        """Returns the range of the indices of texts."""
        first = len(self.literals) // 2
        for text in texts:
            self.literals += self._text(text)
        return first, len(self.literals) // 2

    def _add_steps(self, row: list[int], pattern: str) -> int:
        """Adds the steps of a pattern, and returns the largest length of its texts."""
        compiled = compile_pattern(pattern)
        row[op.FLAGS] |= lost_parts(set(compiled.directives))
        row[op.ARGUMENT] = fraction_unit(set(compiled.directives), compiled.fraction_digits)
        row[op.FIRST_STEP] = len(self.steps) // op.STEP_WIDTH
        size = 0
        for token in compiled.tokens:
            letter, text, width = self._step(token)
            self.steps += (ord(letter), text, width, 0)
            size += width
        row[op.LAST_STEP] = len(self.steps) // op.STEP_WIDTH
        return size

    def _step(self, item: str) -> tuple[str, int, int]:
        """Returns letter, offset in the pool, and width of a step."""
        directive = item[1:]
        if item == "%%" or item[0] != "%":
            return "'", *self._text(("%" if item == "%%" else item).encode())
        if directive in _ZONES:
            return "'", *self._text(_ZONES[directive].encode())
        if directive in _NAMES:
            width = 2 if directive == "p" else 3
            texts = [name[:width] if directive == "p" else name.capitalize()[:width] for name in _NAMES[directive]]
            return directive.replace("h", "b"), self._text("".join(texts).encode())[0], width
        if directive.endswith("f"):
            return "f", 0, int(directive[:-1] or _FRACTION_DIGITS)
        return directive, 0, _WIDTHS[directive]


def lost_parts(directives: set[str]) -> int:
    """Returns the flags of the parts of a time that no directive renders."""
    flags = 0
    if "S" not in directives:
        flags |= op.LACKS_SECOND
    if "M" not in directives:
        flags |= op.LACKS_MINUTE
    if "H" not in directives and not {"I", "p"} <= directives:
        flags |= op.LACKS_HALF if "I" in directives else op.LACKS_HOUR
    if "j" not in directives:
        flags |= op.LACKS_DAY * (not {"d", "e"} & directives) | op.LACKS_MONTH * (not {"m", "b", "B", "h"} & directives)
    if "y" in directives and "Y" not in directives:
        flags |= op.SHORT_YEAR
    return flags


def fraction_unit(directives: set[str], digits: int | None) -> int:
    """Returns the resolution in microseconds; only times whose fraction is a multiple of it are rendered."""
    unit = 1 if "f" in directives else 1000 if "L" in directives else 1_000_000
    return max(unit, 10 ** (_FRACTION_DIGITS - digits)) if digits is not None and digits < _FRACTION_DIGITS else unit
