"""A template for lines that nobody has described: what most of them have in common, from left to right.

At each place the most telling thing that nearly all lines have there becomes the next segment: a time, a level, a
number, a quoted text, a key, a word with what ends it. Where no structure follows, the message begins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pyspark_logs.detection import shapes

_MOST_FIELDS = 40
_MOST_LINES, _LONGEST_LINE = 1000, 4096  # that are looked at
_MOST = 0.97  # of the lines that are left agree on what comes next; the others are left out
_FEWEST = 0.95  # of all lines are still there in the end
_FEWEST_FIRST = 0.2  # of all lines bear a time, where the others are stack traces
_AHEAD = 5  # words that are looked at to see whether structure goes on
_LONGEST = 300  # characters of a text in brackets
_MARKS = "[](){}<>|,;:-=/#*+@~!'"
_CLOSING = {"[": "]", "(": ")", "<": ">", "{": "}", "'": "'"}
_WORD = re.compile(r"\S+")
_PROGRAM = re.compile(r"[^\s\[\]:]+\[\d+\]:? ")


@dataclass
class _Draft:
    """The template so far, and the lines that it fits, each from where it goes on."""

    rests: list[str]
    all: int
    pieces: list[str] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    cuts: list[int] = field(default_factory=list)  # numbers of pieces after which a message could begin
    fields: int = 0
    opened: str = ""  # the bracket that was opened last

    def share(self, test: Callable[[str], object]) -> float:
        return sum(1 for rest in self.rests if test(rest)) / len(self.rests) if self.rests else 0.0

    def advance(self, piece: str, step: Callable[[str], int | None]) -> None:
        """Take a piece; lines that it does not fit are left out."""
        self.pieces.append(piece)
        ends = [(rest, step(rest)) for rest in self.rests]
        self.rests = [rest[end:] for rest, end in ends if end is not None]

    def add_field(self, name: str, notation: str, step: Callable[[str], int | None]) -> None:
        self.names[name] += 1
        unique = name if self.names[name] == 1 else f"{name}_{self.names[name]}"
        self.fields += 1
        self.advance("{" + unique + (f":{notation}" if notation else "") + "}", step)


def propose(lines: Sequence[str]) -> list[str]:
    """Templates for lines, the most detailed one first; each fits at least about 95 of 100 of them.

    >>> propose(["2026-11-22 01:00:11,045 INFO [main] a.B: x y", "2026-11-22 01:00:12,1 WARN [w-1] a.C: z"])[0]
    '{ts:timestamp} {level} [{thread}] {logger}: {message}'
    """
    lines = _firsts([line[:_LONGEST_LINE] for line in lines[:_MOST_LINES] if line.strip()])
    if not lines:
        return []
    draft = _Draft(list(lines), len(lines))
    whole = False
    while draft.fields < _MOST_FIELDS:
        if draft.share(lambda rest: not rest) >= _MOST:
            whole = True
            break
        before = len(draft.pieces)
        if not any(step(draft) for step in _STEPS) or len(draft.rests) < _FEWEST * draft.all:
            del draft.pieces[before:]
            break
        if draft.pieces[-1][-1] in " }" or draft.pieces[-1] == "{~}":
            draft.cuts.append(len(draft.pieces))
    return _endings(draft, whole)


def _firsts(lines: Sequence[str]) -> Sequence[str]:
    """The lines that begin a record, where others go on with one: those that begin with the same kind of time."""
    best: Sequence[str] = ()
    for time in shapes.times():
        dated = [line for line in lines if time.end(line) or (line[:1] in _MARKS and time.end(line[1:]))]
        best = dated if len(dated) > len(best) else best
    return best if len(best) >= _FEWEST_FIRST * len(lines) else lines


def _endings(draft: _Draft, whole: bool) -> list[str]:
    found = ["".join(draft.pieces)] if whole and draft.fields else []
    pieces = draft.pieces
    if not whole and not _is_field(pieces[-1:]):
        found.append("".join(pieces) + "{message}")
    found += [
        "".join(pieces[:cut]) + "{message}"
        for cut in reversed(draft.cuts)
        if not _is_field(pieces[cut - 1 : cut]) and any(_is_field([piece]) for piece in pieces[:cut])
    ]
    return list(dict.fromkeys(found))


def _is_field(pieces: Sequence[str]) -> bool:
    return bool(pieces) and pieces[0].startswith("{") and pieces[0] not in ("{~}", "{{")


# --- one step each; True where it was taken -----------------------------------------------------------------------


def _blanks(draft: _Draft) -> bool:
    if draft.share(lambda rest: rest[:1] in (" ", "\t") and rest[:1]) < _MOST:
        return False
    if draft.share(lambda rest: rest[0] == " " and rest[1:2] not in (" ", "\t")) == 1:
        draft.advance(" ", _over(" "))
    else:
        draft.advance("{~}", lambda rest: len(rest) - len(rest.lstrip(" \t")) or None)
    return True


def _time(draft: _Draft) -> bool:
    found: list[tuple[float, str, shapes.Time]] = []
    for time in shapes.times():
        ends = [time.end(rest) for rest in draft.rests]
        there = [end for end in ends if end]
        if len(there) >= _MOST * len(draft.rests):
            found.append((sum(there) / len(there), time.notation, time))
    if not found:
        return False
    # max() keeps the first of equals: ISO before patterns, the commoner pattern before the rarer.
    _, notation, time = max(found, key=lambda one: one[0])
    draft.add_field("ts" if not draft.names["ts"] else "time", notation, lambda rest: time.end(rest) or None)
    return True


def _quoted(draft: _Draft) -> bool:
    if draft.share(shapes.QUOTED.match) < _MOST:
        return False
    name = "request" if draft.share(shapes.REQUEST.match) > 0.5 else "text"
    draft.add_field(name, "quoted", _end_of(shapes.QUOTED))
    return True


def _level(draft: _Draft) -> bool:
    if draft.share(shapes.LEVEL.match) < _MOST:
        return False
    stop = _stop_behind(draft, shapes.LEVEL)
    if stop is None:
        return False
    draft.add_field("level", "", _end_of(shapes.LEVEL))
    return True


def _key(draft: _Draft) -> bool:
    keys = Counter(found[1] for rest in draft.rests if (found := shapes.KEY.match(rest)))
    if not keys or keys.most_common(1)[0][1] < _MOST * len(draft.rests):
        return False
    key = keys.most_common(1)[0][0]
    draft.advance(f"{key}=", _over(f"{key}="))
    if draft.share(shapes.QUOTED.match) >= _MOST:
        draft.add_field(key, "quoted", _end_of(shapes.QUOTED))
    elif not _number(draft, key) and not _quantity(draft, key):
        draft.add_field(key, "", lambda rest: len(re.split(r"[ \t]", rest, maxsplit=1)[0]))
    return True


def _number(draft: _Draft, called: str = "") -> bool:
    for regex, notation in ((shapes.WHOLE, "long"), (shapes.FRACTION, "double")):
        null = 0.0 if draft.share(regex.match) < 0.2 else draft.share(lambda rest: re.match(r"-(?=[ \t]|$)", rest))
        if draft.share(regex.match) + null >= _MOST and _stop_behind(draft, regex) is not None:
            known = [found[0] for rest in draft.rests if (found := regex.match(rest))]
            status = notation == "long" and all(len(text) == 3 and text[0] in "12345" for text in known)
            name = "pid" if draft.opened else "status" if status else "number"
            either = re.compile(f"(?:{regex.pattern})|-(?=[ \t]|$)") if null else regex
            draft.add_field(called or name, notation + ("?" if null else ""), _end_of(either))
            return True
    return False


def _quantity(draft: _Draft, called: str) -> bool:
    """A number with its unit: ``682.2ms``."""
    units = Counter(one["unit"] for one in map(shapes.QUANTITY.match, draft.rests) if one)
    if not units or units.most_common(1)[0][1] < _MOST * len(draft.rests):
        return False
    unit = units.most_common(1)[0][0]
    null = "?" if draft.share(lambda rest: rest.startswith(f"-{unit}")) else ""
    draft.add_field(
        called, "double" + null, lambda rest: found.end(1) if (found := shapes.QUANTITY.match(rest)) else None
    )
    draft.advance(unit, _over(unit))
    return True


def _bracketed(draft: _Draft) -> bool:
    """The text inside of brackets, up to what closes them; inside of it there may be further brackets."""
    if not draft.opened:
        return False
    close = _CLOSING[draft.opened]
    for tail in (" - ", ": ", " ", ":", ""):
        stop = close + tail
        inside = draft.share(lambda rest, stop=stop: 0 <= rest.find(stop) <= _LONGEST)  # type: ignore[misc]
        if inside >= _MOST:
            whole = draft.share(lambda rest, stop=stop: rest[: max(rest.find(stop), 0)].isdigit()) >= _MOST  # type: ignore[misc]
            draft.add_field("pid" if whole else "thread", "int" if whole else "", _before(stop))
            draft.opened = ""
            draft.advance(_literal(stop), _over(stop))
            return True
    return False


def _mark(draft: _Draft) -> bool:
    marks = Counter(rest[:1] for rest in draft.rests)
    mark, count = marks.most_common(1)[0]
    if not mark or mark not in _MARKS or count < _MOST * len(draft.rests):
        return False
    draft.advance(_literal(mark), _over(mark))
    draft.opened = mark if mark in _CLOSING and mark not in "'" else "" if mark in _CLOSING.values() else draft.opened
    return True


def _word(draft: _Draft) -> bool:
    """A word and what ends it: the bracket of a number, a colon, a bar, or a blank if structure follows."""
    if draft.share(_PROGRAM.match) >= _MOST:
        draft.add_field("program", "", _before("["))
        return True
    for stop in ("|", "\t", ";"):
        if draft.share(lambda rest, stop=stop: 0 < rest.find(stop) <= 60) >= _MOST:  # type: ignore[misc]
            draft.add_field("field", "", _before(stop))
            return True
    ended = draft.share(lambda rest: (place := rest.find(": ")) > 0 and " " not in rest[:place])
    if ended >= _MOST:
        dotted = draft.share(lambda rest: "." in rest[: rest.find(": ")]) > 0.3 or draft.names["level"]
        draft.add_field("logger" if dotted else "source", "", _before(": "))
        draft.advance(": ", _over(": "))
        return True
    spaced = draft.share(
        lambda rest: (word := _WORD.match(rest)) is not None and rest[word.end() :].startswith((" ", "\t"))
    )
    if spaced >= _MOST and _structure_ahead(draft):
        address = draft.share(shapes.ADDRESS.match) > 0.5
        first = draft.fields == 1 and draft.names["ts"] == 1
        draft.add_field("client_ip" if address else "host" if first else "field", "", _end_of(_WORD))
        return True
    return False


_STEPS = (_blanks, _time, _quoted, _level, _key, _number, _mark, _bracketed, _word)


# --- what the steps share ---------------------------------------------------------------------------------------


def _end_of(regex: re.Pattern[str]) -> Callable[[str], int | None]:
    return lambda rest: found.end() if (found := regex.match(rest)) else None


def _over(text: str) -> Callable[[str], int | None]:
    return lambda rest: len(text) if rest.startswith(text) else None


def _before(stop: str) -> Callable[[str], int | None]:
    return lambda rest: place if (place := rest.find(stop)) >= 0 else None


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _stop_behind(draft: _Draft, regex: re.Pattern[str]) -> str | None:
    """What follows a match in nearly all lines: a blank, a mark, or the end (""); None: nothing in common."""
    behind: Counter[str] = Counter()
    for rest in draft.rests:
        if found := regex.match(rest):
            follows = rest[found.end() : found.end() + 1]
            behind[" " if follows == "\t" else follows] += 1
    if not behind:
        return None
    stop, count = behind.most_common(1)[0]
    return stop if count >= _MOST * sum(behind.values()) and not stop.isalnum() else None


def _structure_ahead(draft: _Draft) -> bool:
    """Whether one of the next words is something that messages do not have at one and the same place."""
    for index in range(1, _AHEAD + 1):
        prefetch = [rest.split(maxsplit=index)[index:][:1] for rest in draft.rests]
        texts = [part[0] for part in prefetch if part]
        if len(texts) < _MOST * len(draft.rests):
            return False
        for telling in (
            shapes.LEVEL,
            shapes.WHOLE,
            shapes.FRACTION,
            shapes.QUOTED,
            shapes.UUID,
            shapes.ADDRESS,
            _PROGRAM,
        ):
            if sum(1 for text in texts if telling.match(text)) >= _MOST * len(texts):
                return True
        firsts = Counter(text[0] for text in texts)
        mark, count = firsts.most_common(1)[0]
        if mark in _MARKS and count >= _MOST * len(texts):
            return True
        words = [_WORD.match(text) for text in texts]
        if sum(1 for word in words if word and word[0].endswith(":")) >= _MOST * len(texts):
            return True
        if any(sum(1 for text in texts if time.end(text)) >= _MOST * len(texts) for time in shapes.times()):
            return True
    return False
