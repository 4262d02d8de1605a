"""Container runtimes, and what is sent from them."""

from __future__ import annotations

from pyspark_logs.formats.presets.entry import Preset, TemplateForm

PRESETS: dict[str, Preset] = {
    "cri": Preset(
        TemplateForm("{timestamp:timestamp} {stream} {tags} {log}"),
        source="Kubernetes, CRI container log format: timestamp stream tags log; the first tag is P where a line goes on in"
        " the next, else F: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md",
        sample=(
            "2026-11-22T01:00:11.045123456Z stdout F order 1399 accepted",
            "2026-11-22T01:00:12.310000000Z stderr P a line that is cut",
        ),
    ),
}
