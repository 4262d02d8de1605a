"""Faulty variants of the protocol, which the explorer must find: each function patches one fault into the package."""

from __future__ import annotations

from dataclasses import replace

from pyspark_logs.commit import claims, decisions, driver, expiry, leftovers, publication, recovery
from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.errors import CommitConflictError
from pyspark_logs.jobs import Record, intent_key, record_key, roots, snapshots, visibility
from pyspark_logs.jobs.visibility import CommitsBefore, split_listing
from pyspark_logs.planning import commit_roots
from pyspark_logs.planning.commit_roots import LoadPathRoots
from pyspark_logs.split_reader import SplitReader
from pyspark_logs.stream import missing_files
from tests.protocol.actors import writer


def files_before_uploads(patch):
    def undo(store, root, job, settings):
        if (intent := decisions.read_intent(store, root, job)) is None:
            return ()
        decisions.remove_files(store, [root + file.key for file in intent.files])
        decisions.abort_uploads(store, root, intent.files, settings)
        store.remove(root + intent_key(job))
        return intent.files

    for module in (decisions, recovery, claims):
        patch.setattr(module, "undo", undo)


def intent_before_files(patch):
    def undo(store, root, job, settings):
        if (intent := decisions.read_intent(store, root, job)) is None:
            return ()
        store.remove(root + intent_key(job))
        decisions.abort_uploads(store, root, intent.files, settings)
        decisions.remove_files(store, [root + file.key for file in intent.files])
        return intent.files

    for module in (decisions, recovery, claims):
        patch.setattr(module, "undo", undo)


def intent_before_replaced_files(patch):
    clean = driver._clean

    def intent_first(store, job, *arguments):
        store.remove(job.root + intent_key(job.id))
        clean(store, job, *arguments)

    patch.setattr(driver, "_clean", intent_first)


def no_second_list_of_the_chain(patch):
    patch.setattr(
        claims, "_confirm", lambda store, job, chain, number, proven, before: claims.ClaimResult("", proven, ())
    )


def chains_that_begin_anew_not_noticed(patch):
    confirm = claims._confirm
    patch.setattr(claims, "_confirm", lambda *arguments: confirm(*arguments[:-1], None))


def no_fence(patch):
    read = claims.read_record
    patch.setattr(claims, "_fence", lambda *arguments: None)
    patch.setattr(claims, "read_record", lambda store, root, job: read(store, root, job) or Record("aborted"))


def claims_that_overwrite(patch):
    class Overwriting:
        def __init__(self, store):
            self.store = store

        def __getattr__(self, name):
            return getattr(self.store, name)

        def create(self, path, data):
            if path.rpartition("/")[0].endswith("query-q"):
                self.store.put(path, data)
                return True
            return self.store.create(path, data)

    claim = claims.claim
    patch.setattr(driver, "claim", lambda store, *arguments: claim(Overwriting(store), *arguments))


def transactions_not_recognised(patch):
    patch.setattr(claims, "_same_transaction", lambda *arguments: False)


def records_that_overwrite(patch):
    patch.setattr(
        driver, "commit_record", lambda store, root, job, record: store.put(root + record_key(job), record.to_json())
    )


def refused_records_taken_for_a_loss(patch):
    def commit_record(store, root, job, record):
        if not store.create(root + record_key(job), record.to_json()):
            raise CommitConflictError("lost", job)

    patch.setattr(driver, "commit_record", commit_record)


def late_records_taken_for_failures(patch):
    """A record that could not be read after its request failed is taken for one that will never be there."""

    def settle(error, store, root, job):
        found = decisions.read_record(store, root, job)
        if found is None:
            raise error
        return found

    patch.setattr(decisions, "_settle_failed_commit", settle)


def intent_not_checked_after_the_decision(patch):
    confirm = driver._confirm
    patch.setattr(driver, "_confirm", lambda *arguments: replace(confirm(*arguments), intent=True))


