"""Named formats that ship: one table from name to entry, a module for each family of them.

Field names and types are those of the provider's documentation: keys of JSON as they are, others in lower case and
with underscores. A preset may give a field's text as several columns (``client:port`` is one text in the log).
"""

from __future__ import annotations

import difflib

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.presets import applications, aws, aws_json, containers, servers, syslog, web, with_header
from pyspark_logs.formats.presets.entry import Preset

PRESETS: dict[str, Preset] = {
    **web.PRESETS,
    **aws.PRESETS,
    **aws_json.PRESETS,
    **with_header.PRESETS,
    **syslog.PRESETS,
    **servers.PRESETS,
    **applications.PRESETS,
    **containers.PRESETS,
}


def preset(name: str) -> Preset:
    """Look a preset up.

    Raises:
        FormatError: there is none of that name; the message gives the nearest.
    """
    found = PRESETS.get(name.strip().lower())
    if found is None:
        near = difflib.get_close_matches(name.lower(), PRESETS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise FormatError(f"option 'preset': {name!r} is not a preset{hint} (there are {', '.join(PRESETS)})")
    return found
