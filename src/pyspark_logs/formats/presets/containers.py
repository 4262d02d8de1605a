"""Container runtimes and log transport: CRI, Docker, GELF."""

from __future__ import annotations

from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.presets.container_parts import CriParts, DockerParts
from pyspark_logs.formats.presets.entry import JsonForm, Preset, TemplateForm
from pyspark_logs.formats.types.validated_text import ValidatedText

PRESETS: tuple[Preset, ...] = (
    Preset(
        "cri",
        TemplateForm(
            "{timestamp:timestamp} {stream:enum(stdout|stderr)} {tags} {log}",
            types={"tags": ValidatedText(form="[PF](?::[^ :]+)*")},
            may_be_blank=("log",),
            part_rule=CriParts(),
        ),
        about="Kubernetes: container logs on nodes with containerd or CRI-O",
        source="Kubernetes, CRI container log format: timestamp stream tags log; the first tag is P for a line that continues"
        " in the next of its stream, otherwise F: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md",
        sample=(
            "2026-11-22T01:00:11.045123456Z stdout F order 1399 accepted",
            "2026-11-22T01:00:12.310000000Z stderr F cannot post",
        ),
    ),
    Preset(
        "docker_json",
        JsonForm(
            (
                JsonField("log"),
                JsonField("stream"),
                JsonField("time", "timestamp"),
                JsonField("attrs", "map<string,string>"),
            ),
            part_rule=DockerParts(),
        ),
        about="Docker: container logs of the driver json-file",
        source='Docker, "JSON File logging driver"; log includes the line end that the container wrote:'
        " https://docs.docker.com/engine/logging/drivers/json-file/",
        sample=(
            r'{"log":"order 1399 accepted\n","stream":"stdout","time":"2026-11-22T01:00:11.045123456Z"}',
            r'{"log":"cannot post\n","stream":"stderr","attrs":{"tag":"shop"},"time":"2026-11-22T01:00:12.31Z"}',
        ),
    ),
    Preset(
        "gelf",
        JsonForm(
            (
                JsonField("version"),
                JsonField("host"),
                JsonField("short_message"),
                JsonField("full_message"),
                JsonField("timestamp", "epoch(s)", numerals=True),
                JsonField("level", "int", numerals=True),
                JsonField("facility"),
                JsonField("line", "int", numerals=True),
                JsonField("file"),
            )
        ),
        about="Graylog inputs and log libraries: GELF messages as JSON",
        source="Graylog, GELF payload specification 1.1; a schema can name additional fields (_name)."
        " Some libraries send numbers as strings, which are read, too:"
        " https://go2docs.graylog.org/current/getting_in_log_data/gelf.html",
        sample=(
            (
                '{"version":"1.1","host":"web-1","short_message":"order accepted","full_message":"order 1399 accepted",'
                '"timestamp":1795309211.045,"level":6,"_order_id":"1399"}'
            ),
        ),
    ),
)
