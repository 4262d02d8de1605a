"""Compiles the modules of ``MODULES`` in place, for a checkout: ``python scripts/build_compiled.py``.

``hatch_build.py`` calls :func:`build` for wheels. ``--sanitize`` builds with the sanitizers of addresses and undefined
behaviour; see ``scripts/sanitized-tests``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
PACKAGE = "pyspark_logs"
_FORMATS = "formats/compiled"
MODULES = (
    *(f"{_FORMATS}/{name}" for name in (
        "times", "scalars", "strings", "output", "keys", "template_ends", "template_machine", "json_grammar", "json_keys",
        "json_machine",
        "logfmt_machine", "delimited_machine", "render_values", "render_machine",
    )),
    "records/block_search",
)  # fmt: skip
DIRECTIVES = {
    "language_level": 3, "boundscheck": False, "wraparound": False, "cdivision": True, "initializedcheck": False,
}  # fmt: skip
# The stable ABI has the buffers of memory views from Python 3.11 on; one build then serves all later versions.
HAS_STABLE_ABI = (
    sys.version_info >= (3, 11)
    and sys.implementation.name == "cpython"
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
)
STABLE_ABI = ["-DPy_LIMITED_API=0x030B0000"] if HAS_STABLE_ABI else []
SUFFIX = ".abi3.so" if HAS_STABLE_ABI else sysconfig.get_config_var("EXT_SUFFIX")
OPTIMIZED = ["-O3", "-fno-plt"]
SANITIZED = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"]


def missing_tool() -> str | None:
    """Returns the tool that is missing for the compilation; None if there are all."""
    try:
        import Cython  # noqa: F401
    except ImportError:
        return "Cython"
    if _compiler() is None:
        return "a C compiler"
    include = Path(sysconfig.get_path("include"))
    return None if (include / "Python.h").exists() else "the headers of Python (python3-dev)"


def _compiler() -> list[str] | None:
    command = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()
    if shutil.which(command[0]) is None:
        command = ["cc"]
    return command if shutil.which(command[0]) else None


def build(folder: Path, *, sanitize: bool = False) -> list[Path]:
    """Compiles all modules, and returns the shared libraries in ``folder``.

    Args:
        folder: directory of the package ``pyspark_logs``, or another one.
        sanitize: True for a build that detects invalid accesses to memory.

    Raises:
        RuntimeError: a module cannot be compiled; the message has the output of the compiler.
    """
    from Cython.Compiler.Errors import CompileError
    from Cython.Compiler.Main import CompilationOptions, compile_single, default_options

    compiler = _compiler()
    if compiler is None:
        raise RuntimeError("there is no C compiler")
    built, compilations = [], []
    # Compilers run while Cython translates the next modules.
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as compilers:
        for name in MODULES:
            source, c_file = SOURCE / PACKAGE / f"{name}.py", Path(scratch) / f"{name.replace('/', '.')}.c"
            options = CompilationOptions(
                default_options, output_file=str(c_file), include_path=[str(SOURCE)], compiler_directives=DIRECTIVES
            )
            full_name = f"{PACKAGE}.{name.replace('/', '.')}"
            try:
                result = compile_single(str(source), options, full_module_name=full_name)
            except CompileError as error:
                raise RuntimeError(f"Cython cannot compile {source}: {error}") from error
            if result.num_errors:
                raise RuntimeError(f"Cython cannot compile {source}")
            target = folder / f"{name}{SUFFIX}"
            target.parent.mkdir(parents=True, exist_ok=True)
            flags = SANITIZED if sanitize else OPTIMIZED
            compilations.append(compilers.submit(_compile_c, compiler, c_file, target, flags))
            built.append(target)
        for compilation in compilations:
            compilation.result()
    return built


def _compile_c(compiler: list[str], source: Path, target: Path, flags: list[str]) -> None:
    link = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
    include = f"-I{sysconfig.get_path('include')}"
    command = [*compiler, *flags, *STABLE_ABI, "-fPIC", "-w", include, *link, str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")


def main() -> None:
    """Builds in place; says in one line what was built, or why nothing was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sanitize", action="store_true", help="detect invalid accesses to memory")
    parser.add_argument("--to", type=Path, default=SOURCE / PACKAGE, help="directory of the shared libraries")
    parser.add_argument("--optional", action="store_true", help="a missing tool is no error")
    arguments = parser.parse_args()
    missing = missing_tool()
    if missing is not None:
        print(f"compiled engines: not built, because {missing} is missing; lines are decoded without them")
        sys.exit(0 if arguments.optional else 1)
    built = build(arguments.to, sanitize=arguments.sanitize)
    print(f"compiled engines: built {len(built)} modules in {arguments.to}")


if __name__ == "__main__":
    main()
