"""Arguments of the machines where they are interpreted. Compiled, they are the structures of the ``.pxd`` files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class OutputArguments:
    """Tables of a block.

    Attributes:
        total: length of the block.
        capacity: number of lines for which each row of a table has memory.
        outs: table of outputs; see ``opcodes``.
        pool: pool of the program.
        ints: integers, booleans, instants and days.
        doubles: numbers.
        begins: offsets of the texts in the block that do not fit in ``areas``.
        offsets: sums of the lengths of texts; a row has one number more than lines.
        strings: bytes of the texts of each output, one output after the other.
        areas: offset in ``strings`` of the texts of each output, and the number of bytes for which there is memory.
        valid: 1 for a value, 2 for a local time, 0 for null.
        seen: observations of each output.
        state: last times; see ``opcodes``.
        rejects: number of texts that may not be of the type of their output, the number for which there is memory, and a row for
            each text; see ``opcodes``.
    """

    total: int
    capacity: int
    outs: list[int]
    pool: bytes
    ints: Any
    doubles: Any
    begins: Any
    offsets: Any
    strings: Any
    areas: list[int]
    valid: Any
    seen: Any
    state: Any
    rejects: Any


@dataclass
class TemplateArguments:
    """Tables of the program of a template; see ``opcodes``.

    Attributes:
        ops: instructions.
        delimiters: literals that may end fields: offset in the pool and size, which is 0 for a blank.
        patterns: notations of times.
        steps: steps of the notations.
        pool: literals.
        year_bound: latest instant of a time without a year.
        newest: first year that is tried for a time without a year.
        rests: offset after the last field of each line.
        finds_rests: True if ``rests`` is filled.
    """

    ops: list[int]
    delimiters: list[int]
    patterns: list[int]
    steps: list[int]
    pool: bytes
    year_bound: int
    newest: int
    rests: Any
    finds_rests: bool


@dataclass
class JsonArguments:
    """Tables of a program of the JSON machine; see ``opcodes``.

    Attributes:
        nodes: index of the first key of each node, and the number of keys.
        keys: keys.
        accepts: kinds of values that each output accepts.
        pool: literals.
        key_count: number of keys.
        stamps: last line in which each key was found.
        guesses: keys of the last line.
        guess_count: number of rows of ``guesses``.
        stack: nodes of the open objects.
    """

    nodes: list[int]
    keys: list[int]
    accepts: list[int]
    pool: bytes
    key_count: int
    stamps: list[int]
    guesses: list[int]
    guess_count: int
    stack: list[int]


@dataclass
class LogfmtArguments:
    """Tables of a program of the logfmt machine; see ``opcodes``.

    Attributes:
        keys: keys.
        flags: rules of each output for keys without a value, and for empty values.
        pool: literals.
        null_text: offset of the null token in the pool.
        null_size: size of the null token.
        key_count: number of keys.
        stamps: last line in which each key was found.
        guesses: keys of the last line.
        guess_count: number of rows of ``guesses``.
    """

    keys: list[int]
    flags: list[int]
    pool: bytes
    null_text: int
    null_size: int
    key_count: int
    stamps: list[int]
    guesses: list[int]
    guess_count: int


@dataclass
class DelimitedArguments:
    """Tables of a program of the machine for delimited values; see ``opcodes``.

    Attributes:
        values: index of the first output of each value of a line; at last, the number of outputs.
        flags: rules of each output for empty values.
        pool: literals.
        separator: offset of the separator in the pool.
        separator_size: size of the separator.
        quote: the quote; -1: values are not quoted.
        null_text: offset of the null token in the pool.
        null_size: size of the null token.
        value_count: number of values of a line.
        last_value: index of the last value that is parsed.
        allow_trailing: True if a line may have further values.
        rests: offset after the last value of each line that has a name; not filled if that value is not parsed.
    """

    values: list[int]
    flags: list[int]
    pool: bytes
    separator: int
    separator_size: int
    quote: int
    null_text: int
    null_size: int
    value_count: int
    last_value: int
    allow_trailing: bool
    rests: Any


@dataclass
class RenderArguments:
    """Tables of a program that renders lines; see ``render_opcodes``.

    Attributes:
        ops: instructions.
        literals: offsets in the pool and sizes of texts.
        steps: steps of times.
        pool: texts.
        inputs: the columns; see ``render_primitives``.
        out: memory for the lines.
        state: the last day, and the number of bytes for escapes.
        first_prefix: index of the first literal that no line may begin with.
        last_prefix: index after the last of them.
        max_bytes: length of the longest line.
        drops_blank: True if a line that begins and ends with a blank may not be a record.
    """

    ops: list[int]
    literals: list[int]
    steps: list[int]
    pool: bytes
    inputs: Any
    out: Any
    state: list[int]
    first_prefix: int
    last_prefix: int
    max_bytes: int
    drops_blank: bool
