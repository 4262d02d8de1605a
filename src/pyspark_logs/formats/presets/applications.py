"""Default formats of logging libraries: Log4j, Python's logging, klog, glog."""

from __future__ import annotations

from pyspark_logs.formats.presets.entry import Preset, TemplateForm
from pyspark_logs.formats.template.composite_fields import CompositeField, ConditionalText, FieldPart
from pyspark_logs.formats.types.multi_pattern_timestamp import ISO_8601, MultiPatternTimestamp
from pyspark_logs.formats.types.syslog import GlogSeverity
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.types.validated_text import ValidatedText

# Level and thread come in either order; thread and logger are optional. A thread's name may contain brackets, as
# ZooKeeper's `QuorumPeer[myid=1]` does.
_THREAD = r"(?:[^\[\]]|\[[^\[\]]*\])*|[^\]]*"
# Apache Log4j 2, "Custom Log Levels" (built-in levels and the examples of custom ones), and levels of java.util.logging.
_LOG4J_LEVELS = "TRACE|DEBUG|INFO|WARN|ERROR|FATAL|OFF|ALL|NOTICE|VERBOSE|DIAG|AUDIT|WARNING|SEVERE|CRITICAL|CONFIG|FINE|FINER|FINEST"
# Python, "logging", Logging Levels: a level without a name is written as `Level 15`; well-known names beside those.
_PYTHON_LEVELS = (
    "DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL|NOTSET|TRACE|NOTICE|SUCCESS|VERBOSE|SPAM|AUDIT|Level [0-9]{1,9}"
)
_LOG4J_EVENT = CompositeField(
    rf"(?:\[(?P<first_thread>{_THREAD})\] +)?(?P<level>{_LOG4J_LEVELS}) +(?:\[(?P<thread>{_THREAD})\] +)?"
    r"(?:(?P<logger>[^\s:]+)(?: ?:| -) )?(?P<message>.*)",
    (
        FieldPart("level", Text(), after=" "),
        FieldPart("thread", Text(), before="[", after="] ", also=("first_thread",)),
        FieldPart("logger", Text()),
        ConditionalText(": ", "logger"),
        FieldPart("message", Text()),
    ),
)
_GLOG_TIME = "%Y%m%d %H:%M:%S.%f"
_GLOG = "{severity}{time:timestamp(%m%d %H:%M:%S.%f)}{~}{thread_id:long} {file:word}:{line:int}] {message}"

# Lines at the beginning of a glog file; the second is optional.
_GLOG_BANNERS = (
    "Log file created at: ",
    "Application fingerprint: ",
    "Running on machine: ",
    "Running duration (h:mm:ss): ",
    "Log line format: ",
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        "log4j",
        TemplateForm(
            "{timestamp:timestamp} {event}",
            types={"timestamp": MultiPatternTimestamp(patterns=(ISO_8601, "%y/%m/%d %H:%M:%S"))},
            composite_fields={"event": _LOG4J_EVENT},
        ),
        source="Apache Log4j, PatternLayout, %d{ISO8601} %-5p [%t] %c: %m%n, with or without the thread, which may precede or"
        " follow the level: https://logging.apache.org/log4j/2.x/manual/pattern-layout.html",
        sample=(
            "2026-11-22 01:00:11,045 INFO  [main] org.example.shop.Checkout: order 1399 accepted",
            "2026-11-22 01:00:12,310 [pool-1-thread-2] ERROR org.example.shop.Ledger - cannot post",
        ),
    ),
    Preset(
        "python_logging",
        TemplateForm(
            "{asctime:timestamp} - {name} - {levelname} - {message}",
            types={"levelname": ValidatedText(form=_PYTHON_LEVELS)},
        ),
        source='Python, "Logging HOWTO", the format %(asctime)s - %(name)s - %(levelname)s - %(message)s:'
        " https://docs.python.org/3/howto/logging.html#configuring-logging",
        sample=("2026-11-22 01:00:11,045 - shop.checkout - INFO - order 1399 accepted",),
    ),
    Preset(
        "klog",
        TemplateForm(_GLOG, types={"severity": GlogSeverity()}),
        source="Kubernetes, klog, formatHeader(): Lmmdd hh:mm:ss.uuuuuu threadid file:line] msg:"
        " https://github.com/kubernetes/klog",
        sample=("I1122 01:00:11.045123       1 controller.go:116] Starting workers",),
    ),
    Preset(
        "glog",
        TemplateForm(
            _GLOG,
            types={
                "severity": GlogSeverity(),
                "time": MultiPatternTimestamp(_GLOG_TIME, patterns=(_GLOG_TIME, "%m%d %H:%M:%S.%f")),
            },
            banners=_GLOG_BANNERS,
        ),
        source="Google glog, log line prefix: Lyyyymmdd hh:mm:ss.uuuuuu threadid file:line] msg; before 0.6 without the"
        " year: https://google.github.io/glog/stable/logging/",
        sample=(
            "W20261122 01:00:11.045123 12345 checkout.cc:116] queue is almost full",
            "I1122 01:00:12.000001 12345 checkout.cc:120] done",
        ),
    ),
)
