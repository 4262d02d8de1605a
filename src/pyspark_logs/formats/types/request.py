"""Parts of the first line of an HTTP request: the option ``requestParts``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import FALSE, from_texts, only_where, text_scalar
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.text import Text

PARTS = ("method", "path", "query", "protocol")
_TEXT = Text()
# RFC 9112, 3: method, target and protocol, separated by spaces. A client may send a target with spaces, and HTTP/0.9 has no
# protocol. Of a target in absolute form (3.2.2), which load balancers write, scheme and authority are left out.
_REQUEST_LINE = (
    r"^(?s:(?P<method>[A-Za-z][0-9A-Za-z!#$%&'*+.^_`|~-]*) (?:[A-Za-z][0-9A-Za-z+.-]*://[^/?# ]*)?"
    r"(?P<path>[^?]*?)(?:\?(?P<query>.*?))?(?: (?P<protocol>HTTP/[0-9.]+))?)$"
)


@dataclass(frozen=True)
class RequestPart(FieldType):
    """One part of a request; null if the request lacks the part, or is not a request line of HTTP.

    Single texts and arrays are both matched by RE2, so that both have the same meaning and take linear time.

    Attributes:
        part: one of :data:`PARTS`.
        inner: type that reads the request from the text of the field.

    >>> [RequestPart(part=part).parse("GET /a b?c=1 HTTP/1.1", TimestampContext()) for part in PARTS]
    ['GET', '/a b', 'c=1', 'HTTP/1.1']
    """

    part: str = PARTS[0]
    inner: FieldType = _TEXT

    @property
    def extraction(self) -> str:
        return "request"

    def arrow(self) -> pa.DataType:
        return pa.string()

    def parse(self, text: str, context: TimestampContext) -> str | None:
        request = self.inner.parse(text, context)
        if request is None:
            return None
        parts = pc.extract_regex(from_texts([request]), _REQUEST_LINE)[0].as_py()
        return None if parts is None else parts[self.part] or None

    def extract(self, array: pa.Array) -> tuple[pa.Array, Any]:
        """Returns the parts as a struct, null where the text is not a request, and the mask of valid requests."""
        requests, valid = self.inner.convert(array, TimestampContext())
        return pc.extract_regex(requests, _REQUEST_LINE), valid

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return self.convert_extracted(array, self.extract(array), context)

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        parts, valid = extracted
        texts = pc.struct_field(parts, [self.part])
        return only_where(pc.not_equal(texts, text_scalar("")).fill_null(FALSE), texts), valid
