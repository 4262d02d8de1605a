"""The plan of the house, kept: who may import whom, and what importing the package loads.

ARCHITECTURE.md has the picture that ``ALLOWED`` writes down as a table. To add a module, add its row.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "pyspark_logs"
SOURCE = ROOT / "src" / PACKAGE

GROUND = {"errors", "schema", "predicates", "options"}

# package or module at the top level -> those it may import
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "schema": {"errors"},
    "predicates": {"errors"},
    "options": {"errors", "schema"},
    # These are independent of one another; only `formats` uses `records`.
    "store": GROUND,
    "layout": GROUND,
    "codecs": GROUND,
    "records": GROUND,
    "prefetch": GROUND,
    "formats": GROUND | {"records"},
    "jobs": GROUND | {"store"},
    "commit": GROUND | {"store", "jobs", "layout"},
    "planning": GROUND | {"jobs", "layout", "store"},
    "offsets": GROUND,
    "routing": GROUND | {"layout"},
    "staging": GROUND | {"store", "codecs", "jobs"},
    "column_sources": GROUND | {"formats"},
    "metrics": set(),
    "bad_records": GROUND | {"planning", "store"},
    "batch_builder": GROUND | {"column_sources", "formats", "planning", "records", "bad_records", "metrics"},
    "file_batches": GROUND | {"column_sources", "formats", "planning", "batch_builder", "metrics"},
    "split_reader": GROUND | {"codecs", "formats", "jobs", "planning", "records", "store"},
    # Reader and writer do not import each other.
    "reader": GROUND
    | {"store", "layout", "records", "prefetch", "formats", "planning", "column_sources", "batch_builder"}
    | {"file_batches", "split_reader", "bad_records", "metrics"},
    "writer": GROUND | {"store", "layout", "codecs", "formats", "jobs", "commit", "routing", "staging"},
    "stream": GROUND | {"offsets", "reader", "planning", "column_sources", "jobs", "layout", "store"},
    # The entry points: the Python API, Spark's, and the command line.
    "api": GROUND | {"reader", "metrics", "writer", "store", "jobs", "commit"},
    "datasource": GROUND | {"jobs", "reader", "store", "stream", "writer"},
    "detection": GROUND | {"store", "codecs", "records", "formats", "reader", "api"},
    "preset_listing": GROUND | {"formats"},
    "cli": {"errors", "api", "detection", "preset_listing"},
    "tuning": set(),
    "__init__": {"errors", "api", "detection", "datasource", "tuning"},
    # The demo uses what users use, and asks the reader for its plan.
    "demo": {"__init__", "offsets", "options", "reader"},
}

# third-party package -> the packages and modules that may import it at all
THIRD_PARTY: dict[str, set[str]] = {
    "pyarrow": set(ALLOWED) - {"__init__", "errors"},
    "numpy": {
        "formats", "records", "predicates", "planning", "batch_builder", "file_batches", "reader", "routing", "staging",
    },
    "fsspec": {"store"},
    "s3fs": {"store"},
    "botocore": {"store"},
    "aiobotocore": {"store"},
    "pyspark": {"datasource", "demo"},
    "moto": {"demo"},
}  # fmt: skip

# Modules below which numpy and pyarrow are imported at the top of the file. The entry modules, which Spark and users
# import where neither may be installed, import these modules when a function is called.
ENTRY = {"__init__", "errors", "options", "cli", "tuning", "demo"}
ENTRY_MODULES = {"datasource.__init__", "datasource.source"}

# (package, third-party package) that may be imported at the top of a file; all else waits for the call that needs it.
EAGER = {("datasource", "pyspark")} | {
    (package, third_party) for third_party in ("pyarrow", "numpy") for package in ALLOWED if package not in ENTRY
}

# import_module() hides an edge from this test.
DYNAMIC = {"__init__"}


@dataclass(frozen=True)
class Import:
    """One imported module, absolute; ``waits`` where it runs only when a function is called, or never."""

    target: str
    line: int
    waits: bool


def imports_of(tree: ast.Module, module: str) -> Iterator[Import]:
    """Yield the imports of a module (dotted name, ``.__init__`` for a package), wherever they stand."""

    def walk(node: ast.AST, waits: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, waits) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".")[: -node.level]
                base = ".".join([*package, base] if base else package)
            for alias in node.names:
                yield Import(resolve(base, alias.name), node.lineno, waits)
        elif isinstance(node, ast.Call) and called_name(node) in ("import_module", "__import__"):
            yield Import("*dynamic*", node.lineno, waits)
        elif isinstance(node, ast.If) and called_name(node.test) == "TYPE_CHECKING":
            for child in node.body:
                yield from walk(child, True)
            for child in node.orelse:
                yield from walk(child, waits)
            return
        inner = waits or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inner)

    yield from walk(tree, False)


def called_name(node: ast.AST) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def resolve(base: str, name: str) -> str:
    """``from base import name``: the module it reaches, ``name`` being a module of ours or a thing in one."""
    if base == PACKAGE or base.startswith(PACKAGE + "."):
        if base == PACKAGE and name in ALLOWED:
            return f"{base}.{name}"
        folder = SOURCE.joinpath(*base.split(".")[1:])
        if (folder / f"{name}.py").exists() or (folder / name).is_dir():
            return f"{base}.{name}"
    return base


def problems_of(source: str, module: str) -> list[str]:
    """What is wrong with the imports of one module, as sentences."""
    rooms = module.split(".")[1:]
    room = rooms[0]
    found = []
    for item in imports_of(ast.parse(source), module):
        target = item.target.split(".")
        where = f"{module}:{item.line}:"
        if item.target == "*dynamic*":
            if room not in DYNAMIC:
                found.append(f"{where} imports by name at run time, which hides the edge")
        elif target[0] == PACKAGE:
            found += [f"{where} {text}" for text in own_edge(rooms, target[1:] or ["__init__"])]
        elif target[0] not in sys.stdlib_module_names:
            if room not in THIRD_PARTY.get(target[0], set()):
                found.append(f"{where} {room} may not import {target[0]}")
            elif not item.waits and ((room, target[0]) not in EAGER or is_entry_module(module, target[0])):
                found.append(f"{where} imports {target[0]} at the top; import it in the function that needs it")
    return found


def is_entry_module(module: str, third_party: str) -> bool:
    return module.split(".", 1)[1] in ENTRY_MODULES and third_party != "pyspark"


def own_edge(rooms: list[str], target: list[str]) -> list[str]:
    room, other = rooms[0], target[0]
    if room not in ALLOWED:
        return [f"{room} has no row in ALLOWED"]
    if room != other:
        return [] if other in ALLOWED[room] else [f"{room} may not import {other}"]
    if len(rooms) > 1 and rooms[1] != "__init__" and len(target) == 1:
        return [f"{'.'.join(rooms)} may not import {room} itself, which imports it"]
    return []


def knot(edges: dict[str, set[str]]) -> set[str]:
    """The nodes of a graph that are on a cycle, or above one; none if imports run one way."""
    left = {node: set(others) for node, others in edges.items()}
    while ready := {node for node, others in left.items() if not others & left.keys()}:
        left = {node: others for node, others in left.items() if node not in ready}
    return set(left)


MODULES = sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join([PACKAGE, *path.relative_to(SOURCE).with_suffix("").parts])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_run_down_only(path: Path) -> None:
    assert problems_of(path.read_text(encoding="utf-8"), name_of(path)) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_assert_validates(path: Path) -> None:
    # `python -O` drops them.
    asserts = [
        node.lineno for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Assert)
    ]
    assert asserts == []


def test_the_table_runs_one_way() -> None:
    assert knot({room: others for room, others in ALLOWED.items() if room != "demo"}) == set()


@pytest.mark.parametrize("package", sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()))
def test_imports_within_a_package_run_one_way(package: str) -> None:
    edges = {}
    for path in (SOURCE / package).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        edges[name_of(path)] = {item.target for item in imports_of(tree, name_of(path))}
    assert knot(edges) == set()


def test_a_knot_is_found() -> None:
    assert knot({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {"a", "b", "c"}
    assert knot({"a": {"b", "c"}, "b": {"c"}, "c": {"elsewhere"}}) == set()


@pytest.mark.parametrize(
    ("module", "source", "problem"),
    [
        ("layout", "from pyspark_logs.store import Store", "layout may not import store"),
        ("layout", "from pyspark_logs import store", "layout may not import store"),
        ("layout", "from . import store", "layout may not import store"),
        ("layout", "from .store import Store", "layout may not import store"),
        ("layout", "import pyspark_logs.store as s", "layout may not import store"),
        ("store", "def f():\n    from pyspark_logs import codecs", "store may not import codecs"),
        ("codecs", "if TYPE_CHECKING:\n    from pyspark_logs.reader import Reader", "codecs may not import reader"),
        ("reader", "from pyspark_logs import scan", "reader may not import __init__"),
        ("reader", "def f():\n    import pyspark", "reader may not import pyspark"),
        ("reader", "def f():\n    from s3fs import S3FileSystem", "reader may not import s3fs"),
        ("options", "import pyarrow as pa", "options:1: imports pyarrow at the top"),
        ("datasource.source", "import pyarrow as pa", "source:1: imports pyarrow at the top"),
        ("cli", "class C:\n    import pyarrow.compute as pc", "cli:2: imports pyarrow at the top"),
        ("cli", "try:\n    import pyarrow\nexcept ImportError:\n    pass", "cli:2: imports pyarrow at the top"),
        ("cli", "if not TYPE_CHECKING:\n    import pyarrow", "cli:2: imports pyarrow at the top"),
        ("store", "import s3fs", "store:1: imports s3fs at the top"),
        ("reader", "def f():\n    import pandas", "reader may not import pandas"),
        ("reader", "import importlib\nimportlib.import_module('pyspark')", "reader:2: imports by name"),
        (
            "formats.template",
            "from pyspark_logs.formats import compile_format",
            "formats.template may not import formats itself",
        ),
        ("formats.template", "from . import compile_format", "formats.template may not import formats itself"),
        ("formats.template", "from pyspark_logs.codecs import x", "formats may not import codecs"),
        ("cellar", "from pyspark_logs.errors import x", "cellar has no row"),
    ],
)
def test_the_test_finds(module: str, source: str, problem: str) -> None:
    (found,) = problems_of(source, f"{PACKAGE}.{module}")
    assert problem in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("reader", "from pyspark_logs.formats.decoder import x\nfrom pyspark_logs import planning"),
        ("reader", "import json, re\nfrom collections.abc import Iterator"),
        ("reader", "if TYPE_CHECKING:\n    import pyarrow as pa"),
        ("reader", "def f():\n    import pyarrow.compute as pc\n    import numpy as np"),
        ("datasource", "from pyspark.sql.datasource import DataSource"),
        (
            "formats.template.notation",
            "from pyspark_logs.formats.types.registry import x\nfrom pyspark_logs.errors import FormatError",
        ),
    ],
)
def test_the_test_lets_pass(module: str, source: str) -> None:
    assert problems_of(source, f"{PACKAGE}.{module}") == []


def in_new_process(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = json.loads(in_new_process("import pyspark_logs, sys, json; print(json.dumps(sorted(sys.modules)))"))
    assert not set(THIRD_PARTY) & set(loaded)
    ours = [name for name in loaded if name.startswith(PACKAGE)]
    assert ours == ["pyspark_logs", "pyspark_logs.errors"]


@pytest.mark.parametrize("name", ["datasource", "options", "cli"])
def test_entry_modules_load_neither_pyarrow_nor_numpy(name: str) -> None:
    code = f"import pyspark_logs.{name}, sys, json; print(json.dumps(sorted(sys.modules)))"
    assert not {"numpy", "pyarrow", "fsspec", "s3fs"} & set(json.loads(in_new_process(code)))


def test_every_public_name_can_be_had_and_an_unknown_one_cannot() -> None:
    import pyspark_logs

    for name in pyspark_logs.__all__:
        assert getattr(pyspark_logs, name) is not None, name
    assert set(pyspark_logs.__all__) <= set(dir(pyspark_logs))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = pyspark_logs.nothing


def test_a_module_hides_no_public_name() -> None:
    # Importing pyspark_logs.x sets the attribute x of the package, whatever was there.
    import pyspark_logs

    assert not {path.stem for path in SOURCE.glob("*")} & set(pyspark_logs.__all__)


def test_spark_finds_the_data_source_as_it_looks_for_it() -> None:
    # pyspark/sql/worker/lookup_data_sources.py: iter_modules, import_module, hasattr, issubclass, pickle
    code = """
import pickle, pkgutil, importlib
from pyspark.sql.datasource import DataSource
assert "pyspark_logs" in [info.name for info in pkgutil.iter_modules()]
module = importlib.import_module("pyspark_logs")
assert hasattr(module, "DefaultSource") and issubclass(module.DefaultSource, DataSource)
assert pickle.loads(pickle.dumps(module.DefaultSource)) is module.DefaultSource
print(module.DefaultSource.name())
"""
    assert in_new_process(code) == "logs\n"


def test_the_public_names_are_those_of_the_documentation() -> None:
    import pyspark_logs

    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)", page, flags=re.MULTILINE)
    assert sorted(documented) == sorted(pyspark_logs.__all__)
