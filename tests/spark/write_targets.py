"""Directories that the jobs of tests write to, on local disk or S3, and their contents afterwards."""

from __future__ import annotations

import gzip
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark_logs.api.maintenance import vacuum
from pyspark_logs.jobs.snapshots import list_all
from pyspark_logs.layout.names import is_hidden_key
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import open_store
from tests.support.s3_server import S3Bucket


@dataclass(frozen=True)
class WriteTarget:
    """A directory that jobs write to.

    Attributes:
        url: URL of the directory, without a slash at its end.
        store_options: options of the store for this process.
        options: options of the store for a job of Spark, which may go through a proxy.
    """

    url: str
    store_options: StoreOptions
    options: dict[str, str]

    @classmethod
    def local(cls, folder: Path) -> WriteTarget:
        return cls(str(folder), StoreOptions(), {})

    @classmethod
    def on_s3(cls, s3: S3Bucket, endpoint: str | None = None) -> WriteTarget:
        """A directory in a bucket. Jobs reach it by ``endpoint``, this process directly."""
        options = {
            "endpoint": endpoint or s3.endpoint,
            "region": "us-east-1",
            "accessKey": "testing",
            "secretKey": "test-secret",
        }
        return cls(f"{s3.url}/app", s3.options, options)

    @property
    def direct_options(self) -> dict[str, str]:
        """Options of the store for a job that does not go through a proxy."""
        return {**self.options, "endpoint": self.store_options.endpoint} if self.store_options.endpoint else {}

    def files(self) -> dict[str, bytes]:
        """Returns contents by key of all data files, committed or not. Keys are relative to the directory."""
        return {key: self.store().get(f"{self.url}/{key}") for key in self.listing() if not is_hidden_key(key)}

    def listing(self) -> list[str]:
        return sorted(file.path.removeprefix(f"{self.url}/") for file in list_all(self.store(), f"{self.url}/"))

    def unfinished(self) -> list[str]:
        """Returns intents, staged files and open uploads. After all jobs are decided there are none."""
        left = [key for key in self.listing() if key.startswith("_staging/") or key.endswith("~intent.json")]
        page = self.store().list_uploads(f"{self.url}/")
        assert page.next_token is None
        return left + [f"upload of {upload.path}" for upload in page.uploads]

    def left_by_tasks(self) -> list[str]:
        """Returns what is unfinished after vacuum: nothing, when the tasks have ended that Spark abandoned without waiting."""
        end = time.monotonic() + 15
        while time.monotonic() < end:
            vacuum(self.url, "0s", **self.direct_options)
            if not self.unfinished():
                break
            time.sleep(0.2)
        return self.unfinished()

    def lines(self) -> list[str]:
        """Returns the lines of all gzipped files, sorted."""
        return sorted(line for data in self.files().values() for line in gzip.decompress(data).decode().splitlines())

    def store(self) -> Any:
        return open_store(self.url, self.store_options)
