"""Vacuum: deletes staged uploads that were never committed, and records and claims that are no longer needed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pyspark_logs.commit.claims import Number, check_chain, group_claims, read_holder, settle_claim
from pyspark_logs.commit.decisions import check_own_directories, remove_files, remove_versions
from pyspark_logs.commit.retention import StoreClock
from pyspark_logs.commit.settings import DAY_US, CommitSettings
from pyspark_logs.commit.stray_uploads import search_uploads
from pyspark_logs.errors import CorruptFileError
from pyspark_logs.jobs import CLAIMS, COMMITS, CommitListing, job_of, read_commits, read_record, record_key
from pyspark_logs.jobs.names import may_claim
from pyspark_logs.jobs.snapshots import list_all
from pyspark_logs.store import Store, StoredFile
from pyspark_logs.store.parallel import in_parallel
from pyspark_logs.terminal_text import get_logger

_DEFAULTS = CommitSettings()

# Local stores write documents through files with the first name; StoreClock writes files with the second.
_TEMPORARY_PREFIX = ".tmp-"
_TEMPORARY = re.compile(r"(?:\.tmp|~clock)-[0-9a-f]{32}")

_log = get_logger(__name__)


@dataclass(frozen=True)
class VacuumReport:
    """Result of a vacuum, or of its dry run; all entries are sorted.

    Attributes:
        uploads: paths of staged files whose uploads were aborted.
        records: ids of jobs whose record was deleted.
        claims: keys of deleted claims, relative to the root.
        failed: pairs of path and error message for claims that cannot be read. Their chains, and the records that these may
            need, are kept.
        temporary: keys of deleted temporary files of processes that died, relative to the root.
    """

    uploads: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    temporary: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Chain:
    """A listed chain: its newest claim, the job that holds that claim, and the older claims."""

    name: str
    number: Number
    newest: StoredFile
    holder: str
    older: tuple[StoredFile, ...]


@dataclass(frozen=True)
class _BrokenChain:
    """A listed chain whose newest claim cannot be read: it is not known which record the chain needs."""

    name: str
    path: str
    reason: str

    def may_need(self, job: str) -> bool:
        """True if the job may hold the newest claim of the chain."""
        return may_claim(job, self.name)


def vacuum(
    store: Store,
    root: str,
    *,
    older_than_us: int = DAY_US,
    dry_run: bool = False,
    settings: CommitSettings = _DEFAULTS,
) -> VacuumReport:
    """Deletes uploads that were staged and never committed, and expired records and claims. Visible files are not touched.

    Args:
        store: store of the root.
        root: directory that was written to, ending in ``/``.
        older_than_us: minimum age of an upload or a temporary file, by the store's clock; younger ones may belong to a running job. Uploads
            of a job that has an intent are left to ``recover``.
        dry_run: reports without writing anything; ages are then measured by the clock of this machine.
        settings: retentions of records and of ``txnId`` chains; number of threads.

    Raises:
        StoreError: the store refused or failed; earlier deletions are not undone.
    """
    check_own_directories(store, root)
    clock = StoreClock(store, root, dry_run=dry_run)
    # The uploads of an intent, whose keys would be known, are left to recover.
    uploads = search_uploads(store, root, (), settings, dry_run=dry_run)
    uploads = [upload for upload in uploads if clock.is_old(upload.started_ms, older_than_us)]
    # Records are listed before claims: a claim is written before the record of its job, so a listed record whose claim is
    # not listed afterwards never gets one.
    commits = read_commits(store, root)
    settings = settings.at_root(commits.retention_us)
    claim_files = list_all(store, root + CLAIMS)
    chains, broken = _read_chains(store, root, claim_files, settings)
    uploads = [upload for upload in uploads if job_of(upload.path) not in commits.intents]
    ended = [chain for chain in chains if _has_ended(chain, commits, clock, settings)]
    held = {chain.holder for chain in chains} - {chain.holder for chain in ended}
    if len(commits.records) + len(commits.intents) > store.page_size:
        held -= _settle(store, root, chains, held, commits, clock, dry_run, settings)
    records = _expired_records(commits, held, broken, clock, settings)
    older = [
        file.path
        for chain in chains
        for file in chain.older
        if clock.is_old(file.modified_ms, settings.record_retention_us)
    ]
    temporary = _old_temporary_files(store, root, claim_files, clock, older_than_us)
    if not dry_run:
        remove_files(store, temporary)
        in_parallel(lambda upload: store.abort_upload(upload.path, upload.upload_id), uploads, settings.threads)
        remove_files(store, older)
        # Only the version that was listed: another job may start the chain again with the same first number.
        remove_versions(store, [(chain.newest.path, chain.newest.etag) for chain in ended], settings)
        remove_files(store, [root + record_key(job) for job in records])
    claims = sorted([*older, *(chain.newest.path for chain in ended)])
    return VacuumReport(
        tuple(sorted(upload.path for upload in uploads)),
        tuple(records),
        tuple(path.removeprefix(root) for path in claims),
        tuple((chain.path, chain.reason) for chain in broken),
        tuple(path.removeprefix(root) for path in temporary),
    )


def _expired_records(
    commits: CommitListing, held: Collection[str], broken: Iterable[_BrokenChain], clock: StoreClock,
    settings: CommitSettings,
) -> list[str]:  # fmt: skip
    """Returns the jobs of a root whose records are older than ``recordRetention`` and needed by no chain; never all of them."""
    records = [
        job
        for job, modified_ms in sorted(commits.records.items())
        if job not in commits.intents
        and job not in held
        and not any(chain.may_need(job) for chain in broken)
        and clock.is_old(modified_ms, settings.record_retention_us)
    ]
    if commits.records.keys() <= {*records, *commits.intents}:
        # Without any document the directory would not be known as a root, and each reader would search above and below it.
        # Records beside intents do not count: once the intent is deleted, another vacuum may delete the record. All vacuums
        # keep the newest record that they list, so the newest of all stays.
        records = [job for job in records if job != max(commits.records)]
    return records


def _old_temporary_files(
    store: Store, root: str, claim_files: Iterable[StoredFile], clock: StoreClock, older_than_us: int
) -> list[str]:
    """Returns the temporary files of processes that died, in ``_commits/`` and among the files of ``_claims/``."""
    return sorted(
        file.path
        for file in (*list_all(store, f"{root}{COMMITS}{_TEMPORARY_PREFIX}"), *claim_files)
        if _TEMPORARY.fullmatch(file.path.rpartition("/")[2]) and clock.is_old(file.modified_ms, older_than_us)
    )


def _read_chains(
    store: Store, root: str, files: Iterable[StoredFile], settings: CommitSettings
) -> tuple[list[_Chain], list[_BrokenChain]]:
    """Returns the chains of a root, and those whose newest claim is broken, by name, from the files of ``_claims/``."""
    claims = group_claims(root, files)
    chains = in_parallel(lambda item: _read_chain(store, root, *item), sorted(claims.items()), settings.threads)
    return (
        [chain for chain in chains if isinstance(chain, _Chain)],
        [chain for chain in chains if isinstance(chain, _BrokenChain)],
    )


def _read_chain(
    store: Store, root: str, name: str, claims: Mapping[Number, StoredFile]
) -> _Chain | _BrokenChain | None:
    *older, number = sorted(claims)
    newest = claims[number]
    try:
        check_chain(store, root, name)
        holder = read_holder(store, root, name, number)
    except CorruptFileError as error:
        _log.warning("cannot read a claim: %s", error)
        return _BrokenChain(name, newest.path, str(error))
    return None if holder is None else _Chain(name, number, newest, holder, tuple(claims[other] for other in older))


def _settle(
    store: Store,
    root: str,
    chains: Iterable[_Chain],
    held: Collection[str],
    commits: CommitListing,
    clock: StoreClock,
    dry_run: bool,
    settings: CommitSettings,
) -> set[str]:
    """Copies the decisions of old records that chains need into their newest claims; returns the jobs of these records."""
    claims: dict[str, list[_Chain]] = {}
    for chain in chains:
        modified_ms = commits.records.get(chain.holder)
        if modified_ms is None or chain.holder not in held or chain.holder in commits.intents:
            continue
        if clock.is_old(modified_ms, settings.record_retention_us):
            claims.setdefault(chain.holder, []).append(chain)

    def settle(job: str) -> bool:
        record = read_record(store, root, job)
        if record is None or not record.committed:
            return record is not None
        return all(settle_claim(store, root, chain.name, chain.number, job) for chain in claims[job])

    if dry_run:
        return set(claims)
    settled = in_parallel(settle, claims, settings.threads)
    return {job for job, is_settled in zip(claims, settled, strict=True) if is_settled}


def _has_ended(chain: _Chain, commits: CommitListing, clock: StoreClock, settings: CommitSettings) -> bool:
    """True if the last claim of a ``txnId``, and the decision on its job, are older than ``txnRetention``."""
    return (
        chain.name.startswith("txn-")
        and chain.holder not in commits.intents
        and clock.is_old(chain.newest.modified_ms, settings.txn_retention_us)
        and clock.is_old(commits.records.get(chain.holder, chain.newest.modified_ms), settings.txn_retention_us)
    )
