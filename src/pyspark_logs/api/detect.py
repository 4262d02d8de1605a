"""The public function ``detect``: the line formats that fit a file."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from pyspark_logs.detection.candidate import LANGUAGES, Candidate
from pyspark_logs.detection.heads import detect_encoding, read_heads, text_heads
from pyspark_logs.detection.layouts import layout_options, propose_layout
from pyspark_logs.detection.ranking import GOOD_SHARE, rank_formats
from pyspark_logs.detection.samples import make_sample
from pyspark_logs.errors import OptionError
from pyspark_logs.options import FORMATS, parse_read_options

__all__ = ["GOOD_SHARE", "LANGUAGES", "Candidate", "detect"]

_SAMPLE_BYTES = 256 << 10  # about a thousand lines
# Options that do not become part of code, which is printed and kept.
_CREDENTIALS = frozenset(("accesskey", "secretkey", "sessiontoken", "storageoptions", "externalid", "proxy"))
_FORMAT_NAMES = {name.lower() for name in FORMATS}


def detect(path: str | os.PathLike[str], **options: Any) -> list[Candidate]:
    r"""Returns the formats that fit a file, the best one first.

    Presets come first, then common configurations of servers, then general formats such as JSON, then templates that
    are proposed for the lines. A format that tells clearly less about the lines than the best template comes after the
    templates. Within each of these groups the order is by the share of matching records and by specificity. Formats
    that fewer than 95 % of the records match come last. A list of formats (``anyOf``) comes first if the lines have several.

    Args:
        path: a file; of a directory or glob, up to eight files that are not empty are read.
        **options: options of the reader other than the line format: ``encoding``, ``compression``, ``endpoint`` ...
            An ``encoding`` that is recognised is part of the result, and so is the ``layout`` of a directory whose keys
            have a time.

    Returns:
        The formats that at least 5 % of the records match; an empty list if the file is empty.

    Raises:
        OptionError: the options name a line format.
        FormatError: the file does not look like text.
        PathNotFoundError: there is no such file.
        StoreError: the store refused or failed.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "app.log")
    >>> _ = file.write_text("2026-11-22 01:00:11,045 ERROR user=17 took=3.5ms status=500 no such order\n")
    >>> detect(file)[0].options["template"]
    '{ts:timestamp} {level} user={user:long} took={took:double}ms status={status:long} {message}'
    """
    formats = [name for name in options if name.lower() in _FORMAT_NAMES]
    if formats:
        raise OptionError(f"option {formats[0]!r} names a line format, which is what detect() finds out; leave it out")
    encoding, names = {}, {name.lower() for name in options}
    parsed = parse_read_options({**options, "path": path, "template": "{line}"})
    found = read_heads(parsed, _SAMPLE_BYTES)
    heads = found.whole_lines(parsed.format.encoding)
    if "encoding" not in names:
        heads = tuple(text_heads(heads))
        if (detected := detect_encoding(heads)) is not None:
            encoding, texts = {"encoding": detected}, {head.path for head in heads}
            heads = tuple(head for head in found.whole_lines(detected) if head.path in texts)
    zone = next((str(value) for name, value in options.items() if name.lower() == "timezone"), "UTC")
    keys = found.keys if "layout" not in names else ()
    layout = propose_layout(keys, zone)
    text_options = {
        name.lower(): value
        for name, value in {**options, **encoding}.items()
        if name.lower() in ("encoding", "timezone", "nullvalue")
    }
    candidates = rank_formats(make_sample(heads, text_options))
    given = {name: _text(value) for name, value in options.items() if name.lower() not in _CREDENTIALS}
    return [
        replace(
            candidate,
            options={**candidate.options, **encoding, **layout_options(candidate.options, layout, keys, zone)},
            path=os.fspath(path),
            given=given,
        )
        for candidate in candidates
    ]


def _text(value: Any) -> str:
    """Returns the text of an option's value."""
    return str(value).lower() if isinstance(value, bool) else str(value)
