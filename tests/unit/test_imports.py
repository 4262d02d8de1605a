"""The allowed imports between packages, and the modules that are loaded by an import of the package.

``ALLOWED`` is the table of packages in ARCHITECTURE.md. A new package or top-level module needs a row there.
"""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# Coverage is not measured: most of these tests read source files instead of running them.
pytestmark = pytest.mark.no_cover

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "pyspark_logs"
SOURCE = ROOT / "src" / PACKAGE

BASE = {"errors", "terminal_text", "arrow_values", "schema", "predicates", "options"}


def allowed_imports(page: str) -> dict[str, set[str]]:
    """Reads the table of packages in ARCHITECTURE.md: package or top-level module -> the ones it may import."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]+) \|$", page, flags=re.MULTILINE)
    table = {}
    for package, names in rows:
        allowed = set(names.split(", ")) - {"nothing"}
        table[package] = (allowed - {"base"}) | (BASE if "base" in allowed else set())
    return table


ALLOWED = allowed_imports((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))

# Third-party package -> the packages and top-level modules that may import it.
THIRD_PARTY: dict[str, set[str]] = {
    "pyarrow": set(ALLOWED) - {"__init__", "__main__", "errors", "terminal_text"},
    "numpy": {
        "arrow_values", "formats", "records", "predicates", "planning", "bad_records", "batch_builder", "block_files", "literal_search", "reader", "routing", "staging", "api",
    },
    "argcomplete": {"cli"},
    "rich": {"cli"},
    "polars": {"api"},
    "isal": {"codecs"},
    "zlib_ng": {"codecs"},
    "cython": {"formats", "records"},  # of modules that are compiled
    "fsspec": {"store"},
    "s3fs": {"store"},
    "botocore": {"store"},
    "aiobotocore": {"store"},
    "urllib3": {"store"},
    "databricks": {"store"},
    "pyspark": {"datasource"},
    "opentelemetry": {"telemetry"},
}  # fmt: skip

# Entry modules import numpy, pyarrow and the modules that need them in functions: Spark and users import entry modules
# where neither may be installed. All other modules import numpy and pyarrow at the top of the file.
ENTRY = {"__init__", "__main__", "errors", "options", "cli", "tuning"}
ENTRY_MODULES = {"datasource.__init__", "datasource.source"}

# (package, third-party package) pairs for imports at the top of a file. All other third-party imports are in functions.
EAGER = {("datasource", "pyspark"), ("formats", "cython"), ("records", "cython")} | {
    (package, third_party) for third_party in ("pyarrow", "numpy") for package in ALLOWED if package not in ENTRY
}

# Modules that may call import_module(), whose argument this test does not see.
DYNAMIC = {"__init__"}


@dataclass(frozen=True)
class Import:
    """An import statement.

    Attributes:
        target: absolute name of the imported module.
        line: line of the statement.
        deferred: True if importing the file does not run the statement: it is in a function or under TYPE_CHECKING.
    """

    target: str
    line: int
    deferred: bool


def imports_of(tree: ast.Module, module: str) -> Iterator[Import]:
    """Yields all imports of a module, those in functions included. The name of a package ends with ``.__init__``."""

    def walk(node: ast.AST, deferred: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, deferred) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".")[: -node.level]
                base = ".".join([*package, base] if base else package)
            for alias in node.names:
                yield Import(resolve(base, alias.name), node.lineno, deferred)
        elif isinstance(node, ast.Call) and called_name(node) in ("import_module", "__import__"):
            yield Import("*dynamic*", node.lineno, deferred)
        elif isinstance(node, ast.If) and called_name(node.test) == "TYPE_CHECKING":
            for child in node.body:
                yield from walk(child, True)
            for child in node.orelse:
                yield from walk(child, deferred)
            return
        inner = deferred or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inner)

    yield from walk(tree, False)


def called_name(node: ast.AST) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def resolve(base: str, name: str) -> str:
    """Returns the module that ``from base import name`` imports; ``name`` may be a module or an attribute of one."""
    if base == PACKAGE or base.startswith(PACKAGE + "."):
        if base == PACKAGE and name in ALLOWED:
            return f"{base}.{name}"
        folder = SOURCE.joinpath(*base.split(".")[1:])
        if (folder / f"{name}.py").exists() or (folder / name).is_dir():
            return f"{base}.{name}"
    return base


def problems_of(imports: Iterable[Import], module: str) -> list[str]:
    """Returns the forbidden imports of a module, each as a sentence."""
    parts = module.split(".")[1:]
    package = parts[0]
    problems = []
    for item in imports:
        target = item.target.split(".")
        where = f"{module}:{item.line}:"
        if item.target == "*dynamic*":
            if package not in DYNAMIC:
                problems.append(f"{where} imports by name at run time, which hides the import from this test")
        elif target[0] == PACKAGE:
            problems += [f"{where} {text}" for text in internal_problems(parts, target[1:] or ["__init__"])]
        elif target[0] not in sys.stdlib_module_names:
            if package not in THIRD_PARTY.get(target[0], set()):
                problems.append(f"{where} {package} may not import {target[0]}")
            elif not item.deferred and ((package, target[0]) not in EAGER or is_entry_module(module, target[0])):
                problems.append(f"{where} imports {target[0]} at the top; import it in the function that needs it")
    return problems


def is_entry_module(module: str, third_party: str) -> bool:
    return module.split(".", 1)[1] in ENTRY_MODULES and third_party != "pyspark"


def internal_problems(parts: list[str], target: list[str]) -> list[str]:
    """Returns the problems of an import between modules of the package; names are relative to the package."""
    importer, imported = parts[0], target[0]
    if importer not in ALLOWED:
        return [f"{importer} has no row in ALLOWED"]
    if importer != imported:
        return [] if imported in ALLOWED[importer] else [f"{importer} may not import {imported}"]
    if len(parts) > 1 and parts[1] != "__init__" and len(target) == 1:
        return [f"{'.'.join(parts)} may not import {importer} itself, which imports it"]
    return []


def cyclic_nodes(edges: dict[str, set[str]]) -> set[str]:
    """Returns the nodes of a graph that are on a cycle or lead to one; the empty set for an acyclic graph."""
    remaining = {node: set(others) for node, others in edges.items()}
    while sinks := {node for node, others in remaining.items() if not others & remaining.keys()}:
        remaining = {node: others for node, others in remaining.items() if node not in sinks}
    return set(remaining)


MODULES = sorted(SOURCE.rglob("*.py"))


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def _forget_trees() -> Iterator[None]:
    """Frees the trees, which are a million objects, after the tests of this module."""
    yield
    tree_of.cache_clear()


@functools.cache
def module_imports(path: Path) -> tuple[Import, ...]:
    """Returns the imports of a module of the package."""
    return tuple(imports_of(tree_of(path), name_of(path)))


def name_of(path: Path) -> str:
    return ".".join([PACKAGE, *path.relative_to(SOURCE).with_suffix("").parts])


def test_imports_are_allowed_by_the_table() -> None:
    assert [problem for path in MODULES for problem in problems_of(module_imports(path), name_of(path))] == []


def test_no_assert_statement_in_the_package() -> None:
    # `python -O` removes assert statements.
    with_word = [path for path in MODULES if "assert" in path.read_text(encoding="utf-8")]
    nodes = ((path, node) for path in with_word for node in ast.walk(tree_of(path)))
    assert [f"{name_of(path)}:{node.lineno}" for path, node in nodes if isinstance(node, ast.Assert)] == []


def class_names(tree: ast.Module) -> list[str]:
    """Returns the names of all classes of a module, nested classes included, without leading underscores."""
    return [node.name.lstrip("_") for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def test_no_two_classes_have_the_same_name() -> None:
    modules: dict[str, list[str]] = {}
    for path in MODULES:
        for name in class_names(tree_of(path)):
            modules.setdefault(name, []).append(name_of(path))
    shared = {name: where for name, where in modules.items() if len(where) > 1}
    assert shared == {}


def test_nested_and_private_classes_have_names() -> None:
    source = "class A:\n    class _B: pass\ndef f():\n    class C: pass"
    assert class_names(ast.parse(source)) == ["A", "B", "C"]


def type_checks(tree: ast.Module, names: set[str]) -> list[int]:
    """Returns the lines that ask for the class of an object by ``isinstance`` or ``type(x) is``, given class names."""

    def named(node: ast.AST) -> bool:
        return any(isinstance(child, ast.Name) and child.id in names for child in ast.walk(node))

    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance" and named(node.args[1]):
            lines.append(node.lineno)
        elif (
            isinstance(node, ast.Compare) and isinstance(node.left, ast.Call) and ast.unparse(node.left.func) == "type"
        ):
            lines += [node.lineno] * any(named(other) for other in node.comparators)
    return lines


def field_type_names() -> set[str]:
    """Returns the names of the classes that derive from ``FieldType``."""
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
    }
    names, count = {"FieldType"}, 0
    while len(names) > count:
        count = len(names)
        names |= {name for name, parents in bases.items() if parents & names}
    return names


def test_no_code_asks_for_the_class_of_a_field_type() -> None:
    # Each field type has attributes and methods for what is special about the type.
    names = field_type_names()
    assert {"Text", "Epoch", "Port", "CefExtension"} <= names
    found = {name_of(path): type_checks(tree_of(path), names) for path in MODULES}
    assert {module: lines for module, lines in found.items() if lines} == {}


def test_type_checks_are_found() -> None:
    source = "isinstance(a, B)\nisinstance(a, (C, D))\ntype(a) is not B\nisinstance(a, C)\ntype(a) == E"
    assert type_checks(ast.parse(source), {"B", "D"}) == [1, 2, 3]


def test_the_table_has_each_package_once_and_no_other() -> None:
    packages = {path.stem for path in SOURCE.glob("*.py")} | {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert set(ALLOWED) == packages
    assert set().union(*ALLOWED.values()) <= packages
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert all(page.count(f"\n| `{package}` |") == 1 for package in packages)


def test_the_table_has_one_row_per_package() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)
    packages = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert sorted(rows) == sorted(packages)
    assert set().union(*ALLOWED.values()) <= packages


def test_the_table_names_no_import_that_does_not_exist() -> None:
    used: dict[str, set[str]] = {package: set() for package in ALLOWED}
    for path in MODULES:
        for item in module_imports(path):
            target = item.target.split(".")
            if target[0] == PACKAGE:
                used[name_of(path).split(".")[1]].add((target[1:] or ["__init__"])[0])
    assert {package: names for package in ALLOWED if (names := ALLOWED[package] - BASE - used[package])} == {}


def test_the_page_explains_base_as_the_test_does() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    explained = re.search(r"`base` stands for\s+([^.]+)\.", page)
    assert explained is not None
    assert set(re.findall(r"`(\w+)`", explained[1])) == BASE


def test_the_table_has_no_cycle() -> None:
    assert cyclic_nodes(ALLOWED) == set()


def test_imports_within_a_package_have_no_cycle() -> None:
    cyclic = {}
    for package in (path for path in SOURCE.iterdir() if (path / "__init__.py").exists()):
        edges = {name_of(path): {item.target for item in module_imports(path)} for path in package.rglob("*.py")}
        cyclic[package.name] = cyclic_nodes(edges)
    assert {package: nodes for package, nodes in cyclic.items() if nodes} == {}


def test_packages_and_modules_of_the_formats_have_no_cycle() -> None:
    # The formats are the largest package. Its subpackages are layers, too: each imports the ones below it only.
    edges: dict[str, set[str]] = {}
    for path in (SOURCE / "formats").rglob("*.py"):
        group = path.relative_to(SOURCE / "formats").with_suffix("").parts[0]
        for item in module_imports(path):
            parts = item.target.split(".")
            if parts[:2] == [PACKAGE, "formats"] and len(parts) > 2 and parts[2] != group:
                edges.setdefault(group, set()).add(parts[2])
    assert cyclic_nodes(edges) == set()


def test_a_cycle_is_found() -> None:
    assert cyclic_nodes({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {"a", "b", "c"}
    assert cyclic_nodes({"a": {"b", "c"}, "b": {"c"}, "c": {"elsewhere"}}) == set()


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
        ("unknown", "from pyspark_logs.errors import x", "unknown has no row"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str, problem: str) -> None:
    (found,) = problems_of(imports_of(ast.parse(source), f"{PACKAGE}.{module}"), f"{PACKAGE}.{module}")
    assert problem in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("reader", "from pyspark_logs.formats.decoding.decoder import x\nfrom pyspark_logs import planning"),
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
def test_an_allowed_import_is_no_problem(module: str, source: str) -> None:
    assert problems_of(imports_of(ast.parse(source), f"{PACKAGE}.{module}"), f"{PACKAGE}.{module}") == []


DEMO = sorted((ROOT / "examples" / "demo").glob("*.py"))


@pytest.mark.parametrize("path", DEMO, ids=lambda path: path.name)
def test_the_demo_imports_public_modules_and_the_plan_of_a_reader(path: Path) -> None:
    allowed = {f"{PACKAGE}.{name}" for name in ("offsets", "options", "reader", "schema_inference")} | {PACKAGE}
    allowed |= {path.stem for path in DEMO} | {"moto.server", "pyspark.sql"}
    imports = list(imports_of(ast.parse(path.read_text(encoding="utf-8")), path.stem))
    others = {item.target for item in imports if item.target.split(".")[0] not in sys.stdlib_module_names}
    assert others <= allowed
    assert not {item.target for item in imports if not item.deferred} & {"moto.server", "pyspark.sql"}


def test_imports_within_the_demo_have_no_cycle() -> None:
    sources = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in DEMO}
    assert (
        cyclic_nodes({name: {item.target for item in imports_of(tree, name)} for name, tree in sources.items()})
        == set()
    )


def in_new_process(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_the_package_loads_no_dependency() -> None:
    loaded = json.loads(in_new_process("import pyspark_logs, sys, json; print(json.dumps(sorted(sys.modules)))"))
    assert not {*THIRD_PARTY, "pandas"} & set(loaded)
    modules = [name for name in loaded if name.startswith(PACKAGE)]
    assert modules == ["pyspark_logs", "pyspark_logs.errors"]


@pytest.mark.parametrize(
    "name", ["datasource", "options", "cli", "cli.demo", "cli.detect", "cli.maintenance", "cli.presets"]
)
def test_entry_modules_load_neither_pyarrow_nor_numpy(name: str) -> None:
    code = f"import pyspark_logs.{name}, sys, json; print(json.dumps(sorted(sys.modules)))"
    assert not {"numpy", "pyarrow", "fsspec", "s3fs"} & set(json.loads(in_new_process(code)))


def test_every_public_name_resolves_and_an_unknown_one_raises() -> None:
    import pyspark_logs

    for name in pyspark_logs.__all__:
        assert getattr(pyspark_logs, name) is not None, name
    assert set(pyspark_logs.__all__) <= set(dir(pyspark_logs))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = pyspark_logs.nothing


def test_no_module_has_a_public_name() -> None:
    # Importing pyspark_logs.x sets the attribute x of the package and would replace a public name.
    import pyspark_logs

    assert not {path.stem for path in SOURCE.glob("*")} & set(pyspark_logs.__all__)


def test_spark_finds_the_data_source() -> None:
    # These are the calls of pyspark/sql/worker/lookup_data_sources.py.
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


@pytest.mark.parametrize("has_errors", [True, False], ids=["3.5", "3.3"])
def test_spark_that_is_too_old(tmp_path: Path, has_errors: bool) -> None:
    package = tmp_path / "pyspark"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '3.5.1'\n")
    (package / "sql").mkdir()
    if has_errors:
        (package / "errors.py").write_text("class PySparkException(Exception): pass\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import pyspark_logs; pyspark_logs.register"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    missing = "pyspark.sql.datasource" if has_errors else "pyspark.errors"
    assert f"needs Spark 4.0 or later, and this Python has pyspark 3.5.1, without {missing}: pip" in done.stderr


def test_the_public_names_are_those_of_the_documentation() -> None:
    import pyspark_logs

    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)", page, flags=re.MULTILINE)
    assert sorted(documented) == sorted(pyspark_logs.__all__)
