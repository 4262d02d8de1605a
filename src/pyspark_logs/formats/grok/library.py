"""The library: all patterns that ship, by name."""

from __future__ import annotations

from pyspark_logs.formats.grok.core import CORE
from pyspark_logs.formats.grok.ecs import ECS
from pyspark_logs.formats.grok.pattern import Pattern
from pyspark_logs.formats.grok.servers import SERVERS

# To add a pattern, add its row to one of the tables; its examples go into tests/grok_examples.py.
LIBRARY: dict[str, Pattern] = {pattern.name: pattern for pattern in (*CORE, *SERVERS, *ECS)}
