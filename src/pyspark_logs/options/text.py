"""Parsers of option values that are text: names, paths, encodings, schemas and choices.

All parsers take the name of an option and its value, which is a string or of the natural Python type. They return the
parsed value, or raise an OptionError that names the expected one. :mod:`pyspark_logs.options.numbers` and
:mod:`pyspark_logs.options.times` have the other parsers.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark_logs.errors import OptionError
from pyspark_logs.terminal_text import nearest_name

# "s3://KEY:SECRET@bucket": a secret may contain slashes, while no bucket but the ARN of an access point contains a colon. Of
# other schemes, "host:port" and the container of "abfs://container@account" are not credentials.
_CREDENTIALS = re.compile(
    r"\b(?P<scheme>s3[an]?)://(?:(?!arn:)[^/@\s]*:[^@]*|[^/@]*)@|\b(?P<other>[a-z][a-z0-9+.-]*)://[^/@]*:[^/@]*@",
    re.IGNORECASE,
)


def bad_value(name: str, value: object, expected: str) -> OptionError:
    """Returns the error for a value that is not the expected one."""
    return OptionError(f"option {name!r}: {value!r} is not {expected}")


def parse_text(name: str, value: object) -> str:
    """Returns any string unchanged."""
    if not isinstance(value, str):
        raise bad_value(name, value, "a string")
    return value


def parse_name(name: str, value: object) -> str:
    """Returns a string that is not blank, without leading and trailing spaces."""
    text = parse_text(name, value).strip()
    if not text:
        raise OptionError(f"option {name!r}: is empty; give a value or leave the option out")
    return text


def parse_url(name: str, value: object) -> str:
    """Returns an HTTP URL without leading and trailing spaces."""
    url = parse_name(name, value)
    if not re.match(r"https?://[^/]", url, re.IGNORECASE):
        # A user name and a password may stand before the host.
        example = f"http://{url}" if re.fullmatch(r"[\w.-]+(:\d+)?", url, re.ASCII) else "http://127.0.0.1:9000"
        raise OptionError(f"option {name!r}: is not a URL with http:// or https://; write {example}, for example")
    return url


def parse_id(name: str, value: object) -> str:
    """Returns a string without leading and trailing spaces, which would be hard to see and are refused."""
    text = parse_text(name, value)
    if text != parse_name(name, text):
        raise bad_value(name, value, "a text without blanks around it")
    return text


def parse_prefix(name: str, value: object) -> str:
    """Returns a string that is not empty and has no line ends."""
    text = parse_text(name, value)
    if not text or "\n" in text or "\r" in text:
        raise bad_value(name, value, "a non-empty prefix without line ends")
    return text


# Names of separators that other tools know -> the separators.
_SEPARATOR_NAMES = {
    "tab": r"\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " ", "whitespace": " ", "tsv": r"\t", "csv": ",",
}  # fmt: skip


def parse_separator(name: str, value: object) -> str:
    r"""Returns a separator: a string that is not empty and has no line ends. ``\\t`` (a backslash and a t) is a tab."""
    if not isinstance(value, str):
        raise bad_value(name, value, r"a separator such as ',' or '\t'")
    separator = _SEPARATOR_NAMES.get(value.strip().lower())
    if separator is not None:
        raise bad_value(name, value, f"a separator; write delimited='{separator}'")
    if re.fullmatch(r"\\[^\w\s\\]", value):
        raise bad_value(name, value, f"a separator; it is not a regular expression: write delimited='{value[1]}'")
    text = value.replace("\\t", "\t")
    if not text or "\n" in text or "\r" in text:
        raise bad_value(name, value, "a non-empty separator without line ends")
    return text


def parse_quote(name: str, value: object) -> str | None:
    """Returns a character; None for the empty string."""
    text = parse_text(name, value)
    if len(text) > 1 or text in ("\n", "\r"):
        raise bad_value(name, value, "one character, or empty")
    return text or None


_REFERENCE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def parse_class(name: str, value: object) -> str:
    """Returns the name of a class as ``module:Class``."""
    text = parse_name(name, value)
    if not _REFERENCE.fullmatch(text):
        raise bad_value(name, value, "a class as 'module:Class'")
    return text


def parse_callable(name: str, value: object) -> str:
    """Returns the name of a function or another callable as ``module:callable``."""
    text = parse_name(name, value)
    if not _REFERENCE.fullmatch(text):
        raise bad_value(name, value, "a function as 'module:callable'")
    return text


def parse_tags(name: str, value: object) -> str:
    """Returns a mapping or a JSON object of names and texts as JSON text."""
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise bad_value(name, value, "a JSON object of tags") from error
    if not isinstance(parsed, Mapping) or not all(isinstance(text, str) for item in parsed.items() for text in item):
        raise bad_value(name, value, "a JSON object of tags, whose names and values are strings")
    return json.dumps(dict(parsed), sort_keys=True)


def parse_definitions(name: str, value: object) -> str:
    """Returns lines of ``NAME pattern``, from such lines, or from a mapping of names to patterns or its JSON text."""
    parsed = value
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            parsed = json.loads(value)
        except ValueError as error:
            raise bad_value(name, value, "a JSON object of names and patterns") from error
    if isinstance(parsed, Mapping):
        parsed = "\n".join(f"{key} {pattern}" for key, pattern in parsed.items())
    return parse_name(name, parsed)


def parse_members(name: str, value: object) -> str:
    """Returns a list of formats, each a mapping of option names to values, as JSON text; from a list or its JSON text."""
    parsed = value
    if isinstance(value, str):
        try:
            parsed = json.loads(value, object_pairs_hook=_unique_keys)
        except ValueError as error:
            example = '[{"preset": "nginx_combined"}, {"json": "true"}]'
            raise bad_value(name, value, f"a JSON list of objects of options such as {example} ({error})") from error
    if not isinstance(parsed, (list, tuple)) or not parsed:
        raise bad_value(name, value, 'a list of formats such as [{"preset": "nginx_combined"}, {"json": "true"}]')
    for index, member in enumerate(parsed):
        if not isinstance(member, Mapping):
            raise OptionError(
                f"option {name!r}, member {index}: {member!r} is not an object of options such as"
                ' {"preset": "nginx_combined"}'
            )
    try:
        return json.dumps([dict(member) for member in parsed], ensure_ascii=False)
    except TypeError as error:
        raise bad_value(name, value, f"a list of objects with text, numbers and booleans ({error})") from error


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Returns a JSON object; raises ValueError if a key is there twice, because one of its values would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key of {', '.join(found)} is there twice")
    return found


_OTHER_BOOLEANS = ("yes", "no", "on", "off", "1", "0", "y", "n")


def parse_multi_line(name: str, value: object) -> str | None:
    """Returns ``true`` or a regular expression; None for ``false``.

    Raises:
        OptionError: the value is not a string; or it is another word for a boolean, such as ``yes``. As a regular expression, such
            a word would match few lines, and all other lines would be joined to them.
    """
    text = str(value) if isinstance(value, bool) else value
    if not isinstance(text, str) or text.strip().lower() in _OTHER_BOOLEANS:
        raise bad_value(name, value, "true, false or a regular expression that matches in the first line of a record")
    return {"true": "true", "false": None}.get(parse_name(name, text).lower(), text)


def parse_glob(name: str, value: object) -> str:
    """Returns a glob. A suffix alone, or a regular expression, would match no name."""
    glob = parse_name(name, value)
    if re.fullmatch(r"\.\w+(\.\w+)*", glob):
        raise bad_value(name, value, f"a glob that matches whole names; write *{glob}")
    if glob.startswith(("^", ".*")) or glob.endswith("$"):
        raise bad_value(
            name, value, "a glob but a regular expression; write a glob such as *.log, app-??.log or *.{log,txt}"
        )
    return glob


def parse_secret(name: str, value: object) -> str:
    """Returns a credential. Its value is in no message."""
    if not isinstance(value, str) or not value.strip():
        raise OptionError(f"option {name!r}: is empty or not a string (value hidden)")
    return value


def parse_proxy(name: str, value: object) -> str:
    """Returns the URL of a proxy, which may hold a password. Its value is in no message."""
    url = parse_secret(name, value)
    if not re.match(r"https?://[^/]", url.strip(), re.IGNORECASE):
        raise OptionError(f"option {name!r}: is not a URL such as http://proxy.example.com:3128 (value hidden)")
    return url


def parse_keys(name: str, value: object) -> str:
    """Returns the path of keys to an array, such as ``a.b``."""
    path = parse_name(name, value)
    if path.startswith("$") or path.endswith(("[*]", "[]")):
        keys = path.removeprefix("$").lstrip(".").removesuffix("[*]").removesuffix("[]")
        raise bad_value(name, value, f"a path of keys, without $ and [*]; write {keys or 'Records'}")
    return path


def parse_role(name: str, value: object) -> str:
    """Returns the ARN of a role, whose account is empty on some servers."""
    arn = parse_name(name, value)
    if not re.fullmatch(r"arn:[^:\s]+:[^:\s]+:[^:\s]*:[^:\s]*:role/\S+", arn):
        raise bad_value(name, value, "the ARN of a role such as 'arn:aws:iam::123456789012:role/reader'")
    return arn


@dataclass(frozen=True)
class OneOf:
    """Parser of a choice among words, which match without case.

    Attributes:
        choices: the words.
        advice: replacements for words of other tools, which are in lower case.
    """

    choices: tuple[str, ...]
    advice: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, name: str, value: object) -> str:
        """Returns the word as it is spelt in the choices."""
        word = str(value).strip().lower()
        for choice in self.choices:
            if isinstance(value, str) and word == choice.lower():
                return choice
        nearest = nearest_name(word, self.choices)
        hint = self.advice.get(word) or (f"did you mean {nearest}?" if nearest else "")
        raise bad_value(name, value, f"one of {', '.join(self.choices)}{'; ' if hint else ''}{hint}")


def one_of(*choices: str, advice: Mapping[str, str] | None = None) -> OneOf:
    """Returns a parser of a choice among words."""
    return OneOf(choices, advice or {})


def parse_encoding(name: str, value: object) -> str:
    """Returns the name of a text encoding in Python's codecs."""
    import codecs

    text = parse_name(name, value)
    try:
        info = codecs.lookup(text)
        "".encode(text)
        codecs.getincrementaldecoder(text)
    except (LookupError, TypeError, ValueError) as error:
        raise bad_value(name, value, "a text encoding such as 'utf-8' or 'latin-1'") from error
    return info.name.removesuffix("-sig")  # readers skip a byte order mark of any encoding


