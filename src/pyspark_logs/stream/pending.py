"""Listed files that no batch has taken yet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pyspark_logs.offsets import StreamFile

IsNew = Callable[[StreamFile], bool]


@dataclass(frozen=True)
class Backlog:
    """Files that were listed and are in no batch yet.

    Attributes:
        files: number of files.
        bytes: their stored size.
        oldest_ms: modification time of the oldest, milliseconds since the epoch; 0 if none waits.
        listed_ms: time of the listing that found them.
    """

    files: int = 0
    bytes: int = 0
    oldest_ms: int = 0
    listed_ms: int = 0

    @property
    def age_ms(self) -> int:
        """Age of the oldest file at the time of the listing; 0 if no file waits."""
        return max(0, self.listed_ms - self.oldest_ms) if self.files else 0


class PendingFiles:
    """Files of one listing in the order of their modification time, from which batches are taken one after another.

    A batch takes the oldest new files. A poll looks at the files that its limits allow and at the next file, whose modification
    time bounds the floor of the next offset. Each file is hashed a constant number of times, whatever the number of batches.

    Args:
        files: listed files, in any order.
        listed_ms: time at which the listing began, milliseconds since the epoch.
        limit: maximum number of files to keep; newer files are omitted. None to keep all.
    """

    def __init__(self, files: Iterable[StreamFile], listed_ms: int, limit: int | None = None) -> None:
        ordered = sorted(files, key=lambda file: (file.modified_ms, file.key))
        self.listed_ms = listed_ms
        # Earliest layout time of each suffix: _earliest[i] of the files from index i on, omitted files included.
        minima = list(itertools.accumulate(reversed([file.layout_start_us for file in ordered]), _earlier))
        self._earliest: list[int | None] = [*reversed(minima), None]
        # Stored size of each suffix, omitted files included.
        self._bytes = [*reversed([*itertools.accumulate((file.size for file in reversed(ordered)), initial=0)])]
        self._omitted = 0 if limit is None else max(0, len(ordered) - limit)
        self._files = ordered[:limit]
        # Modification time of the first file that is not kept; None if all are.
        self.omitted_ms = None if limit is None or len(ordered) <= limit else ordered[limit].modified_ms
        self._next = 0

    def __len__(self) -> int:
        return len(self._files) - self._next

    def skip_processed(self, is_new: IsNew) -> None:
        """Drops the files at the front that are not new any more."""
        while self._next < len(self._files) and not is_new(self._files[self._next]):
            self._next += 1

    def backlog(self, taken: Sequence[StreamFile]) -> Backlog:
        """Returns the files that wait after a batch.

        Args:
            taken: files of the batch, which are among the candidates.
        """
        keys = {(file.key, file.etag) for file in taken}
        waiting = itertools.islice(self._files, self._next, None)
        oldest = next((file for file in waiting if (file.key, file.etag) not in keys), None)
        count = len(self) + self._omitted - len(taken)
        size = self._bytes[self._next] - sum(file.size for file in taken)
        if count <= 0 or size < 0:
            return Backlog()
        oldest_ms = self.omitted_ms if oldest is None else oldest.modified_ms
        return Backlog(count, size, self.listed_ms if oldest_ms is None else oldest_ms, self.listed_ms)

    def candidates(
        self, is_new: IsNew, max_files: int | None, max_bytes: int | None
    ) -> tuple[Sequence[StreamFile], int | None]:
        """Returns the files from which a batch may be taken.

        Args:
            is_new: predicate that is true for files that no batch has processed.
            max_files: maximum number of files in the batch; None for no limit.
            max_bytes: maximum stored size of the batch; None for no limit.

        Returns:
            New files, oldest first, one more than the limits allow; and the earliest layout time of the files after them in
            microseconds since the epoch, None if these files have no layout time or do not exist.
        """
        self.skip_processed(is_new)
        found: list[StreamFile] = []
        size, index = 0, self._next
        while index < len(self._files):
            file = self._files[index]
            index += 1
            if not is_new(file):
                continue
            found.append(file)
            size += file.size
            is_full = (max_files is not None and len(found) > max_files) or (
                max_bytes is not None and len(found) > 1 and size > max_bytes
            )
            if is_full:
                break
        return found, self._earliest[index]


def _earlier(first_us: int | None, second_us: int | None) -> int | None:
    if first_us is None or second_us is None:
        return second_us if first_us is None else first_us
    return min(first_us, second_us)
