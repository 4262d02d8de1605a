"""Completion of commands, options and their values in bash, zsh and fish, by the package argcomplete."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterable, Mapping

Completer = Callable[..., Mapping[str, str] | Iterable[str]]

# Arguments whose values are paths on this machine. Paths of stores are not completed, because each key would be a request.
_PATHS = frozenset(("path", "file", "root", "to", "checkpoint", "data"))
# Values that an option takes beside others, which cannot be listed.
_WORDS = {
    "multiLine": ("true", "false"), "startingPosition": ("earliest", "latest"), "fullListingInterval": ("off",),
    "encoding": ("utf-8", "utf-16", "latin-1", "cp1252"),
}  # fmt: skip
_FILE_OPTIONS = frozenset(("badRecordsPath", "auditPath", "caBundle", "sourceArchiveDir"))


def complete(parser: argparse.ArgumentParser) -> None:
    """Answers a shell that asks for completions, and ends the process then; otherwise does nothing.

    Args:
        parser: parser with all commands.
    """
    # Set by the functions that register-python-argcomplete prints.
    if "_ARGCOMPLETE" not in os.environ:
        return
    try:
        import argcomplete
        from argcomplete.completers import FilesCompleter
    except ImportError:
        return
    files = FilesCompleter()
    for action in _actions(parser):
        if action.choices is None:
            action.completer = _completer(action, files)  # type: ignore[attr-defined]
    # Names of options and choices match without case.
    argcomplete.autocomplete(parser, validator=lambda word, prefix: word.lower().startswith(prefix.lower()))


def _actions(parser: argparse.ArgumentParser) -> Iterable[argparse.Action]:
    """Yields the arguments of a parser and of its commands."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action


def _completer(action: argparse.Action, files: Completer) -> Completer:
    """Returns the completer of an argument: names of files, values of a table, or nothing."""
    if action.dest in _PATHS:
        return files
    if action.dest == "option":
        return lambda prefix, **_: complete_option(prefix, files)
    if action.dest in ("preset", "name"):
        return lambda **_: _presets()
    return lambda **_: ("latest",) if action.dest == "query" else ()


def complete_option(text: str, files: Completer) -> dict[str, str]:
    """Returns completions of ``NAME=VALUE``, each with a description.

    Args:
        text: the text before the cursor.
        files: completer of names of files.

    >>> complete_option("onUnw", list), list(complete_option("mode=", list))
    ({'onUnwritable=': 'treatment of values that would not read back: fail, or write null or spaces (space) (fail)'}, ['mode=PERMISSIVE', 'mode=DROPMALFORMED', 'mode=FAILFAST'])
    """
    from pyspark_logs.options import OPTIONS

    name, equals, value = text.partition("=")
    if not equals:
        return {
            f"{option.name}=": _plain(option.doc) for option in OPTIONS if option.name.lower().startswith(name.lower())
        }
    option = next((option for option in OPTIONS if option.name.lower() == name.lower()), None)
    if option is None:
        return {}
    if option.name == "preset":
        found: Mapping[str, str] = _presets()
    elif option.name in _FILE_OPTIONS:
        found = dict.fromkeys(files(prefix=value), "")
    else:
        found = dict.fromkeys(option.choices or _values(option.name), "")
    return {f"{name}={word}": about for word, about in found.items()}


def _values(name: str) -> Iterable[str]:
    if name != "timeZone":
        return _WORDS.get(name, ())
    import zoneinfo

    return sorted(zoneinfo.available_timezones())


def _presets() -> dict[str, str]:
    from pyspark_logs.preset_listing import preset_summaries

    return preset_summaries()


def _plain(markdown: str) -> str:
    """Returns the text of a description without links and marks of Markdown."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "")
