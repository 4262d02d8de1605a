"""Build hook of hatchling: compiles the machines of ``formats/compiled`` for a wheel of this platform.

Without a C compiler the wheel has no shared libraries, and is for any platform; lines are then decoded by numpy. The
environment variable ``PYSPARK_LOGS_COMPILED`` decides as at run time: ``0``: nothing is compiled; ``1``: it is an error if
that fails.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledMachinesHook(BuildHookInterface):  # type: ignore[misc]
    """Adds the shared libraries to the wheel. An editable installation has those that ``make`` builds in place."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles the machines before the wheel is written."""
        setting = os.environ.get("PYSPARK_LOGS_COMPILED", "")
        if self.target_name != "wheel" or version == "editable" or setting == "0":
            return
        builder = _load_builder(Path(self.root) / "scripts/build_compiled.py")
        missing = builder.missing_tool()
        if missing is not None:
            if setting == "1":
                raise RuntimeError(f"PYSPARK_LOGS_COMPILED=1, but {missing} is missing")
            self.app.display_warning(f"{missing} is missing: the wheel has no compiled engines")
            return
        folder = Path(self.root) / "build" / "compiled"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            built = builder.build(folder)
        except RuntimeError as error:
            if setting == "1":
                raise
            self.app.display_warning(f"the wheel has no compiled engines: {error}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = _tag(stable_abi=builder.HAS_STABLE_ABI)
        for library in built:
            build_data["force_include"][str(library)] = f"{builder.PACKAGE}/{library.relative_to(folder).as_posix()}"


def _load_builder(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_compiled", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _tag(*, stable_abi: bool) -> str:
    """Returns the tag of the wheel: Python, ABI and platform."""
    system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    if stable_abi:
        return f"cp311-abi3-{system}"
    version = "cp" + "".join(platform.python_version_tuple()[:2])
    threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return f"{version}-{version}{threads}-{system}"