def rollback_by_an_intent_read_before_the_decision(patch):
    settle, read = recovery._settle, decisions.read_intent

    def settle_early(store, root, job, settings):
        early = read(store, root, job)
        patch.setattr(decisions, "read_intent", lambda *arguments: early)
        try:
            return settle(store, root, job, settings)
        finally:
            patch.setattr(decisions, "read_intent", read)

    patch.setattr(recovery, "_settle", settle_early)


def rollback_without_a_decision(patch):
    for module in (decisions, recovery):
        patch.setattr(module, "decide_aborted", lambda *arguments: Record("aborted"))


def lost_uploads_taken_for_published(patch):
    patch.setattr(publication, "is_published", lambda *arguments: True)


def replaced_files_deleted_in_any_version(patch):
    def remove(store, root, job, replaced, settings):
        for file in replaced:
            store.remove(root + file.key)

    patch.setattr(driver, "remove_replaced", remove)


def replaced_files_listed_before_the_claim(patch):
    files = {actor.job.id: actor.files for actor in (writer(1, "overwrite"), writer(2, "overwrite"))}
    claim, early = claims.claim, {}

    def list_first(store, job, chain, settings):
        early[job.id] = publication.find_replaced(store, job, files[job.id], settings, publication.Table())
        return claim(store, job, chain, settings)

    patch.setattr(driver, "claim", list_first)
    patch.setattr(driver, "find_replaced", lambda store, job, *arguments: early[job.id])


def roots_above_overwrites_ignored(patch):
    patch.setattr(publication, "_check_no_root_above", lambda *arguments: None)


def late_records_trusted(patch):
    def is_visible(before, after, job):
        if job in before.listing.intents:
            return (job in before.decided and before.decided[job].committed) or job in after.listing.records
        return job in before.listing.records or not after.listing.knows(job)

    patch.setattr(visibility, "is_visible", is_visible)


def commits_after_the_listing_ignored(patch):
    def is_visible(before, after, job):
        return before.decided[job].committed if job in before.decided else job not in before.listing.intents

    patch.setattr(visibility, "is_visible", is_visible)


def no_restart_after_an_overwrite(patch):
    patch.setattr(snapshots, "new_overwrites", lambda before, after: [])


def one_pass_over_unordered_listings(patch):
    def read_commits(store, root, *, intents_first=False):
        return split_listing(root, snapshots.list_all(store, root + "_commits/"))

    patch.setattr(snapshots, "read_commits", read_commits)


def claimed_records_dropped(patch):
    patch.setattr(leftovers, "_read_chains", lambda *arguments: ([], []))


def retention_of_each_writer(patch):
    patch.setattr(CommitSettings, "at_root", lambda self, retention_us: self)


def last_record_of_an_idle_chain_dropped(patch):
    patch.setattr(expiry, "read_newest_holder", lambda *arguments: "another")


def records_dropped_without_a_note(patch):
    """A record is dropped although its claim does not tell of the decision."""
    patch.setattr(claims, "settle_claim", lambda *arguments: True)


def claims_not_read_again(patch):
    """A claim whose record was dropped after the claim was read is taken for that of an aborted job."""

    def read_decision(store, root, chain, number, holder):
        record = decisions.read_record(store, root, holder)
        if record is None and store.head(root + intent_key(holder)) is not None:
            return None
        record = record or decisions.read_record(store, root, holder)
        return record is not None and record.committed

    patch.setattr(claims, "_read_decision", read_decision)


def last_record_dropped(patch):
    """Vacuum drops the newest record, too, as if there were a newer one."""
    read = leftovers.read_commits

    def read_with_newer_record(store, root):
        listing = read(store, root)
        return replace(listing, records={**listing.records, "~": 0})

    patch.setattr(leftovers, "read_commits", read_with_newer_record)


