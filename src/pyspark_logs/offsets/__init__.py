"""Offsets of a stream: a position, a window before it, and the files of the batch that ends there.

All functions are pure and work on plain data.

**Guarantee: a file is read exactly once if it becomes visible within ``lateness`` of its modification time**, whatever the
order in which files appear, the limits of batches, and the restarts of the query. A file that becomes visible later may not
be read.

A time alone cannot guarantee this. The modification time of a large object on S3 is the time at which its upload *began*,
possibly hours before the object is visible; many files share a second; clocks run ahead. An :class:`Offset` therefore holds:

- ``ts_ms``: the newest modification time processed, never later than the poll that set it.
- ``floor_ms``: lower bound of the modification times that are still read. It follows ``ts_ms`` at the distance of the
  window, does not pass the oldest file that a poll listed and did not take, and never decreases.
- ``from_us``: the earliest layout time of the files that a poll listed and did not take; the next poll lists them again.
- ``seen``: the files processed with a modification time at or above the floor, as a second and a hash each. A listed file
  at or above the floor that is not in ``seen`` is new, wherever in the window its time is.
- ``batch``: the files of this batch with their versions. Planning the batch lists nothing, so a replay reads the same files.
- ``full_listing``: time and duration of the last listing of all prefixes whose files the offset accounts for. A query that
  starts within ``fullListingInterval`` of that time lists only the prefixes that can still receive files.

*The window.* A file that is not visible when a poll lists at ``now`` has a modification time after ``now - lateness``.
Because ``ts_ms <= now``, that time is above ``ts_ms - lateness``, and no floor has passed it. If polls list only prefixes
that can receive new files, and all prefixes once per interval, a file under an old layout time is found up to one interval
later; the window is wider by that interval. The offset carries the time of the last full listing, so that a restart need not
list all prefixes again: the listing that an offset does not carry counts for no query that starts from it.

*Clocks that run ahead.* A file dated tomorrow is read today and is kept in ``seen`` under tomorrow's second. ``ts_ms`` does
not follow it beyond the time of the poll, so the floor stays below the times that correct clocks will still assign. If the
clock of this process is slow, ``ts_ms`` is smaller and the window wider. If it is fast, nothing changes: ``ts_ms``
follows the files, and the time of the poll is only its upper bound; except that a poll that would exceed ``max_seen``
assumes that its clock is at most 15 minutes ahead.

*Bounded offsets.* ``seen`` holds at most ``max_seen`` files, about 1 MB. A time is *closed* once no file can become visible
with it: the window before a lower bound of the store's clock. That bound is ``ts_ms``, and for a poll that would exceed
``max_seen`` also the time of the poll, less a possible error of its clock. Files are taken in the order of (time, key), so
that a floor of a time and a key describes all closed files that were taken, without an entry for each. Files whose time is
not closed and for which ``seen`` has no space wait until it is closed: the oldest files in the window, or of a bulk copy,
are read at once, and the others after twice ``lateness``, the time between full listings, and the error of the clock. Twice,
because an entry also excludes versions up to ``lateness`` later. Each file is still read exactly once.

*Overwritten files.* A file is identified by its key, or by key and etag. Another version of a processed file is ignored if
its modification time is within ``lateness`` of the processed one, and is a new file if it is later. ``seen`` therefore keeps
an entry until all versions that the entry excludes are below the floor: ``lateness`` longer than the file itself needs. If
the entry expired with the file, an ignored version would be read once the floor lies between the two times.

``lateness`` and the limits belong to the poll, not to the offset: a query may continue with other values. The window is
wider or narrower from then on; the floor does not decrease.

Import direction: ``position`` -> ``encoding`` -> ``files``.
"""

from __future__ import annotations

from pyspark_logs.offsets.files import BatchPlan, FullListing, StreamFile, identity_hash
from pyspark_logs.offsets.position import (
    CLOCK_ERROR_MS,
    MAX_SEEN,
    Offset,
    PollRules,
    is_changed,
    is_new,
    lowest_layout_us,
    poll,
)

__all__ = [
    "CLOCK_ERROR_MS",
    "MAX_SEEN",
    "BatchPlan",
    "FullListing",
    "Offset",
    "PollRules",
    "StreamFile",
    "identity_hash",
    "is_changed",
    "is_new",
    "lowest_layout_us",
    "poll",
]
