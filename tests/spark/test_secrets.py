"""Secrets in options: in no plan, log, error, event log, checkpoint, object or page of the user interface of Spark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("pyspark")

from tests.spark.programs import run
from tests.spark.write_targets import WriteTarget
from tests.support.s3_server import S3Bucket
from tests.support.server_process import free_ports
from tests.support.trials import tries

SECRET = "sEcReT"
KEYS = {"accessKey": "AKIA0", "secretKey": f"{SECRET}-key", "sessionToken": f"{SECRET}-session"}

# Connect shows requests as text: https://spark.apache.org/docs/latest/configuration.html. SECURITY.md recommends this setting.
SETTINGS = {
    "local[2]": {},
    "connect": {
        "spark.sql.redaction.string.regex": (
            r"(?i)(secretKey|sessionToken|accessKey|storageOptions|proxy|externalId)(\"\s+value:|\\?'?\s)\s*(\"[^\n]*\"|\\?'[^']*')"
        )
    },
}


def exposing(folder: Path) -> list[str]:
    """Returns the files below a directory in which there is a secret, each with the text around it."""
    found = []
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        at = data.find(SECRET.encode())
        if at >= 0:
            found.append(f"{path.relative_to(folder)}: {data[max(0, at - 200) : at + 60]!r}")
    return found


@tries(
    "secrets in options of Spark", "in no plan, log, error, event log, checkpoint, object or page of the user interface"
)
@pytest.mark.parametrize("master", ["local[2]", pytest.param("connect", marks=pytest.mark.slow)])
def test_spark_shows_no_secret(s3: S3Bucket, tmp_path: Path, master: str) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    target = WriteTarget.on_s3(s3)
    address = s3.endpoint.removeprefix("http://")
    options = {**target.options, "template": "{n:long} {message}", **KEYS}
    wrong = [
        {"template": "{n:long}x{message}", "mode": "FAILFAST"},
        {"endpoint": "http://127.0.0.1:9", "proxy": f"http://user:{SECRET}-proxy@127.0.0.1:9", "maxRetries": "0"},
        {"storageOptions": json.dumps({"client_kwargs": {"sas": f"{SECRET}-storage"}})},
        {
            "roleArn": "arn:aws:iam::123456789012:role/reader",
            "externalId": f"{SECRET}-external",
            "stsEndpoint": f"http://{address}",
        },
    ]
    (port,) = free_ports(1)
    told = run(
        "secrets_program.py", tmp_path, master=master, kept=str(folder), port=port, url=target.url, options=options,
        wrong=wrong, checkpoint=str(folder / "checkpoint"), modes=["extended", "formatted"], settings=SETTINGS[master],
    )  # fmt: skip
    assert told["plans"] > 5
    assert exposing(tmp_path) == []
    store = target.store()
    assert [key for key in target.listing() if SECRET.encode() in store.get(f"{target.url}/{key}")] == []
