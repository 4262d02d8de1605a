"""Where tests write to, as users reach it, and what lies there afterwards."""

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
class Place:
    """A directory that is written to.

    Attributes:
        url: of the directory, without a slash at its end.
        store_options: how this process reaches it.
        options: how a job of Spark reaches it.
    """

    url: str
    store_options: StoreOptions
    options: dict[str, str]

    @classmethod
    def local(cls, folder: Path) -> Place:
        return cls(str(folder), StoreOptions(), {})

    @classmethod
    def on_s3(cls, s3: S3Bucket, endpoint: str | None = None) -> Place:
        """In a bucket; jobs get there by ``endpoint``, this process directly."""
        options = {
            "endpoint": endpoint or s3.endpoint,
            "region": "us-east-1",
            "accessKey": "testing",
            "secretKey": "test-secret",
        }
        return cls(f"{s3.url}/app", s3.options, options)

    @property
    def own_options(self) -> dict[str, str]:
        """How a job reaches it directly."""
        return {**self.options, "endpoint": self.store_options.endpoint} if self.store_options.endpoint else {}

    def files(self) -> dict[str, bytes]:
        """What any other program finds: data by key, relative to the directory; whether committed or not."""
        return {key: self.store().get(f"{self.url}/{key}") for key in self.listing() if not is_hidden_key(key)}

    def listing(self) -> list[str]:
        return sorted(file.path.removeprefix(f"{self.url}/") for file in list_all(self.store(), f"{self.url}/"))

    def unfinished(self) -> list[str]:
        """Intents, staged files and open uploads; nothing of it is left once all is done."""
        left = [key for key in self.listing() if key.startswith("_staging/") or key.endswith("~intent.json")]
        page = self.store().open_uploads(f"{self.url}/")
        assert page.next_token is None
        return left + [f"upload of {upload.path}" for upload in page.uploads]

    def left_by_tasks(self) -> list[str]:
        """What is unfinished after vacuum: nothing, once the tasks have ended that Spark had given up and not waited for."""
        end = time.monotonic() + 15
        while time.monotonic() < end:
            vacuum(self.url, "0s", **self.own_options)
            if not self.unfinished():
                break
            time.sleep(0.2)
        return self.unfinished()

    def lines(self) -> list[str]:
        """The lines of all gzipped files, sorted."""
        return sorted(line for data in self.files().values() for line in gzip.decompress(data).decode().splitlines())

    def store(self) -> Any:
        return open_store(self.url, self.store_options)
