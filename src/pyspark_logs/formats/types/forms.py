"""Forms of values for compiled code: how machines find, read and render the values of a field type."""

from __future__ import annotations

from typing import NamedTuple


class CompiledForm(NamedTuple):
    """Form in which the machines of compiled engines read the values of a type; see ``formats/compiled/opcodes.py``.

    Attributes:
        kind: kind of output.
        argument: number that the kind needs.
        texts: byte strings that the kind needs.
        converts: True if :meth:`.FieldType.convert` converts the texts that the machine finds; of other kinds than ``TEXT``,
            only in blocks with a text that the machine does not recognise.
    """

    kind: str = "TEXT"
    argument: int = 0
    texts: tuple[bytes, ...] = ()
    converts: bool = False


class RenderedForm(NamedTuple):
    """Form in which the machine renders the values of a type; see ``formats/compiled/render_opcodes.py``.

    Attributes:
        kind: kind of the values; "": :meth:`.FieldType.render` renders all values.
        bits: number of bits of an integer.
        heads: texts with which no rendered text begins.
        tails: texts with which no rendered text ends.
    """

    kind: str = ""
    bits: int = 0
    heads: tuple[str, ...] = ()
    tails: tuple[str, ...] = ()


class TimeNotation(NamedTuple):
    """Notation of times by which compiled engines find them.

    Attributes:
        patterns: strptime patterns, the first that matches counts; "": ISO 8601.
        seconds: True for seconds since the epoch in parentheses, after the patterns.
        zone: zone of times without a zone; None: that of the file.
    """

    patterns: tuple[str, ...]
    seconds: bool = False
    zone: str | None = None
