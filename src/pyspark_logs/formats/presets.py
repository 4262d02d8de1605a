"""Named formats that ship: one table from name to template.

Field names and types are those of the provider's documentation. A preset may give a field's text as
two columns (``client:port`` is one text in the log).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.basetypes import FieldType
from pyspark_logs.formats.fieldtypes import HostOf, PortOf


@dataclass(frozen=True)
class Preset:
    """A named format.

    Attributes:
        template: in the project's notation.
        parts: field -> the columns given in its place, each with what it takes of the text.
        allow_trailing: whether text after the last field is fine (providers append fields).
        source: where the format is documented.
    """

    template: str
    source: str
    parts: dict[str, tuple[tuple[str, FieldType], ...]] = field(default_factory=dict)
    allow_trailing: bool = False


_CLF_TIME = "[{time:timestamp(%d/%b/%Y:%H:%M:%S %z)}]"

PRESETS: dict[str, Preset] = {
    "apache_combined": Preset(
        "{remote_host} {remote_logname?} {remote_user?} " + _CLF_TIME + " {request:quoted?} {status:int?} {bytes:long?}"
        " {referer:quoted?} {user_agent:quoted?}",
        source='Apache HTTP Server, "Log Files", Combined Log Format',
    ),
    "aws_alb": Preset(
        "{type} {time:timestamp} {elb} {client?} {target?} {request_processing_time:double?}"
        " {target_processing_time:double?} {response_processing_time:double?} {elb_status_code:int?}"
        " {target_status_code:int?} {received_bytes:long?} {sent_bytes:long?} {request:quoted?} {user_agent:quoted?}"
        " {ssl_cipher?} {ssl_protocol?} {target_group_arn?} {trace_id:quoted?} {domain_name:quoted?}"
        " {chosen_cert_arn:quoted?} {matched_rule_priority:int?} {request_creation_time:timestamp?}"
        " {actions_executed:quoted?}"
        # A group for each field: the documentation does not say which of them came together.
        "{? {redirect_url:quoted?}{? {error_reason:quoted?}"
        "{? {target_port_list:quoted?}{? {target_status_code_list:quoted?}"
        "{? {classification:quoted?}{? {classification_reason:quoted?}{? {conn_trace_id?}"
        "{? {transformed_host:quoted?}{? {transformed_uri:quoted?}{? {request_transform_status?}{? {alb_node_ip?}"
        "{? {}" + 12 * "?}",  # the last group is what is appended next year
        source='AWS, "Access logs for your Application Load Balancer"',
        parts={
            "client": (("client_ip", HostOf()), ("client_port", PortOf())),
            "target": (("target_ip", HostOf()), ("target_port", PortOf())),
        },
        allow_trailing=True,
    ),
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
