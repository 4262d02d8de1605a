"""nginx: ``log_format``, bare or as the whole directive.

Source: nginx.org, "Module ngx_http_log_module" (``log_format``, ``escape``), "Embedded Variables" of the modules
``http_core``, ``upstream``, ``ssl``, ``realip``, ``gzip``, ``stream_core`` and ``stream_upstream``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.dialects.addresses import address_field
from pyspark_logs.formats.dialects.error_positions import Names, Pasted, nearest, plainly, wrong
from pyspark_logs.formats.dialects.json_object import JsonObjectFormat, json_segments
from pyspark_logs.formats.interface import LineFormat
from pyspark_logs.formats.template.composite_fields import Parts
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.notation import Field, Literal, Segment, make_template
from pyspark_logs.formats.types.escape_styles import JSON, NGINX, EscapeStyle
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Floating, Integer
from pyspark_logs.formats.types.server import Listed
from pyspark_logs.formats.types.temporal import Epoch, Timestamp
from pyspark_logs.formats.types.text import Quoted, Text
from pyspark_logs.options import FormatOptions

_INT, _LONG, _DOUBLE = Integer(32), Integer(64), Floating()
_COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
_CLF = "%d/%b/%Y:%H:%M:%S %z"

# variable -> type; all others are strings, lists of upstreams among them.
TYPES: dict[str, FieldType] = {
    "time_local": Timestamp(_CLF),
    "time_iso8601": Timestamp("%Y-%m-%dT%H:%M:%S%:z"),
    "msec": Epoch("s", digits=3),
    **dict.fromkeys(("request_time", "session_time", "connection_time", "gzip_ratio"), _DOUBLE),
    **dict.fromkeys(
        ("status", "remote_port", "server_port", "request_port", "proxy_port", "proxy_protocol_port",
         "proxy_protocol_server_port", "realip_remote_port", "pid"), _INT,
    ),
    **dict.fromkeys(
        ("body_bytes_sent", "bytes_sent", "bytes_received", "request_length", "content_length", "connection",
         "connection_requests", "connections_active", "connections_reading", "connections_writing",
         "connections_waiting", "limit_rate", "tcpinfo_rtt", "tcpinfo_rttvar", "tcpinfo_snd_cwnd", "tcpinfo_rcv_space"),
        _LONG,
    ),
}  # fmt: skip
# Variables that hold lists with spaces in them, beside those of upstreams.
_LISTS = frozenset({"http_x_forwarded_for", "proxy_add_x_forwarded_for"})
_UPSTREAM = re.compile(r"upstream_(addr|status|\w+_time|\w+_length|bytes_\w+)")
_SPELLINGS: dict[str, EscapeStyle | None] = {"default": NGINX, "json": JSON, "none": None}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
_DIRECTIVE = re.compile(r"\s*log_format\s")
_ESCAPE = re.compile(r"\s*escape=(\w+)\s+")


def nginx_format(options: FormatOptions) -> LineFormat:
    """The format that a ``log_format`` writes.

    Raises:
        FormatError: what is wrong with it, and where.
    """
    pasted, escape = _read(_COMBINED if options.spec == "combined" else options.spec)
    spelling = _SPELLINGS[escape]
    name = f"nginx {pasted.text!r}"
    if pasted.text.lstrip().startswith("{") and not pasted.text.lstrip().startswith("{$"):
        try:
            segments = json_segments(pasted, _VARIABLE, TYPES, spelling)
        except FormatError:  # braces may also be just text; where JSON is meant, the error is of use
            if escape == "json":
                raise
        else:
            _check_any(pasted, segments)
            return JsonObjectFormat(make_template(pasted.text, segments), options, name)
    parts: dict[str, Parts] = {}
    segments = _segments(pasted, spelling, parts)
    _check_any(pasted, segments)
    return TemplateFormat(make_template(pasted.text, segments), options, name, parts)


def _check_any(pasted: Pasted, segments: Sequence[Segment]) -> None:
    if not any(isinstance(segment, Field) for segment in segments):
        raise pasted.wrong(
            0, pasted.text, "has no variable, and so no column; variables are written $status or ${status}"
        )


# --- the configuration's syntax ---------------------------------------------------------------------------


def _read(source: str) -> tuple[Pasted, str]:
    """The format, its parts put together, and how values are escaped in it."""
    directive = _DIRECTIVE.match(source)
    if directive is None:
        leading = _ESCAPE.match(source)
        escape = _escape(source, leading) if leading else "default"
        begin = leading.end() if leading else 0
        if source[begin : begin + 1] == "'":
            return _joined(source, _words(source, begin)), escape
        plain = plainly("nginx", source)
        return replace(plain, text=plain.text[begin:], places=plain.places[begin:]), escape
    words = _words(source, directive.end())
    if len(words) < 2:
        raise wrong("nginx", source, len(source), "", "log_format needs a name and a format: log_format main '...';")
    escape = "default"
    given = _ESCAPE.match(words[1][0] + " ")
    if given is not None:
        escape = _escape(source, given, words[1][1][0])
        words = [words[0], *words[2:]]
    return _joined(source, words[1:]), escape


def _escape(source: str, found: re.Match[str], place: int | None = None) -> str:
    escape = found[1]
    if escape not in _SPELLINGS:
        at = found.start(1) - len("escape=") if place is None else place
        known = ", ".join(f"escape={one}" for one in _SPELLINGS)
        raise wrong(
            "nginx", source, at, f"escape={escape}", f"is not known{nearest(escape, _SPELLINGS)}; there are {known}"
        )
    return escape


def _joined(source: str, words: Sequence[tuple[str, list[int]]]) -> Pasted:
    text = "".join(word for word, _ in words)
    return Pasted("nginx", source, text, tuple(place for _, places in words for place in places))


def _words(source: str, place: int) -> list[tuple[str, list[int]]]:
    r"""The words of a directive up to its ``;``, each with the places of its characters.

    As nginx reads its configuration: ``\\ \" \'`` are the characters, ``\t \r \n`` control characters, any other
    backslash is itself; ``#`` begins a comment where a word could begin.
    """
    words: list[tuple[str, list[int]]] = []
    while place < len(source):
        if source[place].isspace():
            place += 1
        elif source[place] == "#":
            end = source.find("\n", place)
            place = len(source) if end < 0 else end
        elif source[place] == ";":
            _nothing_left(source, place + 1)
            break
        else:
            quote = source[place] if source[place] in "\"'" else ""
            word, places, place = _word(source, place, quote)
            words.append((word, places))
    return words


def _nothing_left(source: str, place: int) -> None:
    rest = re.sub(r"#[^\n]*", lambda match: " " * len(match[0]), source[place:])
    if rest.strip():
        at = place + len(rest) - len(rest.lstrip())
        raise wrong("nginx", source, at, rest.split()[0], "stands behind the directive; paste one log_format alone")


def _word(source: str, start: int, quote: str) -> tuple[str, list[int], int]:
    text, places = "", list[int]()
    place = start + len(quote)
    while place < len(source):
        here, following = source[place], source[place + 1 : place + 2]
        if here == quote or (not quote and (here.isspace() or here == ";")):
            return text, places, place + len(quote)
        if here == "\\" and following and following in "\\\"'trn":
            here = {"t": "\t", "r": "\r", "n": "\n"}.get(following, following)
            places.append(place)
            place += 2
        else:
            places.append(place)
            place += 1
        text += here
    if quote:
        raise wrong("nginx", source, start, quote, "opens a string that is not closed")
    return text, places, place


# --- variables -----------------------------------------------------------------------------------------------


def _segments(pasted: Pasted, spelling: EscapeStyle | None, parts: dict[str, Parts]) -> list[Segment]:
    """Text and variables, as segments; ``parts`` is told what is an address with its port."""
    pieces = _with_addresses(_pieces(pasted))
    segments: list[Segment] = []
    names = Names()
    for index, (text, variable, place) in enumerate(pieces):
        if variable is None:
            segments.append(Literal(text))
            continue
        after = pieces[index + 1] if index + 1 < len(pieces) else ("", None, 0)
        if after[1] is not None and (":" in variable or TYPES.get(variable, Text()).syntax is None):
            problem = f"nothing separates it from {after[0]!r}, so nobody can tell where it ends; put text between them"
            raise pasted.wrong(place, text, problem)
        if ":" in variable:
            host, port = map(names.new, variable.split(":"))
            field, parts[f"{host}:{port}"] = address_field(host, port, Text(spelling))
            segments.append(field)
            continue
        before = segments[-1].text if segments and isinstance(segments[-1], Literal) else ""
        kind = TYPES.get(variable) or Text(spelling)
        in_quotes = before.endswith('"') and after[0].startswith('"')
        if variable not in TYPES and in_quotes and spelling is not None:
            kind = Quoted(spelling)
            segments[-1] = Literal(before[:-1])
            pieces[index + 1] = (after[0][1:], None, after[2] + 1)
        elif after[0] == " " and (variable in _LISTS or _UPSTREAM.fullmatch(variable)):
            kind = Listed(spelling)
        segments.append(Field(names.new(variable), kind, nullable=True))
    return segments


def _with_addresses(pieces: list[tuple[str, str | None, int]]) -> list[tuple[str, str | None, int]]:
    """An address, a colon and its port as one piece, as an address of IPv6 has colons, too."""
    found: list[tuple[str, str | None, int]] = []
    for text, variable, place in pieces:
        colon, before = (found[-1], found[-2]) if len(found) > 1 else (("", "", 0), ("", None, 0))
        is_port = variable is not None and (before[1] or "").endswith("_addr") and colon[:2] == (":", None)
        if is_port and variable == f"{(before[1] or '').removesuffix('addr')}port":
            found[-2:] = [(before[0] + ":" + text, f"{before[1]}:{variable}", before[2])]
        else:
            found.append((text, variable, place))
    return found


def _pieces(pasted: Pasted) -> list[tuple[str, str | None, int]]:
    """(text, variable, place) of text and variables, in order; a text's variable is None."""
    pieces: list[tuple[str, str | None, int]] = []
    place = 0
    while place < len(pasted.text):
        dollar = pasted.text.find("$", place)
        end = len(pasted.text) if dollar < 0 else dollar
        if end > place:
            pieces.append((pasted.text[place:end], None, place))
        if dollar < 0:
            break
        variable = _VARIABLE.match(pasted.text, dollar)
        if variable is None:
            problem = "is not followed by the name of a variable (letters, digits and '_'), as $status or ${status}"
            raise pasted.wrong(dollar, "$", problem)
        pieces.append((variable[0], variable[1] or variable[2], dollar))
        place = variable.end()
    return pieces
