"""Words of Log4j 2 that leave their pattern out, or replace its text: ``%notEmpty{...}``, ``%equals{...}{...}{...}``.

Source: Apache Log4j 2 manual, "Pattern Layout", Converters ``notEmpty``, ``equals`` and ``equalsIgnoreCase``:
https://logging.apache.org/log4j/2.x/manual/pattern-layout.html#converters
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyspark_logs.formats.dialects.config_text import ConfigText
from pyspark_logs.formats.dialects.conversions import NOT_EMPTY_WORDS
from pyspark_logs.formats.dialects.pattern_layout import LayoutElement


@dataclass(frozen=True)
class OptionalText:
    """Text and conversion words of a pattern, all of which are in a line, or none.

    Attributes:
        element: conversion word that encloses the text and the words.
        children: the text and the words; the first child is text, and at least one is a word.
    """

    element: LayoutElement
    children: tuple[str | LayoutElement, ...]


def resolve_condition(
    config: ConfigText, element: LayoutElement, children: list[str | LayoutElement]
) -> list[str | LayoutElement | OptionalText]:
    """Returns the elements by which the text of a conditional word is read.

    Args:
        config: pattern, for messages.
        element: conversion word of ``NOT_EMPTY_WORDS`` or ``EQUALS_WORDS`` (:mod:`conversions`).
        children: elements that it encloses.

    Raises:
        FormatError: lines in which the pattern is left out or replaced cannot be told from other lines.
    """
    words = [child for child in children if isinstance(child, LayoutElement)]
    if element.pad is not None:
        raise config.error(
            element.offset, element.text, f"%{element.word} has a width, which is not supported; remove it"
        )
    if element.word in NOT_EMPTY_WORDS:
        return [_optional(config, element, children)] if words else [*children]
    if len(element.options) != 2:
        problem = f"needs three arguments: %{element.word}{{pattern}}{{test}}{{substitution}}"
        raise config.error(element.offset, element.text, problem)
    test, substitution = element.options
    without_values = "".join(child for child in children if isinstance(child, str))
    if len(words) == len(children) == 1:
        # The column has the substitution, as with %replace; the substitution of the empty text is null.
        return [replace(words[0], null_text=substitution) if test == "" else words[0]]
    if len(words) == 1 and test == without_values and substitution == "":
        return [_optional(config, element, children)]
    problem = (
        f"is not read by its pattern: %{element.word} may replace the text of one word, or leave out text that has no value, as in"
        " %equals{[%marker]}{[]}{}; write the pattern without the word if nothing is replaced"
    )
    raise config.error(element.offset, element.text, problem)


def _optional(config: ConfigText, element: LayoutElement, children: list[str | LayoutElement]) -> OptionalText:
    if not children or not isinstance(children[0], str):
        problem = (
            "begins with a value, so a line without it cannot be told from a line with it; put text before the value"
        )
        raise config.error(element.offset, element.text, problem)
    return OptionalText(element, tuple(children))