def newest_record_dropped_beside_an_intent(patch):
    """Vacuum counts a record with an intent among the records that stay."""
    read = leftovers.read_commits

    def read_with_intents_as_records(store, root):
        listing = read(store, root)
        return replace(listing, records={**listing.records, **({"~": 0} if listing.intents else {})})

    patch.setattr(leftovers, "read_commits", read_with_intents_as_records)


def revealed_roots_read_after_the_listing(patch):
    """Uses the commits of a root that a listing revealed without listing the data again."""
    extend = LoadPathRoots.extend

    def read_late(self, listing, files, before, after):
        if extend(self, listing, files, before, after):
            for root in self.paths - before.keys():
                before[root] = snapshots.read_commits_before(self._store, root) or CommitsBefore()
                after[root] = snapshots.read_commits_after(self._store, root, before[root])
            files.clear()
            files.update(self.group(listing))
        return False

    patch.setattr(LoadPathRoots, "extend", read_late)


def only_the_innermost_root_decides(patch):
    group = LoadPathRoots.group

    def group_by_innermost(self, listing):
        groups = {}
        for found, files in group(self, listing).items():
            groups.setdefault(found[:1], []).extend(files)
        return groups

    patch.setattr(LoadPathRoots, "group", group_by_innermost)


def no_search_above_load_paths(patch):
    patch.setattr(commit_roots, "find_commit_root", lambda store, path: None)


def no_search_below_load_paths(patch):
    patch.setattr(commit_roots, "find_roots_below", lambda *arguments: set())


def one_pass_in_the_search_for_roots(patch):
    patch.setattr(
        roots,
        "holds_commits",
        lambda store, directory: bool(store.list_page(directory + "_commits/", recursive=True).files),
    )


def one_search_above_each_load_path(patch):
    search = LoadPathRoots._search_above

    def search_once(self, directories):
        searched = self.__dict__.setdefault("searched", set())
        new = [directory for directory in directories if directory not in searched]
        searched.update(new)
        return bool(new) and search(self, new)

    patch.setattr(LoadPathRoots, "_search_above", search_once)


def load_paths_that_become_roots_ignored(patch):
    extend = LoadPathRoots.extend
    patch.setattr(
        LoadPathRoots,
        "extend",
        lambda self, listing, *rest: extend(
            self, replace(listing, nested_roots=listing.nested_roots - self._root_of.keys()), *rest
        ),
    )


def nested_roots_ignored(patch):
    # Otherwise the search below load paths finds the roots that hold files of jobs.
    no_search_below_load_paths(patch)
    extend = LoadPathRoots.extend
    patch.setattr(
        LoadPathRoots,
        "extend",
        lambda self, listing, *rest: extend(self, replace(listing, nested_roots=set()), *rest),
    )


def restart_after_an_overwrite_of_the_first_root_only(patch):
    """Only the commits of the first root are compared with the commits read after the listing."""
    read_all = snapshots._read_all_after

    def read_first(store, before, threads):
        after = read_all(store, before, threads)
        return {
            root: commits if root == min(after) else replace(commits, overwritten=False)
            for root, commits in after.items()
        }

    patch.setattr(snapshots, "_read_all_after", read_first)


def foreign_intents_believed(patch):
    patch.setattr(decisions, "check_intent", lambda *arguments: None)


def foreign_records_believed(patch):
    patch.setattr(snapshots, "check_record", lambda *arguments: None)


def each_task_decides_which_files_are_missing(patch):
    decide = missing_files.skip_missing_files

    def decide_at_each_start(store, tasks, threads):
        for number in range(len(tasks)):
            yield decide(store, tasks, threads)[number]

    patch.setattr(missing_files, "skip_missing_files", decide_at_each_start)


def files_of_jobs_skipped_after_the_decision(patch):
    patch.setattr(SplitReader, "_may_skip", lambda *arguments: True)


def files_of_jobs_skipped_one_by_one(patch):
    patch.setattr(missing_files, "job_of", lambda path: path)
