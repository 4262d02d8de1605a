"""Recommended settings of Spark, which are never applied automatically."""

from __future__ import annotations


def recommended_conf() -> dict[str, str]:
    """Returns optional settings for the builder of a session that make Python data sources faster.

    ==============================================  ================================================================
    ``spark.python.unix.domain.socket.enabled``     The JVM and Python workers use Unix sockets instead of TCP
    ``spark.sql.python.filterPushdown.enabled``     Spark 4.1 and later push filters down to the data source
    ``...extraJavaOptions``                         No bounds checks in Arrow for Java; batches are validated here
    ==============================================  ================================================================

    Spark reads them when the JVM starts: pass them to the builder or to ``spark-submit``, not to a running session.
    Append your own ``extraJavaOptions`` to these.

    >>> for key, value in recommended_conf().items():              # doctest: +SKIP
    ...     builder = builder.config(key, value)
    """
    java = "-Darrow.enable_unsafe_memory_access=true -Darrow.enable_null_check_for_get=false"
    return {
        "spark.python.unix.domain.socket.enabled": "true",
        "spark.sql.python.filterPushdown.enabled": "true",
        "spark.driver.extraJavaOptions": java,
        "spark.executor.extraJavaOptions": java,
    }
