"""The syntax of Logback's and Log4j 2's patterns: conversion words, their options and widths, and groups.

Source: Logback manual, chapter 6 "Layouts" (format modifiers, parentheses, escapes); Apache Log4j 2 manual, "Pattern
Layout".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyspark_logs.formats.dialects.config_text import ConfigText, suggestion
from pyspark_logs.formats.dialects.conversions import ENCLOSING_WORDS, WORDS
from pyspark_logs.formats.dialects.layout_properties import MAX_DEPTH, closing_brace
from pyspark_logs.formats.template.segments import FieldPadding

# Digits of the shortest and the longest width of a value. A value is written with spaces up to the shortest one.
_WIDTH_DIGITS = {"min": 4, "max": 9}
_MODIFIER = re.compile(r"(?P<min>-?\d+)?(?:\.(?P<max>-?\d+))?")
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LITERAL_ESCAPES = "%()\\'\""
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "_": ""}
_EDITING_WORDS = frozenset({"replace", "maxLen", "maxLength"})  # their options have no effect on how lines are read
_APPLICATION = (
    "writes the application's name only if one is set: remove it, or replace it by the text that it writes, such as"
    " '[shop] '"
)
_SPRING_WORDS = {"esb": _APPLICATION, "applicationName": _APPLICATION, "applicationGroup": _APPLICATION}


@dataclass(frozen=True)
class LayoutElement:
    """A conversion word, or a group of elements.

    Attributes:
        text: element as the pattern has it.
        offset: offset of the element in the pattern.
        word: conversion word; empty for a group.
        options: texts in braces after the word.
        pad: width of the value; None: no width is given.
        children: elements of a group, or those that a word encloses; None for other words.
        null_text: text of a missing value, which another word replaces; None: that of the word.
    """

    text: str
    offset: int
    word: str = ""
    options: tuple[str, ...] = ()
    pad: FieldPadding | None = None
    children: tuple[str | LayoutElement, ...] | None = None
    null_text: str | None = None


def parse_pattern(config: ConfigText) -> list[str | LayoutElement]:
    """Returns the literal text and the elements of a pattern, in order.

    Raises:
        FormatError: the pattern is not understood; the message shows the position.
    """
    elements, _ = _PatternParser(config).parse_elements(0, len(config.text), in_group=False, depth=0)
    return elements


class _PatternParser:
    """A recursive-descent parser; each method takes an offset and returns what it parsed and the offset after it."""

    def __init__(self, config: ConfigText) -> None:
        self.config, self.text = config, config.text

    def parse_elements(
        self, offset: int, end: int, *, in_group: bool, depth: int
    ) -> tuple[list[str | LayoutElement], int]:
        """Parses up to ``end``, or up to the parenthesis that closes the group, which is skipped."""
        elements: list[str | LayoutElement] = []
        start = offset
        if depth > MAX_DEPTH:
            raise self.config.error(offset, "", f"groups are nested deeper than {MAX_DEPTH}")
        while offset < end:
            character = self.text[offset]
            if character == ")" and in_group:
                return elements, offset + 1
            if character == "\\" and offset + 1 < end:
                escaped = self.text[offset + 1]
                literal = escaped in _LITERAL_ESCAPES
                _append_text(elements, escaped if literal else _ESCAPES.get(escaped, character + escaped))
                offset += 2
            elif self.text.startswith("%%", offset):
                _append_text(elements, "%")
                offset += 2
            elif character == "%":
                element, offset = self._parse_element(offset, end, depth)
                elements.append(element)
            else:
                _append_text(elements, character)
                offset += 1
        if in_group:
            raise self.config.error(start - 1, "(", "opens a group that is not closed with ')'")
        return elements, offset

    def _parse_element(self, start: int, end: int, depth: int) -> tuple[LayoutElement, int]:
        modifier = _MODIFIER.match(self.text, start + 1)
        offset = modifier.end() if modifier is not None else start + 1
        pad = self._pad(modifier) if modifier is not None else None
        if self.text.startswith("(", offset):
            children, offset = self.parse_elements(offset + 1, end, in_group=True, depth=depth + 1)
            return LayoutElement(self.text[start:offset], start, pad=pad, children=tuple(children)), offset
        word, offset = self._parse_word(start, offset, end)
        if word not in ENCLOSING_WORDS:
            options, offset = self._parse_options(start, offset, end)
            return LayoutElement(self.text[start:offset], start, word, tuple(options), pad), offset
        enclosed, offset = self._parse_enclosed(start, offset, end, depth)
        options, offset = self._parse_options(start, offset, end)
        text = self.text[start:offset]
        if enclosed is None:
            raise self.config.error(start, text, f"needs the elements that it encloses: %{word}(...)")
        if word in _EDITING_WORDS and sum(isinstance(child, LayoutElement) for child in enclosed) != 1:
            raise self.config.error(start, text, "may enclose exactly one conversion word here")
        return LayoutElement(text, start, word, tuple(options), pad, tuple(enclosed)), offset

    def _pad(self, modifier: re.Match[str]) -> FieldPadding | None:
        """Returns the width of a format modifier: ``-`` puts the spaces after the value."""
        width, longest = modifier["min"], modifier["max"]
        if width is None and longest is None:
            return None
        for name, digits in _WIDTH_DIGITS.items():
            if len((modifier[name] or "").lstrip("-")) > digits:
                problem = f"has a width of more than {digits} digits: write a smaller one, or none"
                raise self.config.error(modifier.start() - 1, f"%{modifier[0]}", problem)
        longest_value = abs(int(longest)) if longest is not None else None
        return FieldPadding(abs(int(width or "0")), not (width or "").startswith("-"), longest_value)

    def _parse_word(self, start: int, offset: int, end: int) -> tuple[str, int]:
        word = _WORD.match(self.text, offset, end)
        if word is None:
            problem = "is not followed by a conversion word; write %% for a percent sign"
            raise self.config.error(start, self.text[start : offset + 1], problem)
        if word[0] in _SPRING_WORDS:
            raise self.config.error(start, self.text[start : word.end()], _SPRING_WORDS[word[0]])
        if word[0] not in WORDS and word[0] not in ENCLOSING_WORDS:
            problem = (
                f"is not a known conversion word{suggestion(word[0], [*WORDS, *ENCLOSING_WORDS])};"
                r" where letters follow a word immediately, put \_ between them"
            )
            raise self.config.error(start, self.text[start : word.end()], problem)
        return word[0], word.end()

    def _parse_enclosed(
        self, start: int, offset: int, end: int, depth: int
    ) -> tuple[list[str | LayoutElement] | None, int]:
        """Parses the elements that a word encloses: in parentheses for Logback, in the first braces for Log4j 2."""
        if self.text.startswith("(", offset):
            return self.parse_elements(offset + 1, end, in_group=True, depth=depth + 1)
        if not self.text.startswith("{", offset):
            return None, offset
        close = self._closing_brace(start, offset, end)
        enclosed, _ = self.parse_elements(offset + 1, close, in_group=False, depth=depth + 1)
        return enclosed, close + 1

    def _parse_options(self, start: int, offset: int, end: int) -> tuple[list[str], int]:
        options = []
        while self.text.startswith("{", offset):
            close = self._closing_brace(start, offset, end)
            options.append(self.text[offset + 1 : close])
            offset = close + 1
        return options, offset

    def _closing_brace(self, start: int, opening: int, end: int) -> int:
        close = closing_brace(self.text, opening + 1, end)
        if close < 0:
            raise self.config.error(start, self.text[start:end], "'{' is not closed with '}'")
        return close


def _append_text(elements: list[str | LayoutElement], text: str) -> None:
    if elements and isinstance(elements[-1], str):
        elements[-1] += text
    else:
        elements.append(text)
