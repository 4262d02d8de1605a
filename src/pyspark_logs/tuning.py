"""Settings of Spark that make Python data sources faster; advice, never applied silently."""

from __future__ import annotations


def recommended_conf() -> dict[str, str]:
    """Settings for the builder of a session, all of them optional.

    ==============================================  ================================================================
    ``spark.python.unix.domain.socket.enabled``     JVM and Python workers talk through Unix sockets, not TCP
    ``spark.sql.python.filterPushdown.enabled``     Spark 4.1 and later offer filters to the source
    ``...extraJavaOptions``                         Arrow's bounds checks in the JVM are off; the batches are checked here
    ==============================================  ================================================================

    They hold from the start of the JVM on, so they belong to the builder or to ``spark-submit``, not to a running session.
    Add to ``extraJavaOptions`` what you have there already.

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
