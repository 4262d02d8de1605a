"""Result of parsing one line: its values, and the reason why it is corrupt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark_logs.formats.columnar.reasons import CorruptReason


@dataclass(frozen=True)
class ParsedLine:
    """Values of one line in the order of the requested columns.

    Attributes:
        values: values of the columns.
        reason: full message if the line is corrupt; else "".
        category: see :class:`CorruptReason`; "": the part of ``reason`` before its first colon.
        rest: index after the last field of the format; None: it was not sought, or nothing can follow.
    """

    values: list[Any]
    reason: str
    category: str = ""
    rest: int | None = None

    @property
    def corrupt_reason(self) -> CorruptReason:
        """Message and category."""
        return CorruptReason(self.reason, self.category or self.reason.partition(": ")[0])
