"""Apache HTTP Server: ``LogFormat``, bare or as the whole directive.

Source: Apache HTTP Server 2.4, "Apache Module mod_log_config" (Custom Log Formats, Modifiers, Format Notes),
"Apache Module mod_logio", "Apache Module mod_ssl" (Custom Log Formats).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.dialects.addresses import address_field
from pyspark_logs.formats.dialects.apache_times import ClockPart, clock_part, joined
from pyspark_logs.formats.dialects.error_positions import Names, Pasted, nearest, wrong
from pyspark_logs.formats.interface import LineFormat
from pyspark_logs.formats.template.composite_fields import Parts
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.notation import Field, Literal, Segment, make_template
from pyspark_logs.formats.types.escape_styles import APACHE
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Floating, Integer
from pyspark_logs.formats.types.server import Listed
from pyspark_logs.formats.types.text import Quoted, Text
from pyspark_logs.options import FormatOptions

_TEXT, _INT, _LONG, _DOUBLE = Text(APACHE), Integer(32), Integer(64), Floating()

# directive -> column and type
PLAIN: dict[str, tuple[str, FieldType]] = {
    "a": ("client_ip", _TEXT), "A": ("local_ip", _TEXT), "B": ("bytes", _LONG), "b": ("bytes", _LONG),
    "D": ("duration_us", _LONG), "f": ("filename", _TEXT), "h": ("remote_host", _TEXT),
    "H": ("request_protocol", _TEXT), "I": ("bytes_received", _LONG), "k": ("keepalive_requests", _INT),
    "l": ("remote_logname", _TEXT), "L": ("request_log_id", _TEXT), "m": ("request_method", _TEXT),
    "O": ("bytes_sent", _LONG), "p": ("server_port", _INT), "P": ("process_id", _LONG), "q": ("query_string", _TEXT),
    "r": ("request", _TEXT), "R": ("handler", _TEXT), "s": ("status", _INT), "S": ("bytes_transferred", _LONG),
    "T": ("duration_s", _LONG), "u": ("remote_user", _TEXT), "U": ("url_path", _TEXT), "v": ("server_name", _TEXT),
    "V": ("host_name", _TEXT), "^FB": ("first_byte_us", _LONG), "X": ("connection_status", _TEXT),
}  # fmt: skip
# directives whose braces hold a word -> word -> column and type
WORDS: dict[str, dict[str, tuple[str, FieldType]]] = {
    "a": {"c": ("peer_ip", _TEXT)},
    "h": {"c": ("peer_host", _TEXT)},
    "p": {"canonical": ("server_port", _INT), "local": ("local_port", _INT), "remote": ("remote_port", _INT)},
    "P": {"pid": ("process_id", _LONG), "tid": ("thread_id", _LONG), "hextid": ("thread_id_hex", _TEXT)},
    "T": {"ms": ("duration_ms", _LONG), "us": ("duration_us", _LONG), "s": ("duration_s", _LONG)},
    "L": {"c": ("connection_log_id", _TEXT)},
}
# directives whose braces hold a name -> what the column begins with
NAMED = {
    "C": "cookie_", "e": "env_", "i": "", "n": "note_", "o": "response_", "^ti": "trailer_", "^to": "response_trailer_",
    "x": "", "c": "ssl_",
}  # fmt: skip
_ORIGINAL = frozenset("UTDr")  # mod_log_config: these look at the original request by default, the others at the final
_LISTS = frozenset({"x_forwarded_for"})
_ADDRESSES = frozenset({"client_ip", "peer_ip", "local_ip", "remote_host", "peer_host"})
_PORTS = frozenset({"remote_port", "server_port", "local_port"})
_ALL = (*PLAIN, "t", *(f"{{...}}{letter}" for letter in (*WORDS, *NAMED, "t")))
_DIRECTIVE = re.compile(r"\s*(LogFormat|CustomLog|GlobalLog|TransferLog|ErrorLogFormat)\s+", re.IGNORECASE)
_NOT_ACCESS = {
    "transferlog": "names a file, not a format; paste the LogFormat",
    "errorlogformat": "is of another log, with other directives; read error logs with preset=apache_error",
}


def apache_format(options: FormatOptions) -> LineFormat:
    """The format that a ``LogFormat`` writes.

    Raises:
        FormatError: what is wrong with it, and where.
    """
    pasted = _read(options.spec)
    parts: dict[str, Parts] = {}
    segments = _segments(pasted, _together(_items(pasted)), parts)
    if not any(isinstance(segment, Field) for segment in segments):
        raise pasted.wrong(0, pasted.text, "has no directive, and so no column; directives begin with '%'")
    return TemplateFormat(make_template(pasted.text, segments), options, f"apache {pasted.text!r}", parts)


# --- the configuration's syntax ---------------------------------------------------------------------------


def _read(source: str) -> Pasted:
    r"""The format without what the configuration has around it, ``\" \\ \t \n`` undone."""
    directive = _DIRECTIVE.match(source)
    if directive is None:
        closing = _closing(source, 0) if source[:1] in ('"', "'") else -1
        rest = source[closing + 1 :].strip()
        # The argument of a directive, with its quotes, perhaps with the nickname: not a line in quotes.
        escaped = source[:1] == '"' and '\\"' in source[:closing]
        if closing > 0 and "%" not in rest and (escaped or (not rest and source.count("%") > 1)):
            return _formatted(source, 1, closing)
        return _formatted(source, 0, len(source))
    place = directive.end()
    if directive[1].lower() in _NOT_ACCESS:
        raise wrong("apache", source, directive.start(1), directive[1], _NOT_ACCESS[directive[1].lower()])
    if directive[1].lower() in ("customlog", "globallog"):
        _, place = _argument(source, place)
        while place < len(source) and source[place].isspace():
            place += 1
    (begin, end), _ = _argument(source, place)
    found = _formatted(source, begin, end)
    if "%" not in found.text:
        problem = "is the nickname of a format; paste the LogFormat that defines it"
        raise wrong("apache", source, begin, found.text, problem)
    return found


