"""Where a stream is: a position, a window before it, and the batch that leads there. Pure functions of plain data.

**The promise: a file is read exactly once if it becomes visible within ``lateness`` of its modification time**,
whatever the order in which files appear, the limits of batches and the restarts of the query. One that becomes
visible later may not be read.

A time alone cannot promise that. A large object on S3 bears the time at which its upload *began*, hours before anybody
sees it; many files share a second; clocks run ahead. So an :class:`Offset` says:

- ``ts_ms``: the newest modification time that was processed. Never later than the poll that set it.
- ``floor_ms``: nothing older is read any more. It follows ``ts_ms`` at the distance of the window, but does not pass the
  oldest file that a poll listed and left. It never goes back.
- ``from_us``: the earliest layout time of the files that the poll listed and left, so that the next one lists them again.
- ``seen``: what was processed above the floor: a second and a hash for each file. Whatever is listed above the floor
  and is not in it is new, wherever in the window its time is.
- ``batch``: the files of this batch, with their versions. Planning it lists nothing, so a replay reads the same files.

*Why a window.* A file that is not visible yet when a poll lists at ``now`` will have a modification time after ``now -
lateness``. As ``ts_ms <= now``, it is above ``ts_ms - lateness``: no floor has passed it. Where polls list only what
can be fresh, and everything once in an interval, a file under an old layout time waits that much longer to be found, and
the window is wider by that interval.

*Why clocks that run ahead do no harm.* A file dated tomorrow is read today, and remembered by its second, which
is tomorrow's. The position does not follow it, but stops at the time of the poll: the floor stays below what honest
clocks will still date. A clock of this process that runs behind holds the position back, and the window is wider.
One that runs ahead changes nothing, since the position follows files, and the time of the poll is only its limit.

*Overwritten files.* A file is known by its key, or by key and etag. A version of a file that was processed is ignored if its
time is within ``lateness`` of that one's, and is a new file if it is later. For that ``seen`` keeps an entry until every
version it stands against is below the floor, which is ``lateness`` longer than the file itself would need. (If it were
dropped with the file, each version that was ignored would be read when the floor comes between the two.)

``lateness`` and the limits belong to the polls, not to the offset: a query may go on with others. The window is
then wider or narrower from there on; the floor does not go back.

Inside, imports run one way: ``position`` -> ``text`` -> ``marks``.
"""

from __future__ import annotations

from pyspark_logs.offsets.files import BatchPlan, StreamFile
from pyspark_logs.offsets.position import Offset, PollRules, is_seen, lowest_layout_us, poll

__all__ = ["BatchPlan", "Offset", "PollRules", "StreamFile", "is_seen", "lowest_layout_us", "poll"]
