"""What a schema lacks of a JSON object: the object without what its columns take.

A column takes the value at its path. Of an object that is read as a struct it takes what the struct has
fields for, also within arrays and maps; of anything else it takes all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from pyspark_logs.formats.json.values import lookup


class _Every:
    """A step of a claim: to each element of an array, or to each value of a map."""


ITEM, ANY_KEY = _Every(), _Every()

Claim = tuple[Any, ...]  # of steps: keys, ITEM, ANY_KEY; of what is left: keys and places
Rest = Sequence[tuple[Claim, Any]]


def claims_of(path: Claim, dtype: pa.DataType) -> list[Claim]:
    """The paths to all that a column of this type takes."""
    if pa.types.is_struct(dtype):
        return [claim for field in dtype for claim in claims_of((*path, field.name), field.type)]
    if pa.types.is_list(dtype):
        return claims_of((*path, ITEM), dtype.value_type)
    if pa.types.is_map(dtype):
        return claims_of((*path, ANY_KEY), dtype.item_type)
    return [path]


def left_over(value: Any, claims: Sequence[Claim], path: Claim = ()) -> Iterator[tuple[Claim, Any]]:
    """What is not claimed of a value: paths of keys and places in arrays, and the value at each.

    A value of which a part is claimed, and which has no parts, counts as claimed: it is of another type than its
    column, and the line is corrupt.

    >>> list(left_over({"a": {"x": 1, "y": 2}, "b": [{"x": 1}, {"z": 3}], "c": 4}, [("a", "x"), ("b", ITEM, "x")]))
    [(('a', 'y'), 2), (('b', 1, 'z'), 3), (('c',), 4)]
    """
    if () in claims:
        return
    if isinstance(value, dict) and (not path or any(claim[0] is not ITEM for claim in claims)):
        keys = {claim[0]: lookup(value, claim[0]) for claim in claims if isinstance(claim[0], str)}
        for key, item in value.items():
            inner = [claim[1:] for claim in claims if claim[0] is ANY_KEY or keys.get(claim[0]) == key]
            if inner:
                yield from left_over(item, inner, (*path, key))
            else:
                yield (*path, key), item
    elif isinstance(value, list):
        inner = [claim[1:] for claim in claims if claim[0] is ITEM]
        for place, item in enumerate(value if inner else ()):
            yield from left_over(item, inner, (*path, place))


def is_text_map(dtype: pa.DataType) -> bool:
    """Whether a type is map<string,string>."""
    return bool(pa.types.is_map(dtype) and pa.types.is_string(dtype.key_type) and pa.types.is_string(dtype.item_type))


def rest_of(rest: Rest, dtype: pa.DataType) -> dict[str, Any] | None:
    """What is left as the object that a column of a type has the text, or the pairs, of; None where nothing is."""
    if not rest:
        return None
    return by_path(rest) if is_text_map(dtype) else as_it_was(rest)


def as_it_was(rest: Rest) -> dict[str, Any]:
    """What is left, every value where it was; before an element of an array of which something is left, others are ``{}``.

    >>> as_it_was([(("a", "y"), True), (("b", 1, "z"), [])])
    {'a': {'y': True}, 'b': [{}, {'z': []}]}
    """
    whole: dict[str, Any] = {}
    for path, value in rest:
        place: Any = whole
        for step, following in itertools.pairwise(path):
            place = _entered(place, step, [] if isinstance(following, int) else {})
        _put(place, path[-1], value)
    return whole


def _entered(place: Any, step: str | int, fresh: Any) -> Any:
    """What stands at a step of what is being built, ``fresh`` if nothing does."""
    if isinstance(step, str):
        return place.setdefault(step, fresh)
    if len(place) <= step:
        _put(place, step, fresh)
    return place[step]


def _put(place: Any, step: str | int, value: Any) -> None:
    if isinstance(step, int):
        place.extend({} for _ in range(step - len(place)))
        place.append(value)
    else:
        place[step] = value


def by_path(rest: Rest) -> dict[str, Any]:
    """What is left, by the text of its path. One that reads like another before it has its keys in backticks.

    >>> by_path([(("a.y",), "x"), (("a", "y"), None), (("b", 1, "z"), [])])
    {'a.y': 'x', '`a`.`y`': None, 'b[1].z': []}
    """
    pairs: dict[str, Any] = {}
    for path, value in rest:
        name = _name(path, "")
        pairs[_name(path, "`") if name in pairs else name] = value
    return pairs


def _name(path: Claim, quote: str) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{quote}{step}{quote}" for step in path)
    return "".join(steps)[1:]
