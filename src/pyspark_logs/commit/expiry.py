"""The search for expired records and claims, with which each commit ends."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark_logs.commit.claims import chain_of_record, find_query_chain, read_newest_holder, settle_claims
from pyspark_logs.commit.retention import claimed_records, expired_claims, expired_records, find_idle_chain, is_old
from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.errors import CorruptFileError
from pyspark_logs.jobs import COMMITS, OVERWRITE_CHAIN, CommitListing, Job, intent_key, record_key
from pyspark_logs.jobs.names import created_us_of, cursor_key
from pyspark_logs.jobs.visibility import split_listing
from pyspark_logs.store import Page, Store, StoredFile
from pyspark_logs.store.parallel import in_parallel

_MOST_SETTLED = 200  # of a commit: three requests each, in parallel
_FIRST_SETTLED = 8  # if none of the first can be settled, the others are not tried

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Confirmation:
    """State of ``_commits/`` after the decision.

    Attributes:
        intent: True if the job's intent exists.
        listing: records and intents of the first page.
        complete: jobs whose intent is in that page if it exists.
        more: token of the next page; ``None`` on the last page.
        now_ms: the store's time, milliseconds since the epoch.
    """

    intent: bool
    listing: CommitListing
    complete: frozenset[str]
    more: str | None
    now_ms: int


def read_page(job: Job, page: Page) -> tuple[CommitListing, frozenset[str]]:
    """Returns the documents in a page of ``_commits/``, and the jobs whose intent is in the page if it exists."""
    listing = split_listing(job.root, page.files)
    known = sorted(listing.records.keys() | listing.intents.keys())
    # A page may end between the record and the intent of its last job.
    return listing, frozenset(known if page.next_token is None else known[:-1])


def find_expired(
    store: Store, job: Job, older: Sequence[StoredFile], seen: Confirmation, settings: CommitSettings
) -> list[str]:
    """Returns the paths of expired claims and records. Oldest jobs are listed first, so one page is nearly always enough.

    If the first page holds only old records that their chains still need, one more page is searched. A marker tells the next
    such commit where to continue; after the last old record, the search begins anew. The number of requests is bounded: at
    most one LIST, or two where records do not name their claims.
    """
    claims = expired_claims(older, seen.now_ms, settings)
    listing, complete = seen.listing, seen.complete
    keys = expired_records(job, listing, complete, seen.now_ms, settings)
    keys = keys or _superseded_records(store, job, listing, complete, seen.now_ms, settings)
    if not keys and seen.more is not None and complete:
        keys = _settled_records(store, job, listing, complete, seen.now_ms, settings)
        if not keys and not _has_young(listing, seen.now_ms, settings):
            keys = _search_next_page(store, job, listing, complete, seen.now_ms, settings)
    return claims + [job.root + key for key in keys]


def _search_next_page(
    store: Store, job: Job, listing: CommitListing, complete: frozenset[str], now_ms: int, settings: CommitSettings
) -> list[str]:
    """Returns the keys of expired records of the page after the marker, or after the first page, and of old markers."""
    after = max(listing.cursors, default=max(complete))
    cursors = {cursor_key(cursor) for cursor in listing.cursors}
    page = store.list_after(job.root + COMMITS, job.root + intent_key(after))
    listing, complete = read_page(job, page)
    keys = expired_records(job, listing, complete, now_ms, settings)
    keys = keys or _settled_records(store, job, listing, complete, now_ms, settings)
    if page.next_token is not None and complete and not _has_young(listing, now_ms, settings):
        key = cursor_key(max(complete))
        store.put(job.root + key, b"")
        cursors.discard(key)
    return [*sorted(cursors), *keys]


def _superseded_records(
    store: Store, job: Job, listing: CommitListing, complete: frozenset[str], now_ms: int, settings: CommitSettings
) -> list[str]:
    """Returns the keys of the records of one chain of other jobs, except for that of its newest claim."""
    chain, jobs = find_idle_chain(job, listing, complete, now_ms, settings)
    if not jobs:
        return []
    # The claims are read after the records were listed: no listed record can become that of the newest claim afterwards.
    name: str | None = chain
    if chain != OVERWRITE_CHAIN:
        name = chain_of_record(store, job.root, jobs[-1], chain) or find_query_chain(store, job.root, chain)
    holder = None if name is None else read_newest_holder(store, job.root, name)
    return [] if holder is None else [record_key(other) for other in jobs if other != holder]


def _settled_records(
    store: Store, job: Job, listing: CommitListing, complete: frozenset[str], now_ms: int, settings: CommitSettings
) -> list[str]:
    """Returns the keys of old records whose decision their claims tell now, at most ``_MOST_SETTLED``."""
    jobs = claimed_records(job, listing, complete, now_ms, settings)
    # Records that do not name their claims stay. Another start in each commit finds those between them.
    start = created_us_of(job.id) % len(jobs) if jobs else 0
    jobs = [*jobs[start:], *jobs[:start]][:_MOST_SETTLED]
    settled: list[str] = []
    for batch in (jobs[:_FIRST_SETTLED], jobs[_FIRST_SETTLED:]):
        done = in_parallel(lambda other: _settle(store, job.root, other), batch, settings.threads)
        settled += [record_key(other) for other, is_settled in zip(batch, done, strict=True) if is_settled]
        if not settled:
            break
    return settled


def _settle(store: Store, root: str, job: str) -> bool:
    """True if the record of a job is not needed any more; documents that cannot be read are left alone."""
    try:
        return settle_claims(store, root, job)
    except CorruptFileError as error:
        _log.warning("cannot drop the record of job %s at %s: %s", job, root, error)
        return False


def _has_young(listing: CommitListing, now_ms: int, settings: CommitSettings) -> bool:
    return any(not is_old(ms, now_ms, settings.record_retention_us) for ms in listing.records.values())
