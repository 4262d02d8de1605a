"""Formats of a sample, ranked."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.detection.candidate import Candidate
from pyspark_logs.detection.heads import FileHead
from pyspark_logs.detection.mixed import FoundFormat, mixed_format
from pyspark_logs.detection.samples import Sample, make_sample
from pyspark_logs.detection.scores import is_plausible, specificity
from pyspark_logs.detection.trial_formats import (
    SERVER_CONFIGURATIONS,
    SIGNATURES,
    general_formats,
    preset_formats,
    proposed_formats,
)
from pyspark_logs.errors import FormatError
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.options import FormatOptions
from pyspark_logs.schema import parse_ddl, to_ddl

# Share of matching records below which a file is not considered to be in a format.
GOOD_SHARE = 0.95
_MIN_SHARE = 0.05
# Share of matching lines from which the other lines may continue records.
_MIN_FIRST_LINES = 0.2
# A format is demoted if its specificity is below this part of the specificity of the best template. For few records the
# part is smaller, because a template can fit a few lines too well by chance.
_MIN_SPECIFICITY, _MIN_SPECIFICITY_OF_FEW = 0.9, 0.6
_FEW_RECORDS = 20
# Part of the columns filled by a preset's own sample that JSON records must fill to be of the preset.
_MIN_FILLED_COLUMNS = 0.6


def rank_formats(sample: Sample) -> list[Candidate]:
    """Returns the candidates for a sample, the best one first; :func:`pyspark_logs.detect` describes the order."""
    ranked = _rank_formats(sample)
    options = mixed_format(sample.lines, ranked[0].options if ranked else None, functools.partial(_best_format, sample))
    mixed = [] if options is None else _find_candidates(sample, [options])
    # The best format leaves lines that the list matches: they are corrupt, or continue records.
    better = [each for each in mixed if each.share >= GOOD_SHARE or not ranked or each.share > ranked[0].share]
    return [*better, *ranked]


def _best_format(sample: Sample, lines: Sequence[str]) -> FoundFormat | None:
    """Returns the best format of some lines of a sample that tells a time or the names of columns."""
    text = "\n".join(lines).encode("utf-8", "replace") + b"\n"
    for candidate in _rank_formats(make_sample([FileHead("lines", text, sample.modified_ms)], sample.options)):
        schema = parse_ddl(candidate.schema)
        has_time = any(pa.types.is_temporal(field.type) for field in schema)
        if candidate.share >= GOOD_SHARE and (has_time or _names_columns_in_text(candidate.options)):
            return FoundFormat(candidate.options, schema)
    return None


def _rank_formats(sample: Sample) -> list[Candidate]:
    if not sample.lines:
        return []
    trials = (
        preset_formats(),
        SERVER_CONFIGURATIONS,
        general_formats(sample.lines),
        proposed_formats(sample.lines),
    )
    groups = [_find_candidates(sample, formats) for formats in trials]
    signed = {name for name, signature in SIGNATURES.items() if any(map(signature.search, sample.lines))}
    threshold = _specificity_threshold(groups[-1])

    def order(ranked: tuple[int, Candidate]) -> tuple[float, ...]:
        group, candidate = ranked
        preset_order = candidate.options.get("preset") not in signed
        if candidate.share < GOOD_SHARE:
            return (1, -candidate.share, group, preset_order)
        # The exponent makes a missing record weigh more than a column.
        return (0, group, preset_order, -round(candidate.share**2 * candidate.specificity, 3))

    ranked = [
        # A header names the columns, which no template can do, and a signature is of one preset only.
        (
            len(groups)
            if candidate.specificity < threshold
            and "header" not in candidate.options
            and candidate.options.get("preset") not in signed
            else group,
            candidate,
        )
        for group, candidates in enumerate(groups)
        for candidate in candidates
    ]
    return [candidate for _, candidate in sorted(ranked, key=order)]


def _specificity_threshold(templates: Iterable[Candidate]) -> float:
    """Returns the specificity below which a format is demoted; 0 if no template fits."""
    good = [candidate for candidate in templates if candidate.share >= GOOD_SHARE]
    if not good:
        return 0.0
    best = max(good, key=lambda candidate: candidate.specificity)
    return best.specificity * (_MIN_SPECIFICITY if best.records >= _FEW_RECORDS else _MIN_SPECIFICITY_OF_FEW)


def _find_candidates(sample: Sample, formats: Iterable[Mapping[str, str]]) -> list[Candidate]:
    """Returns the candidates among formats, which are given by their options."""
    candidates = []
    for options in formats:
        read = sample.read(options)
        if read is None or not read[1] or not (_names_columns_in_text(options) or is_plausible(read[0])):
            continue
        if not _resembles_preset(options, read[0]):
            continue
        candidate = _candidate(options, *read)
        if _MIN_FIRST_LINES <= candidate.share < 1:
            with_continuations = {**options, "multiLine": "true"}
            joined = sample.read(with_continuations)
            if joined is not None and joined[1]:
                candidate = max(candidate, _candidate(with_continuations, *joined), key=lambda each: each.share)
        if candidate.share >= _MIN_SHARE and candidate.columns:
            candidates.append(candidate)
    return candidates


def _names_columns_in_text(options: Mapping[str, str]) -> bool:
    """Returns True if the names of the columns are in the file, so that no value can contradict them."""
    return not options.keys().isdisjoint(("json", "logfmt", "header"))


def _candidate(options: Mapping[str, str], rows: pa.Table, records: int) -> Candidate:
    return Candidate(options, records, rows.num_rows, specificity(rows), to_ddl(rows.schema))


def _resembles_preset(options: Mapping[str, str], rows: pa.Table) -> bool:
    """Returns False if rows of a preset of JSON lines fill too few columns; a JSON object of any keys matches them."""
    name = options.get("preset")
    if name == "syslog_rfc3164":
        # A host and a tag are optional, so a time with any text after it matches.
        return bool(pc.any(pc.or_(rows.column("hostname").is_valid(), rows.column("tag").is_valid())).as_py())
    if name is None or not resolve_format(FormatOptions("preset", name)).is_open:
        return True
    return bool(rows.num_rows) and _filled_columns(rows) >= _MIN_FILLED_COLUMNS * _filled_columns(_sample_rows(name))


def _filled_columns(rows: pa.Table) -> float:
    """Returns the average number of values in a row that are not null."""
    return sum(len(rows) - column.null_count for column in rows.columns) / len(rows)


@functools.lru_cache(maxsize=64)
def _sample_rows(preset: str) -> pa.Table:
    """Returns the rows of a preset's own sample."""
    text = "\n".join(PRESETS[preset].sample).encode() + b"\n"
    read = make_sample([FileHead(preset, text, 0)], {}).read({"preset": preset})
    if read is None:
        raise FormatError(f"preset {preset!r} does not read its own sample; please report this")
    return read[0]
