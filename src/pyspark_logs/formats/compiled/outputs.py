"""The table of outputs: conversions of the texts of requested columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pyspark_logs.formats.compiled import opcodes as op
from pyspark_logs.formats.compiled.primitives import CHUNK
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.forms import CompiledForm

KINDS = {name.removeprefix("O_"): number for name, number in vars(op).items() if name.startswith("O_")}
TEXTS = frozenset({op.O_TEXT, op.O_HOST, op.O_USER, op.O_BYTES, op.O_ADDRESS, op.O_CHOICE})
_MAX_INDEX = 2**31 - 1
_RESERVE = 1.125  # texts of a block by those of the block before it
_LEAST_AREA = 256  # bytes of an output
_MAX_AREAS = 64 << 20  # limit of the bytes of all outputs; exceeded only after a block of very long lines
_MAX_TEXT = 255  # bytes of a text of a choice


class UnsupportedError(Exception):
    """The machine has no instruction for a part of the format. The message names the part."""


@dataclass(frozen=True)
class Out:
    """One output.

    Attributes:
        kind: kind of the value, see ``opcodes``.
        slot: row in the table of the kind.
        type: type of the column.
        argument: number that the kind needs.
        valid: row in the table of valid values; -1: no value is null.
        text: offset of an argument in the pool.
        escaped: True if texts may have escapes.
        converts: True if texts are converted by the type of the column.
        source: field of the text; columns of one field share what they extract from it.
    """

    kind: int
    slot: int
    type: FieldType
    argument: int = 0
    valid: int = -1
    text: int = 0
    escaped: bool = False
    converts: bool = False
    source: str = ""


@dataclass
class OutputTable:
    """Outputs of a program, with the pool of its literals.

    Attributes:
        pool: bytes of literals.
        outs: the outputs.
        slots: number of rows of integers, of doubles, of texts, and of valid values.
        lengths: bytes of each row of texts in a line, on average, of the last block; None: no block was decoded.
    """

    pool: bytearray = field(default_factory=bytearray)
    outs: list[Out] = field(default_factory=list)
    slots: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    lengths: npt.NDArray[np.float64] | None = None

    def literal(self, raw: bytes) -> tuple[int, int]:
        """Adds a literal to the pool, and returns its offset and size."""
        self.pool += raw
        return len(self.pool) - len(raw), len(raw)

    def add(
        self, column_type: FieldType, field_type: FieldType, *, may_lack: bool, escaped: bool, source: str = "",
        found: bool = True,
    ) -> None:  # fmt: skip
        """Adds an output.

        Args:
            column_type: type of the column.
            field_type: type of the text, by whose syntax it is found.
            may_lack: True if a value may be null.
            escaped: True if texts may have escapes.
            source: field of the text.
            found: True if times are found by the syntax of their field.
        """
        notation = column_type.time_notation if found else None
        if notation is not None and notation == field_type.time_notation:
            is_day = pa.types.is_date32(column_type.arrow())
            form = CompiledForm("DAY" if is_day else "INSTANT")
        else:
            form = column_type.compiled_form
        if form.kind == "CHOICE" and max(map(len, form.texts)) > _MAX_TEXT:
            form = CompiledForm(converts=True)
        kind = KINDS[form.kind]
        table = 2 if kind in TEXTS else 1 if kind == op.O_DOUBLE else 0
        # Times without a zone are marked among the valid values, and a port may lack where its field does not.
        may_lack = may_lack or kind in (op.O_INSTANT, op.O_ISO, op.O_PORT)
        valid = self._slot(3) if may_lack else -1
        text = self._argument(form)
        self.outs.append(
            Out(kind, self._slot(table), column_type, form.argument, valid, text, escaped, form.converts, source)
        )

    def _slot(self, table: int) -> int:
        self.slots[table] += 1
        return self.slots[table] - 1

    def _argument(self, form: CompiledForm) -> int:
        """Returns the offset in the pool of the texts of a form, each after its length unless there is one only."""
        offset = len(self.pool)
        if form.kind == "BYTES":
            self.pool += form.texts[0]
        elif form.texts:
            self.pool += b"".join(bytes([len(text)]) + text for text in form.texts)
        return offset

    @property
    def max_lines(self) -> int:
        """Largest number of lines of a block, so that indices in a table fit in 32 bits."""
        return _MAX_INDEX // (max(self.slots) + 1) - 1

    def areas(self, count: int) -> npt.NDArray[np.int32]:
        """Returns offset and size of each row of texts in the table of strings; at last the size of the table, and 0.

        The sizes are those of the last block with a reserve. Texts that do not fit are copied after the block is parsed.

        Args:
            count: number of lines.
        """
        areas = np.zeros(2 * self.slots[2] + 2, np.int32)
        lengths = self.lengths  # another thread may replace them
        if lengths is not None and len(lengths):
            sizes = lengths * (_RESERVE * count) + _LEAST_AREA
            ends = np.cumsum(sizes + CHUNK)
            if ends[-1] <= _MAX_AREAS:
                areas[2::2] = ends
                areas[1:-1:2] = sizes
        return areas

    def observe(self, offsets: npt.NDArray[np.int32], count: int, capacity: int) -> None:
        """Keeps the lengths of the texts of a block.

        Args:
            offsets: sums of the lengths of texts; see :class:`~.interpreted.OutputArguments`.
            count: number of certain lines.
            capacity: number of lines.
        """
        self.lengths = offsets[count : self.slots[2] * (capacity + 1) : capacity + 1] / count

    def array(self) -> npt.NDArray[np.int32]:
        """Returns the table for the machine."""
        rows = [(out.kind, out.slot, out.argument, out.valid, out.text, int(out.escaped)) for out in self.outs]
        return np.array([*rows, (0,) * op.OUT_WIDTH], np.int32).reshape(-1)

    def pool_array(self) -> npt.NDArray[np.uint8]:
        """Returns the pool for the machine."""
        return np.frombuffer(bytes(self.pool) + b"\0", np.uint8)
