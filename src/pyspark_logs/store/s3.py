"""S3 and servers with its protocol."""

from __future__ import annotations

from importlib.util import find_spec

from pyspark_logs.errors import OptionError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.s3_reads import S3Reads
from pyspark_logs.store.s3_uploads import S3Uploads
from pyspark_logs.store.s3_writes import S3Writes


class S3Store(S3Reads, S3Writes, S3Uploads):
    """Objects at ``s3://``, ``s3a://`` and ``s3n://`` paths."""

    writable = True
    lists_in_order = True

    def __init__(self, scheme: str, options: StoreOptions) -> None:
        super().__init__(scheme, options)
        if find_spec("s3fs") is None:
            raise OptionError(
                f"{scheme}:// paths need s3fs, which is not installed; run pip install 'pyspark-logs[s3]'"
            )
        if "@" in (options.endpoint or ""):
            raise OptionError(
                "option 'endpoint' contains a user name or password; give accessKey and secretKey instead"
            )
