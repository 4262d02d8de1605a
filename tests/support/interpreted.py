"""The machines of the compiled engines, interpreted: their ``.py`` files, also where shared libraries are built."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pyspark_logs.formats.compiled
from pyspark_logs.formats.compiled.availability import Machines

FOLDER = Path(pyspark_logs.formats.compiled.__file__).parent
_PACKAGE = "pyspark_logs.formats.compiled.interpreted_machines"  # within the package, so that coverage is measured
LOADER = importlib.machinery.SourceFileLoader  # replaced by a search that measures coverage
_MODULES = (
    "opcodes",
    "primitives",
    "interpreted",
    "scalars",
    "strings",
    "times",
    "text_output",
    "number_output",
    "output",
    "keys",
    "short_numbers",
    "json_grammar",
    "template_ends",
    "template_machine",
    "json_keys",
    "json_machine",
    "logfmt_machine",
    "delimited_machine",
    "render_opcodes",
    "render_primitives",
    "render_values",
    "render_machine",
)


@functools.cache
def interpreted_machines() -> Machines:
    """Returns the interpreted machines."""
    sys.modules[_PACKAGE] = ModuleType(_PACKAGE)
    modules = {name: _load(name) for name in _MODULES}
    return Machines(modules["output"], *(modules[f"{name}_machine"] for name in Machines._fields[1:]))


def _load(name: str) -> ModuleType:
    full_name, path = f"{_PACKAGE}.{name}", FOLDER / f"{name}.py"
    spec = importlib.util.spec_from_file_location(full_name, path, loader=LOADER(full_name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[f"{_PACKAGE}.{name}"] = module
    spec.loader.exec_module(module)
    return module
