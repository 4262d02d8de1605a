"""The line formats that ship, by name, with a module for each family.

Names and types of fields are those of the provider's documentation: keys of JSON unchanged, other names in lower case
with underscores. The text of one field may have several columns, as ``client:port`` does.
"""

from __future__ import annotations

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.presets import (
    applications,
    aws,
    aws_json,
    cloud_json,
    containers,
    databases,
    delimited,
    mysql_slow,
    proxies,
    servers_json,
    syslog,
    web,
)
from pyspark_logs.formats.presets.entry import Preset
from pyspark_logs.terminal_text import nearest_name

_FAMILIES = (
    web, aws, aws_json, delimited, cloud_json, syslog, proxies, servers_json, databases, mysql_slow, applications,
    containers,
)  # fmt: skip

PRESETS: dict[str, Preset] = {preset.name: preset for family in _FAMILIES for preset in family.PRESETS}


def find_preset(name: str) -> Preset:
    """Returns the preset of a name, without regard to case.

    Raises:
        FormatError: there is no preset of this name; the message suggests the nearest.
    """
    found = PRESETS.get(name.strip().lower())
    if found is None:
        near = nearest_name(name, PRESETS)
        known = (
            f"did you mean {near!r}? `pyspark-logs presets` lists all" if near else f"there are {', '.join(PRESETS)}"
        )
        raise FormatError(f"option 'preset': {name!r} is not a preset; {known}")
    return found
