"""The library: all patterns that ship, by name."""

from __future__ import annotations

from pyspark_logs.formats.regex.grok_core import CORE
from pyspark_logs.formats.regex.grok_ecs import ECS
from pyspark_logs.formats.regex.grok_pattern import Pattern
from pyspark_logs.formats.regex.grok_servers import SERVERS

# To add a pattern, add its row to one of the tables; its examples go into tests/grok_examples.py.
LIBRARY: dict[str, Pattern] = {pattern.name: pattern for pattern in (*CORE, *SERVERS, *ECS)}
