"""Rescued data of JSON objects: the values that no column of the schema reads.

A column claims the value at its path. If the column is a struct, it claims only the fields of the struct, also within
arrays and maps; a column of any other type claims the whole value.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from pyspark_logs.formats.column_names import find_name


class _Every:
    """A step of a claim that leads to every element of an array or to every value of a map."""


EVERY_ELEMENT, EVERY_KEY = _Every(), _Every()

# Steps of a claim are keys, EVERY_ELEMENT and EVERY_KEY; steps to a rescued value are keys and indices of arrays.
JsonPath = tuple[Any, ...]
RescuedValues = Sequence[tuple[JsonPath, Any]]


def claims_of(path: JsonPath, dtype: pa.DataType) -> list[JsonPath]:
    """Returns the paths to all values that a column claims.

    Args:
        path: path of the column.
        dtype: type of the column.
    """
    if pa.types.is_struct(dtype):
        return [claim for field in dtype for claim in claims_of((*path, field.name), field.type)]
    if pa.types.is_list(dtype):
        return claims_of((*path, EVERY_ELEMENT), dtype.value_type)
    if pa.types.is_map(dtype):
        return claims_of((*path, EVERY_KEY), dtype.item_type)
    return [path]


def unclaimed_values(value: Any, claims: Sequence[JsonPath], path: JsonPath = ()) -> Iterator[tuple[JsonPath, Any]]:
    """Yields the path and the value of everything in a value that is not claimed.

    A scalar is claimed if a claim leads into it: it is not of the type of its column, so that the line is corrupt.

    Args:
        value: an object, or a value within it.
        claims: paths from the value to the claimed values.
        path: path from the object to the value.

    >>> record = {"a": {"x": 1, "y": 2}, "b": [{"x": 1}, {"z": 3}], "c": 4}
    >>> list(unclaimed_values(record, [("a", "x"), ("b", EVERY_ELEMENT, "x")]))
    [(('a', 'y'), 2), (('b', 1, 'z'), 3), (('c',), 4)]
    """
    if () in claims:
        return
    if isinstance(value, dict) and (not path or any(claim[0] is not EVERY_ELEMENT for claim in claims)):
        names = {claim[0]: find_name(value, claim[0]) for claim in claims if isinstance(claim[0], str)}
        for key, item in value.items():
            inner = [claim[1:] for claim in claims if claim[0] is EVERY_KEY or names.get(claim[0]) == key]
            if inner:
                yield from unclaimed_values(item, inner, (*path, key))
            else:
                yield (*path, key), item
    elif isinstance(value, list):
        inner = [claim[1:] for claim in claims if claim[0] is EVERY_ELEMENT]
        for index, item in enumerate(value if inner else ()):
            yield from unclaimed_values(item, inner, (*path, index))


def is_string_map(dtype: pa.DataType) -> bool:
    """Returns True if a type is ``map<string,string>``."""
    return bool(pa.types.is_map(dtype) and pa.types.is_string(dtype.key_type) and pa.types.is_string(dtype.item_type))


def build_rescued(rescued: RescuedValues, dtype: pa.DataType) -> dict[str, Any] | None:
    """Returns rescued values as one object for a column; None if there are no values.

    Args:
        rescued: the values.
        dtype: type of the column: ``map<string,string>`` for :func:`flatten`, else string for :func:`nest`.
    """
    if not rescued:
        return None
    return flatten(rescued) if is_string_map(dtype) else nest(rescued)


def nest(rescued: RescuedValues) -> dict[str, Any]:
    """Returns an object in which every value has its path. Elements before a value of an array become ``{}``.

    >>> nest([(("a", "y"), True), (("b", 1, "z"), [])])
    {'a': {'y': True}, 'b': [{}, {'z': []}]}
    """
    root: dict[str, Any] = {}
    for path, value in rescued:
        parent: Any = root
        for step, following in itertools.pairwise(path):
            parent = _child(parent, step, [] if isinstance(following, int) else {})
        _set_child(parent, path[-1], value)
    return root


def flatten(rescued: RescuedValues) -> dict[str, Any]:
    """Returns an object whose keys are the paths. A path that reads like an earlier one has its keys in backticks.

    >>> flatten([(("a.y",), "x"), (("a", "y"), None), (("b", 1, "z"), [])])
    {'a.y': 'x', '`a`.`y`': None, 'b[1].z': []}
    """
    pairs: dict[str, Any] = {}
    for path, value in rescued:
        name = _path_text(path, "")
        pairs[_path_text(path, "`") if name in pairs else name] = value
    return pairs


def _child(parent: Any, step: str | int, default: Any) -> Any:
    """Returns the child of an object or array, which is set to ``default`` if it is missing."""
    if isinstance(step, str):
        return parent.setdefault(step, default)
    if len(parent) <= step:
        _set_child(parent, step, default)
    return parent[step]


def _set_child(parent: Any, step: str | int, value: Any) -> None:
    if isinstance(step, int):
        parent.extend({} for _ in range(step - len(parent)))
        parent.append(value)
    else:
        parent[step] = value


def _path_text(path: JsonPath, quote: str) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{quote}{step}{quote}" for step in path)
    return "".join(steps)[1:]
