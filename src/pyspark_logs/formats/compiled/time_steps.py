"""Notations of times as steps of the machines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pyspark_logs.formats.compiled import opcodes as op
from pyspark_logs.formats.compiled.outputs import OutputTable, UnsupportedError
from pyspark_logs.formats.timestamps.parsing import DAYS, MONTHS, compile_pattern

# Directive -> its letter in the machine.
_LETTERS = {"e": "d", "h": "b", **{letter: letter for letter in "dmHMSYybBaAfLzZ"}}
_NUMBERS = frozenset("demHMSYyfL")  # directives that begin with a digit
_FRACTION_DIGITS = 9
# Flags of a number: it may have fewer digits than its width; it has exactly the digits of its width.
_VARIABLE, _EXACT = 2, 1


class TimeTable:
    """Patterns and steps of a program.

    Args:
        outputs: table with the pool of the program.
    """

    def __init__(self, outputs: OutputTable) -> None:
        self.outputs = outputs
        self.patterns: list[tuple[int, ...]] = []
        self.steps: list[tuple[int, ...]] = []
        self.needs_year = False

    def add(self, patterns: Sequence[str], *, seconds: bool) -> tuple[int, int]:
        """Adds the notations of a field, and returns the range of their indices.

        Args:
            patterns: strptime patterns; "": ISO 8601.
            seconds: True for seconds since the epoch in parentheses, after the patterns.
        """
        first = len(self.patterns)
        for pattern in patterns:
            if pattern:
                start = len(self.steps)
                self._add_steps(pattern, is_alone=len(patterns) == 1)
                self.patterns.append((op.PATTERN_DIRECTIVES, start, len(self.steps) - start, 0))
            else:
                self.patterns.append((op.PATTERN_ISO, 0, 0, 0))
        if seconds:
            self.patterns.append((op.PATTERN_SECONDS, 0, 0, 0))
        return first, len(self.patterns)

    def _add_steps(self, text: str, *, is_alone: bool) -> None:
        compiled = compile_pattern(text)
        if compiled.tokens[-1][0] in " \t":
            raise UnsupportedError(f"a time that ends with a blank ({text})")
        self.needs_year |= not {"Y", "y"} & set(compiled.directives)
        for index, item in enumerate(compiled.tokens):
            following = compiled.tokens[index + 1] if index + 1 < len(compiled.tokens) else ""
            is_directive = item[0] == "%" and item != "%%"
            if item[0] in " \t":
                self.steps.append((ord(" "), 0, 0, 0))
            elif not is_directive:
                self.steps.append((ord("'"), *self.outputs.literal((item if item != "%%" else "%").encode()), 0))
            else:
                letter = _LETTERS.get(item[-1])
                if letter is None or (letter == "Z" and (is_alone or not text.endswith(":"))):
                    raise UnsupportedError(f"times with {item} ({text})")
                is_variable = following[:1] == "%" and following[-1] in _NUMBERS and following != "%%"
                is_variable = is_variable or following[:1].isdigit()
                self.steps.append((ord(letter), *self._argument(letter, item, is_variable=is_variable)))

    def _argument(self, letter: str, item: str, *, is_variable: bool) -> tuple[int, int, int]:
        """Returns the offset of names in the pool, a number of digits, and whether the number may have fewer."""
        if letter in "bBaA":
            names = MONTHS if letter in "bB" else DAYS
            return self.outputs.literal(b"".join(bytes([len(name)]) + name.encode() for name in names))[0], 0, 0
        if item[1].isdigit():
            return 0, int(item[1]), _EXACT
        size = _FRACTION_DIGITS if letter == "f" else 3 if letter == "L" else 0
        return 0, size, _VARIABLE * (is_variable and letter not in "Yy")

    def pattern_array(self) -> npt.NDArray[np.int32]:
        """Returns the table of patterns for the machine."""
        return np.array([*self.patterns, (0,) * op.PATTERN_WIDTH], np.int32).reshape(-1)

    def step_array(self) -> npt.NDArray[np.int32]:
        """Returns the table of steps for the machine."""
        return np.array([*self.steps, (0, 0, 0, 0)], np.int32).reshape(-1)
