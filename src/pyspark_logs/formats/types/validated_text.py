"""Strings of a known form: ``word``, ``ip``, ``host``, ``address``, ``class``, ``enum(...)``, and forms of presets.

The form of a value reveals lines whose values are shifted: ``www.example.com 192.0.2.7`` is not an address. The constants are
regular expressions that mean the same in RE2 and in Python.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import as_numbers
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.escape_styles import EscapeStyle
from pyspark_logs.formats.types.field_type import RenderResult, ReplaceStrings, parse_distinct, render_validated
from pyspark_logs.formats.types.forms import CompiledForm, RenderedForm
from pyspark_logs.formats.types.problem_classes import OTHER_FORM, classes_by_form
from pyspark_logs.formats.types.text import Text

# RFC 3986, 3.2.2: numbers up to 255 without leading zeros, which some programs read as octal.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_GROUP = "[0-9A-Fa-f]{1,4}"
# RFC 4291, 2.2: eight groups, of which "::" stands for one or more; the last two may be an IPv4 address. RFC 4007, 11: a
# zone after "%". AddressText checks the number of groups beside "::", because RE2 would take five times as long to compile the
# expression.
_IPV6 = (
    f"(?:(?:{_GROUP}:){{6}}(?:{_GROUP}:{_GROUP}|{_IPV4})"
    f"|(?:{_GROUP}(?::{_GROUP})*)?::(?:(?:{_GROUP}:)*(?:{_GROUP}|{_IPV4}))?)(?:%[0-9A-Za-z._~-]+)?"
)
_IP = f"(?:{_IPV4}|{_IPV6})"
# RFC 1123, 2.1, and underscores and characters beyond ASCII, which names in local networks have.
_NOT_ASCII = "\u0080-\U0010ffff"
_HOST_NAME = f"[0-9A-Za-z_{_NOT_ASCII}][0-9A-Za-z_.{_NOT_ASCII}-]*"
_HOST = rf"(?:{_HOST_NAME}|{_IPV6}|\[{_IPV6}\])"
_ADDRESS = rf"(?:(?:{_HOST_NAME}|\[{_IPV6}\])(?::[0-9]{{1,5}})?|{_IPV6})"

_MAX_GROUPS = 7  # "::" stands for one group at least
_COMPRESSED = re.compile(r"[0-9A-Fa-f:]*::[0-9A-Fa-f:.]*", re.ASCII)

_WORD = r"[^\x00-\x20]+"
_NO_WORD = bytes(range(33))
# Names of loggers: of classes, also generated ones (`Main$$Lambda$14/0x0800066840`), and of Tomcat's containers
# (`ContainerBase.[Catalina].[localhost]`).
_CLASS = "[^\\x00-\\x20\"'(),:;<>=@{|}]+"
_NO_CLASS = _NO_WORD + b"\"'(),:;<>=@{|}"
_ALPHANUMERIC = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class ValidatedText(Text):
    """String of a known form.

    Attributes:
        form: regular expression (RE2) of the whole text, with the same meaning in Python.
        name: name of the type in the notation; empty: the notation does not have it.
        excluded: ASCII characters that no text of the form contains.
        is_exact: True if every text without ``excluded`` that is not empty is of the form.
    """

    takes_rest: ClassVar[bool] = False
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True
    form: str = '[^ "]+'
    name: str = ""
    excluded: bytes = b""
    is_exact: bool = False

    @property
    def notation(self) -> str:
        return self.name or "string"

    @property
    def description(self) -> str:
        return f"a value of type {self.name}" if self.name else f"text of the form {self.form}"

    def resolve_escape_style(self, escape: bool) -> EscapeStyle | None:
        return self.escape_style

    def excludes(self, text: str) -> bool:
        return any(byte in self.excluded for byte in text.encode())

    def parse(self, text: str, context: TimestampContext) -> str:
        if re.fullmatch(self.form, text, re.ASCII) is None:
            raise ValueError(f"not {self.description}")
        return text

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        if self.is_exact and self._excludes_none(array):
            return array, None
        encoded = array.dictionary_encode()
        valid = classes_by_form(encoded.dictionary, self.form) != OTHER_FORM
        return array, None if valid.all() else valid[as_numbers(encoded.indices)]

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        return classes_by_form(texts, self.form)

    def _excludes_none(self, array: pa.Array) -> bool:
        """Returns True if no string is empty or has an excluded character."""
        if len(array) and spans.min_byte_length(array) == 0:
            return False
        data = spans.string_bytes(array)
        if self.excluded == _NO_WORD:  # a minimum takes a tenth of the time of a lookup
            return len(data) == 0 or int(data.min()) >= len(_NO_WORD)
        table = np.zeros(256, np.bool_)
        table[np.frombuffer(self.excluded, np.uint8)] = True
        return not table[data].any()

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)

    def map_strings(self, array: pa.Array, replace_strings: ReplaceStrings) -> pa.Array | None:
        return None

    @property
    def compiled_form(self) -> CompiledForm:
        if not self.is_exact:
            return CompiledForm(converts=True)
        return CompiledForm("BYTES", texts=(bytes(byte not in self.excluded for byte in range(256)),), converts=True)

    @property
    def rendered_form(self) -> RenderedForm:
        return RenderedForm("WORD" if self.is_exact and self.excluded == _NO_WORD else "")


@dataclass(frozen=True)
class AddressText(ValidatedText):
    """String that is, or contains, an IP address; the groups of an IPv6 address are counted."""

    def parse(self, text: str, context: TimestampContext) -> str:
        found = super().parse(text, context)
        address = _COMPRESSED.search(text)
        if address is not None:
            groups = [group for group in address[0].split(":") if group]
            if len(groups) + ("." in groups[-1] if groups else 0) > _MAX_GROUPS:
                raise ValueError(f"not {self.description}")
        return found

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        return super().problem_classes(texts)  # the texts of the form are parsed one by one

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        if len(array) and b"::" in spans.string_bytes(array).tobytes():
            return parse_distinct(self, array, context)
        return super().convert(array, context)

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm("ADDRESS", converts=True)


@dataclass(frozen=True)
class Enumeration(ValidatedText):
    """One of several texts, which :func:`enumeration` compiles.

    Attributes:
        texts: the texts.
    """

    texts: tuple[str, ...] = ()

    def unreadable_before(self, delimiter: str) -> str | None:
        return next((text for text in self.texts if (text + delimiter).find(delimiter) < len(text)), None)

    @property
    def compiled_form(self) -> CompiledForm:
        texts = tuple(text.encode() for text in self.texts)
        return CompiledForm("CHOICE", len(texts), texts, converts=True)


def _except(allowed: bytes) -> bytes:
    """Returns the ASCII characters other than letters, digits and ``allowed``."""
    return bytes(byte for byte in range(128) if byte not in _ALPHANUMERIC + allowed)


def enumeration(*texts: str) -> Enumeration:
    """Returns the type of a field that holds one of several texts, ``enum(a|b)`` in the notation.

    >>> enumeration("P", "F").parse("F", TimestampContext())
    'F'
    """
    excluded = bytes(byte for byte in range(128) if byte not in "".join(texts).encode())
    form = "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))
    return Enumeration(form=form, name=f"enum({'|'.join(texts)})", excluded=excluded, texts=texts)


def word(escape_style: EscapeStyle | None = None) -> ValidatedText:
    """Returns the type ``word``.

    Args:
        escape_style: escapes of the text; the value without its escapes is a word.
    """
    return ValidatedText(escape_style, form=_WORD, name="word", excluded=_NO_WORD, is_exact=True)


VALIDATED_TEXTS = {
    "word": word(),
    "ip": AddressText(form=_IP, name="ip", excluded=_except(b":.%_~-")),
    "host": AddressText(form=_HOST, name="host", excluded=_except(b":.%_~-[]")),
    "address": AddressText(form=_ADDRESS, name="address", excluded=_except(b":.%_~-[]")),
    "class": ValidatedText(form=_CLASS, name="class", excluded=_NO_CLASS, is_exact=True),
}
