"""Hooks of MkDocs: the version of the package, which ``theme/partials/source.html`` shows beside the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parents[1] / "src" / "pyspark_logs" / "__init__.py"


def on_config(config: Any) -> Any:
    """Adds the version to the configuration."""
    found = re.search(r'^__version__ = "(.*)"$', _PACKAGE.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError(f"{_PACKAGE} has no __version__")
    config.extra["package_version"] = found[1]
    return config