def parse_storage_options(name: str, value: object) -> str:
    """Returns a mapping or a JSON object as JSON text. Its value is in no message."""
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
        if isinstance(parsed, Mapping):
            return json.dumps(dict(parsed), sort_keys=True)
    except (TypeError, ValueError):
        pass  # raised below without a cause, which would show the value
    raise OptionError(f"option {name!r}: is not a JSON object (value hidden, it may be secret)")


def parse_schema(name: str, value: object) -> str:
    """Returns Spark DDL, from DDL or a ``pyarrow.Schema``."""
    if isinstance(value, str):
        return parse_name(name, value)
    if getattr(value, "names", None) == []:
        return ""  # a pyarrow.Schema without columns, for a count of rows
    from pyspark_logs.schema import to_ddl

    return to_ddl(value)


def parse_condition(name: str, value: object) -> str:
    """Returns the text of a condition, which other libraries take as an object."""
    if not isinstance(value, str):
        raise bad_value(name, value, "a string, such as \"level = 'ERROR' AND took > 100\"")
    return parse_name(name, value)


def parse_path(name: str, value: object) -> str:
    """Returns a path as a string, from a string or an ``os.PathLike``.

    Raises:
        OptionError: the path is not a string, is empty, or contains credentials, which the message does not show.
    """
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str):
        raise bad_value(name, value, "a string or an os.PathLike")
    refuse_credentials(name, path)
    return parse_name(name, path)


def refuse_credentials(name: str, text: str) -> None:
    """Raises OptionError if a text contains a URL with a user name and a password."""
    match = _CREDENTIALS.search(text)
    if match is not None:
        raise OptionError(
            f"option {name!r}: {match['scheme'] or match['other']}://***@... contains credentials, which would get into plans, messages and"
            " records; give them as accessKey and secretKey, or better use a role; of other stores, as storageOptions"
        )
