"""Choice of the compiled machines: all of them, or none, as :mod:`pyspark_logs.compilation` describes.

The ``compiled_engine`` module of each format calls :func:`machines` and builds its engine if there are any.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import NamedTuple

from pyspark_logs import compilation
from pyspark_logs.errors import OptionError
from pyspark_logs.terminal_text import get_logger

_PACKAGE = __name__.rpartition(".")[0]
_MODULES = ("output", "template_machine", "json_machine", "logfmt_machine", "delimited_machine", "render_machine")
_log = get_logger("pyspark_logs")


class Machines(NamedTuple):
    """The modules of the machines.

    Attributes:
        output: module with ``gather``.
        template: machine for templates.
        json: machine for JSON lines.
        logfmt: machine for pairs.
        delimited: machine for delimited values.
        render: machine that renders lines.
    """

    output: ModuleType
    template: ModuleType
    json: ModuleType
    logfmt: ModuleType
    delimited: ModuleType
    render: ModuleType


def machines() -> Machines | None:
    """Returns the machines; None if they are not compiled or are turned off.

    Raises:
        OptionError: the environment requires machines that are not compiled, or the variable has another value.
    """
    return _machines(compilation.setting())


@functools.lru_cache(maxsize=4)
def _machines(setting: str) -> Machines | None:
    """Returns the machines for a value of the variable, and logs once whether compiled engines are used."""
    reason = (
        f"{compilation.VARIABLE}=0"
        if setting == "0"
        else None
        if is_compiled()
        else "they are not part of this installation"
    )
    if reason is None:
        try:
            from pyspark_logs.formats.compiled import (
                delimited_machine,
                json_machine,
                logfmt_machine,
                output,
                render_machine,
                template_machine,
            )
        except ImportError as error:  # a shared library of another platform
            reason = f"they cannot be loaded: {error}"
        else:
            _log.info("lines are decoded by compiled engines")
            return Machines(output, template_machine, json_machine, logfmt_machine, delimited_machine, render_machine)
    if setting == "1":
        raise OptionError(
            f"environment variable {compilation.VARIABLE}=1 requires the compiled engines, but {reason}: install a wheel for this"
            " platform, build them with a C compiler and Cython (see CONTRIBUTING.md), or unset the variable"
        )
    _log.info("lines are decoded without compiled engines: %s", reason)
    return None


def is_compiled() -> bool:
    """Returns True if all machines are shared libraries."""
    return all(compilation.is_compiled(f"{_PACKAGE}.{name}") for name in _MODULES)


@functools.lru_cache(maxsize=256)
def log_unsupported(lines: str, reason: str) -> None:
    """Logs once the reason why lines of a format are decoded without the compiled engine."""
    _log.info("%s are decoded without the compiled engine, which does not support %s", lines, reason)