def _argument(source: str, place: int) -> tuple[tuple[int, int], int]:
    """Where an argument stands within its quotes, and where what follows it begins."""
    if source[place : place + 1] in ('"', "'"):
        end = _closing(source, place)
        if end < 0:
            raise wrong("apache", source, place, source[place], "opens a string that is not closed")
        return (place + 1, end), end + 1
    end = next((at for at in range(place, len(source)) if source[at].isspace()), len(source))
    return (place, end), end


def _closing(source: str, place: int) -> int:
    """The quote that closes the one at a place; -1: there is none."""
    at = place + 1
    while at < len(source):
        if source[at] == "\\":
            at += 2
        elif source[at] == source[place]:
            return at
        else:
            at += 1
    return -1


def _formatted(source: str, begin: int, end: int) -> Pasted:
    r"""What a format means: ``\t`` and ``\n`` are control characters, another escaped character is itself."""
    text, places = "", list[int]()
    place = begin
    while place < end:
        places.append(place)
        if source[place] == "\\" and place + 1 < end:
            following = source[place + 1]
            text += {"t": "\t", "n": "\n", '"': '"', "'": "'", "\\": "\\"}.get(following, "\\" + following)
            places += [place + 1] * (following not in "tn\"'\\")
            place += 2
        else:
            text += source[place]
            place += 1
    return Pasted("apache", source, text, tuple(places))


# --- directives ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """A directive: its text and place, and the column that it makes; a part of a time is put together later."""

    text: str
    place: int
    column: str
    type: FieldType
    which: str = ""
    time: ClockPart | None = None


def _items(pasted: Pasted) -> list[str | Item]:
    """Text and directives, in order."""
    items: list[str | Item] = []
    place, text = 0, pasted.text
    while place < len(text):
        percent = text.find("%", place)
        end = len(text) if percent < 0 else percent
        if end > place:
            items.append(text[place:end])
        if percent < 0:
            break
        if text.startswith("%%", percent):
            items.append("%")
            place = percent + 2
            continue
        found, place = _item(pasted, percent)
        items += ["[", found, "]"] if found.text.endswith("t") and "{" not in found.text else [found]
    # Text side by side is one, so that a quote is seen beside its directive.
    merged: list[str | Item] = []
    for item in items:
        if isinstance(item, str) and merged and isinstance(merged[-1], str):
            merged[-1] += item
        else:
            merged.append(item)
    if merged and isinstance(merged[-1], str):
        merged[-1] = merged[-1].rstrip("\n")
    return merged


def _item(pasted: Pasted, place: int) -> tuple[Item, int]:
    """The directive at a place, and where it ends; modifiers and braces come in any order."""
    text = pasted.text
    at, which, inside = place + 1, "", None
    while text[at : at + 1] and (text[at] in "<>!,{" or text[at].isdecimal()):
        if text[at] == "{":
            close = text.find("}", at)
            if close < 0:
                raise pasted.wrong(place, text[place:], "'{' is not closed with '}'")
            inside, at = text[at + 1 : close], close
        elif text[at] in "<>":
            which = text[at]
        at += 1
    letter = text[at : at + 3] if text.startswith("^", at) else text[at : at + 1]
    whole = text[place : at + len(letter)]
    if not letter:
        raise pasted.wrong(place, whole, "is not followed by a directive; write %% for a percent sign")
    try:
        column, kind, time = _meaning(letter, inside)
    except FormatError as error:
        raise pasted.wrong(place, whole, str(error)) from error
    if which == ">" and letter in _ORIGINAL:
        column = f"final_{column}"
    elif which == "<" and letter not in _ORIGINAL:
        column = f"original_{column}"
    return Item(whole, place, column, kind, which, time), at + len(letter)


