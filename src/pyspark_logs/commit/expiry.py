"""The search for expired records and claims, with which each commit ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark_logs.commit.claims import (
    Number,
    chain_of_record,
    check_chain,
    find_query_chain,
    group_claims,
    read_holder,
    read_newest_holder,
    settle_claims,
)
from pyspark_logs.commit.decisions import remove_files, remove_versions
from pyspark_logs.commit.retention import claimed_records, expired_claims, expired_records, find_idle_chain, is_old
from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.errors import CorruptFileError
from pyspark_logs.jobs import CLAIMS, COMMITS, OVERWRITE_CHAIN, CommitListing, Job, intent_key, record_key
from pyspark_logs.jobs.names import created_us_of, cursor_key, random_of, split_claim_key
from pyspark_logs.jobs.visibility import split_listing
from pyspark_logs.store import Page, Store, StoredFile
from pyspark_logs.store.parallel import in_parallel
from pyspark_logs.terminal_text import get_logger

_MOST_SETTLED = 200  # of a commit: four requests each, in parallel
_FIRST_SETTLED = 8  # if none of the first can be settled, the others are not tried

# One in ten commits with a txnId searches for chains whose txnId expired, instead of further records. It drops up to 100 chains,
# more than ten commits add. It makes one LIST request, three requests for each chain, and the deletions.
_COMMITS_PER_SWEEP = 10
_MOST_ENDED = 100

_log = get_logger(__name__)


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
    if _sweeps(job):
        _drop_ended_chains(store, job, seen.now_ms, settings)
        return claims + [job.root + key for key in keys]
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


def _sweeps(job: Job) -> bool:
    return job.chain.startswith("txn-") and random_of(job.id) % _COMMITS_PER_SWEEP == 0


def _drop_ended_chains(store: Store, job: Job, now_ms: int, settings: CommitSettings) -> None:
    """Deletes chains whose ``txnId`` is older than ``txnRetention``.

    A sweep reads one page of claims: at random the first page, which has the oldest chains if names grow with time, or the
    page after the job's own chain, which differs between commits if names do not. Over many sweeps, all chains are read.
    """
    start = f"{job.root}{CLAIMS}txn-"
    turn = random_of(job.id) // _COMMITS_PER_SWEEP
    if turn % 2:
        page = store.list_after(start, f"{job.root}{CLAIMS}{job.chain}0")  # "0" follows "/"
    else:
        page = store.list_page(start, recursive=True)
    chains = _whole_chains(job, page)
    ended = [
        (name, claims)
        for name, claims in sorted(chains.items())
        if is_old(claims[max(claims)].modified_ms, now_ms, settings.txn_retention_us) and name != job.chain
    ]
    start_at = turn // 2 % len(ended) if ended else 0
    chosen = [*ended[start_at:], *ended[:start_at]][:_MOST_ENDED]
    goes = in_parallel(lambda item: _has_ended(store, job.root, *item, now_ms, settings), chosen, settings.threads)
    dropped = [claims for (_, claims), is_ended in zip(chosen, goes, strict=True) if is_ended]
    # The newest claim goes last, and only in the version that was listed: another job may begin the chain anew.
    remove_files(store, [claims[number].path for claims in dropped for number in claims if number != max(claims)])
    newest = [claims[max(claims)] for claims in dropped]
    remove_versions(store, [(file.path, file.etag) for file in newest], settings)


def _whole_chains(job: Job, page: Page) -> dict[str, dict[Number, StoredFile]]:
    """Returns the claims of the chains in a page, without the last chain if a page follows, which may hold more of it."""
    chains = group_claims(job.root, page.files)
    last = split_claim_key(page.files[-1].path.removeprefix(job.root)) if page.files else None
    if page.next_token is not None and last is not None:
        del chains[last[0]]
    return chains


def _has_ended(
    store: Store, root: str, chain: str, claims: Mapping[Number, StoredFile], now_ms: int, settings: CommitSettings
) -> bool:
    """True if the job that holds the newest claim of a chain is decided, and its record is as old as the claim must be."""
    try:
        check_chain(store, root, chain)
        holder = read_holder(store, root, chain, max(claims))
    except CorruptFileError as error:
        _log.warning("cannot drop the claims of %s at %s: %s", chain, root, error)
        return False
    if holder is None or store.head(root + intent_key(holder)) is not None:
        return False
    record = store.head(root + record_key(holder))
    return record is None or is_old(record.modified_ms, now_ms, settings.txn_retention_us)
