"""Responses of ListObjectsV2, as botocore parses them, which takes most of the processor time of a listing.

See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

# Parameters of s3fs's call, and their names in the query.
PARAMETERS = {
    "Prefix": "prefix",
    "MaxKeys": "max-keys",
    "Delimiter": "delimiter",
    "ContinuationToken": "continuation-token",
    "StartAfter": "start-after",
}
# Parameters that botocore adds. XML cannot express all characters of keys.
CONSTANTS = {"list-type": "2", "encoding-type": "url"}


def parse_listing(body: bytes) -> dict[str, Any]:
    """Returns the parts of a response that a listing needs: ``Contents``, ``CommonPrefixes`` and the continuation.

    Raises:
        ResponseParserError: the body is not a response of ListObjectsV2.
    """
    from botocore.parsers import ResponseParserError

    try:
        root = ET.fromstring(body)  # noqa: S314 - botocore parses it by the same library
        namespace, _, name = root.tag.rpartition("}")
        if name != "ListBucketResult":
            raise ValueError(f"the root element is {name}")
        namespace += "}" * bool(namespace)
        decode: Callable[[str], str] = unquote_plus if root.findtext(f"{namespace}EncodingType") == "url" else str
        tags = {f"{namespace}{tag}": tag for tag in ("Key", "Size", "LastModified", "ETag")}
        contents = [
            {tags[field.tag]: field.text or "" for field in item if field.tag in tags}
            for item in root.iterfind(f"{namespace}Contents")
        ]
        for item in contents:
            item["Key"] = decode(item["Key"])
        return {
            "IsTruncated": root.findtext(f"{namespace}IsTruncated") == "true",
            "NextContinuationToken": root.findtext(f"{namespace}NextContinuationToken"),
            "Contents": [
                {**item, "Size": int(item["Size"]), "LastModified": _instant(item["LastModified"])} for item in contents
            ],
            "CommonPrefixes": [
                {"Prefix": decode(item.findtext(f"{namespace}Prefix") or "")}
                for item in root.iterfind(f"{namespace}CommonPrefixes")
            ],
        }
    except (ET.ParseError, ValueError, KeyError) as error:
        raise ResponseParserError(f"invalid response of ListObjectsV2: {type(error).__name__}: {error}") from error


def _instant(text: str) -> dt.datetime:
    """Returns the instant of a time in ISO 8601, or in a form that only other servers send."""
    from botocore.utils import parse_timestamp

    try:
        return dt.datetime.fromisoformat(text.removesuffix("Z") + "+00:00" * text.endswith("Z"))
    except ValueError:
        parsed: dt.datetime = parse_timestamp(text)
        return parsed