def _together(items: list[str | Item]) -> list[str | Item]:
    """Items with what several directives tell of one thing put together, and the statuses told apart."""
    out: list[str | Item] = []
    for item in items:
        before = next((one for one in reversed(out) if isinstance(one, Item)), None)
        between = "" if out and out[-1] is before else out[-1] if out else ""
        if isinstance(item, Item) and item.time and before is not None and before.time and isinstance(between, str):
            time = joined(before.time, between, item.time)
            if time is not None:
                text = before.text + between + item.text
                del out[next(at for at, one in enumerate(out) if one is before) :]
                out.append(replace(before, text=text, type=time.type, time=time))
                continue
        path = out[-1] if out else None
        if (
            isinstance(item, Item)
            and isinstance(path, Item)
            and (path.column, item.column) == ("url_path", "query_string")
        ):
            out[-1] = replace(path, text=path.text + item.text, column="url")  # a path, and "?" with the query if any
            continue
        out.append(item)
    final = any(isinstance(item, Item) and item.column == "status" and item.which == ">" for item in items)
    return [
        replace(item, column="original_status")
        if final and isinstance(item, Item) and item.column == "status" and item.which != ">"
        else item
        for item in out
    ]


def _meaning(letter: str, inside: str | None) -> tuple[str, FieldType, ClockPart | None]:
    """Column and type of a directive."""
    if letter == "t":
        time = clock_part(inside)
        return time.column, time.type, time
    if inside is None:
        if letter in PLAIN:
            return (*PLAIN[letter], None)
        if letter in NAMED:
            raise FormatError(f"needs a name in braces: %{{...}}{letter}")
        raise _unknown(letter)
    if letter in WORDS and inside.lower() in WORDS[letter]:
        return (*WORDS[letter][inside.lower()], None)
    if letter in WORDS:
        known = ", ".join(f"%{{{word}}}{letter}" for word in WORDS[letter])
        raise FormatError(f"{inside!r} is not known here{nearest(inside, WORDS[letter])}; there are {known}")
    if letter in NAMED:
        name = re.sub(r"\W+", "_", inside.strip()).strip("_").lower()
        if not name:
            raise FormatError("has no name in its braces")
        return NAMED[letter] + name, _TEXT, None
    if letter in PLAIN:
        raise FormatError(f"takes nothing in braces; write %{letter}")
    raise _unknown(letter)


def _unknown(letter: str) -> FormatError:
    other = letter.swapcase()
    hint = f"; did you mean '%{other}'?" if other in PLAIN or other == "t" else ""
    known = " ".join(f"%{one}" for one in _ALL)
    return FormatError(f"is no directive that is known{hint}; there are {known}, and %% for a percent sign")


# --- segments ------------------------------------------------------------------------------------------------


def _segments(pasted: Pasted, items: list[str | Item], parts: dict[str, Parts]) -> list[Segment]:
    """``parts`` is told what is an address with its port."""
    segments: list[Segment] = []
    names = Names()
    items = _with_addresses(items)
    for index, item in enumerate(items):
        if isinstance(item, str):
            segments.append(Literal(item))
            continue
        after = items[index + 1] if index + 1 < len(items) else ""
        if isinstance(after, Item) and item.type.syntax is None:
            problem = (
                f"nothing separates it from {after.text!r}, so nobody can tell where it ends; put text between them"
            )
            raise pasted.wrong(item.place, item.text, problem)
        if ":" in item.column:
            host, port = map(names.new, item.column.split(":"))
            field, parts[f"{host}:{port}"] = address_field(host, port, item.type)
            segments.append(field)
            continue
        before = segments[-1].text if segments and isinstance(segments[-1], Literal) else ""
        kind = item.type
        if kind == _TEXT and isinstance(after, str) and before.endswith('"') and after.startswith('"'):
            kind = Quoted(APACHE)
            segments[-1] = Literal(before[:-1])
            items[index + 1] = after[1:]
        elif kind == _TEXT and after == " " and item.column in _LISTS:
            kind = Listed(APACHE)
        segments.append(Field(names.new(item.column), kind, nullable=True))
    return segments


def _with_addresses(items: list[str | Item]) -> list[str | Item]:
    """An address, a colon and a port as one item, as an address of IPv6 has colons, too."""
    found: list[str | Item] = []
    for item in items:
        before = found[-2] if len(found) > 1 else None
        is_port = isinstance(item, Item) and item.column in _PORTS and found[-1:] == [":"]
        if isinstance(item, Item) and is_port and isinstance(before, Item) and before.column in _ADDRESSES:
            whole = replace(before, text=f"{before.text}:{item.text}", column=f"{before.column}:{item.column}")
            found[-2:] = [whole]
        else:
            found.append(item)
    return found
