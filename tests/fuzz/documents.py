"""Targets of stored documents: offsets of checkpoints, records, intents and claims of jobs, and keys below a root."""

from __future__ import annotations

import contextlib
import json

from pyspark_logs.errors import CorruptFileError, OptionError
from pyspark_logs.jobs import names
from pyspark_logs.jobs.document_checks import check_claim, check_intent, check_record
from pyspark_logs.jobs.documents import Claim, Intent, Record
from pyspark_logs.layout.names import is_hidden_key
from pyspark_logs.offsets import Offset, PollRules, poll
from pyspark_logs.offsets.encoding import _pack

_RULES = PollRules(window_ms=7_200_000, lateness_ms=3_600_000)
_NOW_MS = 1_795_348_800_000


def read_offset(raw: bytes) -> None:
    """Reads an offset, and polls from it. A part that is not a string is packed first, so that a search reaches its fields."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        value = {"v": 1, "root": "r", "identity": "key", "ts": 0, "floor": 0, "from": "", "seen": "", **value}
        for part in ("batch", "floor_key"):
            if part in value and not isinstance(value[part], str):
                value[part] = _pack(json.dumps(value[part]).encode())
        if isinstance(value["seen"], list):
            value["seen"] = _pack(bytes(item & 255 for item in value["seen"] if type(item) is int))
    try:
        offset = Offset.from_dict(value, root="r", identity="key")
    except OptionError:
        return
    assert Offset.from_dict(json.loads(json.dumps(offset.to_dict())), root="r", identity="key") == offset
    following = poll(offset, [], _NOW_MS, _RULES)
    assert following.floor_ms >= offset.floor_ms


_JOB = names.new_job_id("overwrite", _NOW_MS * 1000, b"0" * 16)


def read_document(raw: bytes) -> None:
    """Reads a document of a job; the first line is its kind. An accepted document names nothing outside of its root."""
    kind, _, data = raw.partition(b"\n")
    document = {b"r": Record, b"i": Intent, b"c": Claim}.get(kind[:1], Record)
    with contextlib.suppress(CorruptFileError):
        found = document.from_json(data.replace(b"$JOB", _JOB.encode()), "_commits/x.json")
        again = document.from_json(found.to_json(), "_commits/x.json")
        assert again == found
        if isinstance(found, Record):
            check_record(found, _JOB, "p")
            keys = [file.key for file in found.replaces]
        elif isinstance(found, Intent):
            check_intent(found, _JOB, "p")
            keys = [file.key for file in found.files]
        else:
            check_claim(found, names.OVERWRITE_CHAIN, "p")
            keys = []
        for key in keys:
            assert not {"..", "."} & set(key.split("/"))
            assert not is_hidden_key(key)  # `_commits` and `_claims` are hidden; `_=b` is a partition
            assert not key.startswith((names.COMMITS, names.CLAIMS))


def split_keys(raw: bytes) -> None:
    """Reads names below a root: a name is that of a function, or of another program."""
    for key in raw.decode("utf-8", "surrogateescape").replace("$JOB", _JOB).split("\n"):
        claim = names.split_claim_key(key)
        if claim is not None:
            assert all(number >= 0 for number in claim[1])
        document = names.split_document_key(key)
        if document is not None:
            made = names.intent_key(document[0]) if document[1] else names.record_key(document[0])
            assert made in (key, names.COMMITS + key)
        names.split_retention_key(key)
        names.split_cursor_key(key)
        job = names.job_of(key)
        assert job is None or names.is_job_id(job)
        chain = names.chain_of("txn", key)
        assert "/" not in chain
        assert len(chain) <= 255
