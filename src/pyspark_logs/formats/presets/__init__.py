"""The line formats that ship, by name, with a module for each family.

Names and types of fields are those of the provider's documentation: keys of JSON unchanged, other names in lower case
with underscores. The text of one field may have several columns, as ``client:port`` does.
"""

from __future__ import annotations

import re

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
from pyspark_logs.options import FORMATS
from pyspark_logs.options.foreign import advice
from pyspark_logs.terminal_text import nearest_name

_MAX_SIMILAR = 3

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
        raise FormatError(f"option 'preset': {name!r} is not a preset; {_advice(name)}")
    return found


# Names under which presets are sought -> the presets.
_OTHER_NAMES = {
    "kubernetes": ("cri", "klog", "k8s_audit"), "k8s": ("cri", "klog", "k8s_audit"), "nginx": ("nginx_combined", "nginx_error"),
    "apache": ("apache_combined", "apache_common"), "elb": ("aws_alb", "aws_elb_classic"), "s3": ("aws_s3_access",),
    "cloudfront": ("aws_cloudfront", "cloudfront_json"), "containerd": ("cri",), "iis": ("w3c_iis",), "vpc": ("aws_vpc_flow",),
}  # fmt: skip

# Words of many names, which tell nothing about a format.
_COMMON_WORDS = ("log", "logs", "format", "preset")


def _advice(name: str) -> str:
    """Returns the advice for an unknown name: presets with the same words, an option, or the nearest name."""
    words = [word for word in re.split(r"[\W_]+", name.strip().lower()) if word not in _COMMON_WORDS]
    joined = "_".join(words)
    if (foreign := advice(joined)) is not None and joined not in FORMATS:
        return f"{foreign}; `pyspark-logs presets` lists the presets"
    similar = (joined,) if joined in PRESETS else _OTHER_NAMES.get(joined)
    if similar is None and joined not in FORMATS:
        similar = tuple(one for one in PRESETS if any(words) and set(words) <= set(one.split("_")))
    if similar:
        meant = " or ".join(map(repr, similar[:_MAX_SIMILAR]))
    elif joined in FORMATS:
        return f"{joined} is an option of its own; `pyspark-logs presets` lists the presets"
    else:
        near = nearest_name(name, PRESETS)
        meant = repr(near) if near else ""
    if meant:
        return f"did you mean {meant}? `pyspark-logs presets` lists all"
    return "`pyspark-logs presets` lists all, and `pyspark-logs detect FILE` finds the format of a file"
