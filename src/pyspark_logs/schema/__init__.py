"""Conversion of schemas between Spark's DDL and Arrow.

Spark accepts a batch only if its schema equals ``to_arrow_schema(schema, timezone="UTC")`` in every detail: the name of a
list's element, nullability, the zone of a timestamp. Schemas are DDL text in options and on their way to executors. This
package is the only implementation of the correspondence.

Imports within the package run one way: ``parsing``, ``rendering`` -> ``types``.
"""

from pyspark_logs.schema.parsing import metadata_type, parse_ddl
from pyspark_logs.schema.rendering import all_nullable, quote_name, to_ddl, type_name

__all__ = ["all_nullable", "metadata_type", "parse_ddl", "quote_name", "to_ddl", "type_name"]
