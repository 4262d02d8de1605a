"""Selection of conformance tests: those that measure coverage, and those that ``make test`` runs for each preset."""

from __future__ import annotations

from collections import defaultdict

import pytest

from pyspark_logs.formats.presets import PRESETS

# Laws of how records are found in files. The code does not depend on the fields of a preset, and other formats run the laws,
# too: `make test` runs each of them for a third of the presets of templates, of JSON and of delimited values.
FILE_LAWS = (
    "test_line_ends_and_byte_order_marks",
    "test_blank_lines_are_no_records",
    "test_lines_of_spaces_and_tabs_are_no_records",
    "test_padding_of_preallocated_and_truncated_files_is_no_record",
    "test_compressed",
    "test_blocks_of_any_size",
    "test_splits_of_any_size",
    "test_small_files_are_read_as_each_by_itself",
    "test_files_without_a_record",
    "test_a_line_of_a_megabyte",
    "test_a_record_that_is_too_long_is_one_corrupt_row",
    "test_a_million_of_anything_takes_no_longer_than_a_million",
)
_PARTS = 3


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests, before others deselect some of them by their marks.

    Conformance tests measure no coverage: it takes a third of their time, and the unit tests cover the same code.
    """
    numbers = _numbers_within_forms()
    for item in items:
        if "/tests/conformance/" not in item.path.as_posix():
            continue
        item.add_marker(pytest.mark.no_cover)
        law, suite = getattr(item, "originalname", ""), getattr(item, "cls", None)
        if law in FILE_LAWS and item.path.stem == "test_every_preset" and not hasattr(suite, "envelope"):
            number = numbers[suite.options["preset"]]
            if number is not None and (number + FILE_LAWS.index(law)) % _PARTS:
                item.add_marker(pytest.mark.slow)


def _numbers_within_forms() -> dict[str, int | None]:
    """Returns the number of each preset among those of its form; None for forms of few presets."""
    forms: dict[type, list[str]] = defaultdict(list)
    for name, preset in PRESETS.items():
        forms[type(preset.form)].append(name)
    return {
        name: number if len(names) >= 2 * _PARTS else None
        for names in forms.values()
        for number, name in enumerate(names)
    }
