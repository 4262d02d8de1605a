"""Options with secrets, in the setting by which Spark redacts options in plans, event logs and its user interface.

Spark redacts options whose names or values match ``spark.redaction.regex`` (``secret``, ``password``, ``token`` and ``access key``),
or ``spark.sql.redaction.options.regex``: https://spark.apache.org/docs/latest/configuration.html. The names below match neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

REDACTION_CONF = "spark.sql.redaction.options.regex"
PATTERN = "(?i)^(?:storageOptions|proxy|externalId)$"


def redact_options(spark: SparkSession) -> None:
    """Adds the names of options to the redaction of a session, unless they are part of it.

    Raises:
        PySparkException: the session refuses the setting.
    """
    current = spark.conf.get(REDACTION_CONF) or ""
    if PATTERN not in current:
        spark.conf.set(REDACTION_CONF, f"{current}|{PATTERN}" if current else PATTERN)
