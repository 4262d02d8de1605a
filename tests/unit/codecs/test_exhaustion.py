"""A machine without memory is no damaged file: with ignoreCorruptFiles, its rows would be lost without an error."""

from __future__ import annotations

import errno
import gzip
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.codecs import archives, decompressors
from tests.support.trials import tries

TEXT = b"".join(b"%d text\n" % n for n in range(100))
NO_MEMORY = OSError(errno.ENOMEM, "Cannot allocate memory")


def raising(error: Exception) -> Any:
    """Returns a function of any arguments that raises an error."""

    def fail(*args: Any, **keywords: Any) -> Any:
        raise error

    return fail


def a_gzip_file(folder: Path, patch: pytest.MonkeyPatch, error: Exception) -> None:
    (folder / "app.gz").write_bytes(gzip.compress(TEXT))
    broken = SimpleNamespace(decompress=raising(error), unconsumed_tail=b"", eof=False, unused_data=b"")
    library = SimpleNamespace(decompressobj=lambda wbits: broken, error=zlib.error)
    patch.setattr(decompressors, "zlib_library", lambda: library)


def a_zstd_file(folder: Path, patch: pytest.MonkeyPatch, error: Exception) -> None:
    with pa.CompressedOutputStream(str(folder / "app.zst"), "zstd") as file:
        file.write(TEXT)

    class Stream:
        def __init__(self, source: Any, name: str) -> None:
            self.read = raising(error)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *raised: object) -> None: ...

    patch.setattr(decompressors, "pa", SimpleNamespace(**{**vars(pa), "CompressedInputStream": Stream}))


def a_zip_file(folder: Path, patch: pytest.MonkeyPatch, error: Exception) -> None:
    with zipfile.ZipFile(folder / "app.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("app.log", TEXT)
    patch.setattr(archives.zipfile.ZipExtFile, "read", raising(error))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (a_gzip_file, MemoryError()),
        (a_gzip_file, zlib.error("Error -4 while decompressing data")),
        (a_zstd_file, pa.ArrowMemoryError("malloc of size 64 failed")),
        (a_zstd_file, OSError("ZSTD decompress failed: Allocation error : not enough memory")),
        (a_zstd_file, OSError("LZ4 init failed: ERROR_allocation_failed")),
        (a_zip_file, zlib.error("Error -4 while decompressing data")),
        (a_zip_file, NO_MEMORY),
    ],
)
@tries(
    "a decompressor that has no memory, with `ignoreCorruptFiles`", "an error; the file is not taken for a damaged one"
)
def test_no_memory_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, error: Exception) -> None:
    make(tmp_path, monkeypatch, error)
    with pytest.raises((MemoryError, OSError)) as raised:
        pyspark_logs.scan(tmp_path, template="{n:long} {message}", ignoreCorruptFiles=True).read_all()
    assert isinstance(raised.value, MemoryError) or raised.value is NO_MEMORY
