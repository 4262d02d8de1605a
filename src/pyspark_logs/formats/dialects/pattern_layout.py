"""The syntax of Logback's and Log4j 2's patterns: text to words, options, widths and groups.

Source: Logback manual, chapter 6 "Layouts" (format modifiers, parentheses, escapes); Apache Log4j 2 manual, "Pattern
Layout" and "Property Substitution".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pyspark_logs.formats.dialects.conversions import AROUND, WORDS
from pyspark_logs.formats.dialects.error_positions import Pasted, nearest, wrong
from pyspark_logs.formats.template.notation import Pad

_WRAPPED = re.compile(r"\s*<pattern>(.*)</pattern>\s*", re.IGNORECASE | re.DOTALL)
_PROPERTY = re.compile(r"\s*[\w.-]*pattern(?:\.\w+)?\s*[=:]\s*", re.IGNORECASE)
_MODIFIER = re.compile(r"(?P<min>-?\d+)?(?:\.(?P<max>-?\d+))?")
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "_": ""}
_PROCESS = re.compile(r"(?:sys:|env:)?PID", re.ASCII)
_OF_NO_USE = frozenset({"replace", "maxLen", "maxLength"})  # whose own options say what becomes of the text
_APPLICATION = (
    "writes the application's name where one is set, and nothing where none is: take it out, or put what it writes in its"
    " place, such as '[shop] '"
)
_SET_ELSEWHERE = {"esb": _APPLICATION, "applicationName": _APPLICATION, "applicationGroup": _APPLICATION}
_DEEPEST = 50  # properties and groups within others


@dataclass(frozen=True)
class Item:
    """A word, or a group of items (``word`` empty or one that is put around others), with the place it begins at."""

    text: str
    place: int
    word: str = ""
    options: tuple[str, ...] = ()
    pad: Pad | None = None
    inside: tuple[str | Item, ...] | None = None


def read_pattern(source: str) -> tuple[Pasted, list[str | Item]]:
    """The pattern without what a configuration file has around it, and its items: text and words.

    Raises:
        FormatError: what is not understood, and where.
    """
    begin, end = 0, len(source)
    wrapped = _WRAPPED.fullmatch(source)
    named = _PROPERTY.match(source)
    if wrapped is not None:
        begin, end = wrapped.span(1)
    elif named is not None:
        begin = named.end()
    text, places = _resolved(source, begin, end, 0)
    pasted = Pasted("logback", source, text, tuple(places))
    return pasted, _Reader(pasted).read()


def _resolved(source: str, begin: int, end: int, depth: int) -> tuple[str, list[int]]:
    """The text with its ``${NAME:-default}`` replaced, and where each character stood; ``${PID}`` becomes ``%pid``."""
    text, places = "", list[int]()
    at = begin
    while at < end:
        dollar = re.compile(r"\$?\$\{").match(source, at, end)
        if dollar is None:
            text += source[at]
            places.append(at)
            at += 1
            continue
        close = _closing(source, dollar.end(), end)
        if close < 0 or depth > _DEEPEST:
            raise wrong("logback", source, at, source[at:end], "'${' is not closed with '}'")
        name, default, _ = source[dollar.end() : close].partition(":-")
        if _PROCESS.fullmatch(name.strip()):
            inner, inner_places = "%pid", [at] * 4
        elif not default:
            problem = f"has no default: write the value of {name!r} in its place"
            raise wrong("logback", source, at, source[at : close + 1], problem)
        else:
            inner, inner_places = _resolved(source, dollar.end() + len(name) + 2, close, depth + 1)
        text += inner
        places += inner_places
        at = close + 1
    return text, places


def _closing(source: str, place: int, end: int) -> int:
    """The brace that closes one opened before a place; -1: there is none."""
    open_braces = 1
    for at in range(place, end):
        open_braces += {"{": 1, "}": -1}.get(source[at], 0)
        if open_braces == 0:
            return at
    return -1


class _Reader:
    def __init__(self, pasted: Pasted) -> None:
        self.pasted, self.text = pasted, pasted.text

    def read(self) -> list[str | Item]:
        items, _ = self._items(0, len(self.text), in_group=False, depth=0)
        return items

    def _items(self, place: int, end: int, *, in_group: bool, depth: int) -> tuple[list[str | Item], int]:
        """The items up to ``end`` or the parenthesis that closes a group, and the place behind that."""
        items: list[str | Item] = []
        start = place
        if depth > _DEEPEST:
            raise self.pasted.wrong(place, "", f"groups are nested deeper than {_DEEPEST}")
        while place < end:
            here = self.text[place]
            if here == ")" and in_group:
                return items, place + 1
            if here == "\\" and place + 1 < end:
                following = self.text[place + 1]
                plain = following in "%()\\\\'\""
                _add(items, following if plain else _ESCAPED.get(following, here + following))
                place += 2
            elif self.text.startswith("%%", place):
                _add(items, "%")
                place += 2
            elif here == "%":
                item, place = self._item(place, end, depth)
                items.append(item)
            else:
                _add(items, here)
                place += 1
        if in_group:
            raise self.pasted.wrong(start - 1, "(", "opens a group that is not closed with ')'")
        return items, place

    def _item(self, place: int, end: int, depth: int) -> tuple[Item, int]:
        modifier = _MODIFIER.match(self.text, place + 1)
        at = modifier.end() if modifier is not None else place + 1
        pad = _pad(modifier) if modifier is not None else None
        if self.text.startswith("(", at):
            grouped, at = self._items(at + 1, end, in_group=True, depth=depth + 1)
            return Item(self.text[place:at], place, pad=pad, inside=tuple(grouped)), at
        word = _WORD.match(self.text, at, end)
        if word is None:
            raise self.pasted.wrong(
                place, self.text[place : at + 1], "is not followed by a conversion word; write %% for a percent sign"
            )
        if word[0] in _SET_ELSEWHERE:
            raise self.pasted.wrong(place, self.text[place : word.end()], _SET_ELSEWHERE[word[0]])
        if word[0] not in WORDS and word[0] not in AROUND:
            problem = (
                f"is no conversion word that is known{nearest(word[0], [*WORDS, *AROUND])};"
                r" where letters follow a word at once, put \_ between them"
            )
            raise self.pasted.wrong(place, self.text[place : word.end()], problem)
        at = word.end()
        inside: list[str | Item] | None = None
        around = word[0] in AROUND
        if around and self.text.startswith("(", at):
            inside, at = self._items(at + 1, end, in_group=True, depth=depth + 1)
        options, at = self._options(place, at, end, inside is None and around, depth)
        if around and inside is None and options:
            inside, options = options[0], options[1:]
        if word[0] in AROUND and inside is None:
            raise self.pasted.wrong(place, self.text[place:at], f"needs what it is put around: %{word[0]}(...)")
        if word[0] in _OF_NO_USE and inside is not None and sum(isinstance(one, Item) for one in inside) != 1:
            raise self.pasted.wrong(place, self.text[place:at], "may be put around one word alone here")
        plain = tuple(one for one in options if isinstance(one, str))
        made = None if inside is None else tuple(inside)
        return Item(self.text[place:at], place, word[0], plain, pad, made), at

    def _options(self, place: int, at: int, end: int, first_inside: bool, depth: int) -> tuple[list[Any], int]:
        """What stands in braces behind a word; the first is items, where Log4j's way of decorating is meant."""
        options: list[Any] = []
        while self.text.startswith("{", at):
            close = _closing(self.text, at + 1, end)
            if close < 0:
                raise self.pasted.wrong(place, self.text[place:end], "'{' is not closed with '}'")
            if first_inside and not options:
                inside, _ = self._items(at + 1, close, in_group=False, depth=depth + 1)
                options.append(inside)
            else:
                options.append(self.text[at + 1 : close])
            at = close + 1
        return options, at


def _add(items: list[str | Item], text: str) -> None:
    if items and isinstance(items[-1], str):
        items[-1] += text
    else:
        items.append(text)


def _pad(modifier: re.Match[str]) -> Pad | None:
    least, most = modifier["min"], modifier["max"]
    if least is None and most is None:
        return None
    return Pad(abs(int(least or "0")), not (least or "").startswith("-"), abs(int(most)) if most is not None else None)
