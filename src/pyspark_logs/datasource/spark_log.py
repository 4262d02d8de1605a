"""The log of Spark on the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MANAGER = "org.apache.spark.sql.execution.datasources.DataSourceManager"
_MESSAGE = "The data source logs replaced a .*"


def mute_replacement_warning(spark: SparkSession) -> None:
    """Mutes the warning of Spark that the registered class replaces the class that Spark has found by its name.

    Spark copies the registrations of a session for each streaming query and repeats the warning each time, so the filter
    is not removed. The filter denies only this message. A Connect session has no JVM in this process; the warning is then in
    the log of the server.
    """
    try:
        log4j = spark._jvm.org.apache.logging.log4j  # type: ignore[union-attr]  # noqa: SLF001 - no public setting of one logger
        context = log4j.LogManager.getContext(False)
        configuration = context.getConfiguration()
        logger = configuration.getLoggerConfig(_MANAGER)
        if logger.getName() != _MANAGER:
            # Spark's shells print messages of all levels of loggers with a configuration of their own.
            level = logger.getLevel() if logger.getLevel().isMoreSpecificThan(log4j.Level.WARN) else log4j.Level.WARN
            logger = log4j.core.config.LoggerConfig(_MANAGER, level, True)
            configuration.addLogger(_MANAGER, logger)
        if _MESSAGE in str(logger.getFilter()):
            return
        result = log4j.core.Filter.Result
        logger.addFilter(log4j.core.filter.RegexFilter.createFilter(_MESSAGE, None, False, result.DENY, result.NEUTRAL))
        context.updateLoggers()
    except Exception:  # noqa: BLE001, S110 - errors of py4j, which Connect lacks, too: a warning more does no harm
        pass
