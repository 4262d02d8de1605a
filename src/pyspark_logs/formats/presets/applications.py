"""Default formats of logging libraries: Log4j, Python's logging, klog, glog."""

from __future__ import annotations

from pyspark_logs.formats.presets.entry import Preset, TemplateForm
from pyspark_logs.formats.template.composite_fields import CompositeField, ConditionalText, FieldPart
from pyspark_logs.formats.types.multi_pattern_timestamp import ISO_8601, MultiPatternTimestamp
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.syslog import GlogSeverity
from pyspark_logs.formats.types.text import PaddedText, Text
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
# Spring Boot, defaults.xml of Logback and log4j2.xml: [application] and [group] are optional, the thread has 15 characters on the
# console, and the correlation has 49: [trace-span], or spaces. Micrometer and Sleuth write [application,trace,span] after the level.
_SPRING_EVENT = CompositeField(
    r"(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL) +"
    r"(?:\[(?P<traced_application>[^\],]*),(?P<trace>[0-9a-f]*),(?P<span>[0-9a-f]*)(?:,(?:true|false)?)?\] +)?"
    r"(?P<pid>\d*) *--- "
    r"(?:(?:\[(?P<application_name>[^\]]*)\] )?(?:\[(?P<application_group>[^\]]*)\] )?\[(?P<thread>[^\[\]]{15})\]"
    rf"|(?:\[(?P<named_application>[^\]]*)\] )?(?:\[(?P<named_group>[^\]]*)\] )?\[(?P<whole_thread>{_THREAD})\])"
    r" (?:\[(?: {49}|(?P<trace_id>[0-9a-f]{16,32}) *-(?P<span_id>[0-9a-f]{16}) *)\] )?(?P<logger>[^ \[][^ ]*) *",
    (
        FieldPart("level", Text(), after=" "),
        FieldPart("pid", Integer(64), after=" "),
        ConditionalText("--- ", "level"),
        FieldPart("application_name", Text(), before="[", after="] ", also=("traced_application", "named_application")),
        FieldPart("application_group", Text(), before="[", after="] ", also=("named_group",)),
        FieldPart("thread", PaddedText(width=15, before=True), before="[", after="] ", also=("whole_thread",)),
        FieldPart("trace_id", Text(), before="[", after="-", also=("trace",)),
        FieldPart("span_id", Text(), after="] ", also=("span",)),
        FieldPart("logger", PaddedText(width=40)),
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
        about="Java programs with Log4j or Logback: a common pattern",
        source="Apache Log4j, PatternLayout, %d{ISO8601} %-5p [%t] %c: %m%n, with or without the thread, which may precede or"
        " follow the level: https://logging.apache.org/log4j/2.x/manual/pattern-layout.html",
        sample=(
            "2026-11-22 01:00:11,045 INFO  [main] org.example.shop.Checkout: order 1399 accepted",
            "2026-11-22 01:00:12,310 [pool-1-thread-2] ERROR org.example.shop.Ledger - cannot post",
        ),
    ),
    Preset(
        "spring_boot",
        TemplateForm("{timestamp:timestamp}{~}{event} : {message}", composite_fields={"event": _SPRING_EVENT}),
        about="Spring Boot: log of an application with the default pattern",
        source='Spring Boot, "Log Format", the default of the console and of files in versions 2 and 3, with or without the names of'
        " application and group, and correlation:"
        " https://docs.spring.io/spring-boot/reference/features/logging.html#features.logging.log-format",
        sample=(
            "2026-11-22 01:00:11.045  INFO 1234 --- [           main] o.s.b.d.f.logexample.MyApplication       : Starting",
            "2026-11-22T01:00:12.310Z ERROR 1234 --- [shop] [nio-8080-exec-1] o.a.c.c.C.[Tomcat].[localhost].[/]       : no answer",
            (
                "2026-11-22T01:00:13.002Z  INFO 1234 --- [shop] [payments] [           main]"
                " [803b448a0489f84084905d3093480352-3425f23bb2432450] org.example.shop.Checkout                : order accepted"
            ),
        ),
    ),
    Preset(
        "python_logging",
        TemplateForm(
            "{asctime:timestamp} - {name} - {levelname} - {message}",
            types={"levelname": ValidatedText(form=_PYTHON_LEVELS)},
        ),
        about="Python programs: the pattern of the logging HOWTO",
        source='Python, "Logging HOWTO", the format %(asctime)s - %(name)s - %(levelname)s - %(message)s:'
        " https://docs.python.org/3/howto/logging.html#configuring-logging",
        sample=("2026-11-22 01:00:11,045 - shop.checkout - INFO - order 1399 accepted",),
    ),
    Preset(
        "klog",
        TemplateForm(_GLOG, types={"severity": GlogSeverity()}),
        about="Kubernetes components and Go programs: klog",
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
        about="C++ programs: Google glog",
        source="Google glog, log line prefix: Lyyyymmdd hh:mm:ss.uuuuuu threadid file:line] msg; before 0.6 without the"
        " year: https://google.github.io/glog/stable/logging/",
        sample=(
            "W20261122 01:00:11.045123 12345 checkout.cc:116] queue is almost full",
            "I1122 01:00:12.000001 12345 checkout.cc:120] done",
        ),
    ),
)
