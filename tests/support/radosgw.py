"""The S3 server of Ceph, which verifies signatures: https://docs.ceph.com/en/latest/radosgw/s3/.

``scripts/install-s3-servers`` installs Debian's packages. The cluster has one monitor and one store in memory.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.support.s3_server import ACCESS_KEY, SECRET_KEY
from tests.support.server_process import free_ports, running, wait_until_ready

PROGRAM = Path(shutil.which("radosgw") or "/usr/bin/radosgw")
_COMMAND_S = 180  # on a busy machine, the creation of a user took more than a minute
_CONFIGURATION = """
[global]
fsid = {cluster}
mon host = [v1:127.0.0.1:{monitor}]
mon initial members = a
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon pg warn min per osd = 0
mon max pg per osd = 1000
ms bind ipv6 = false
ms_bind_msgr2 = false
run dir = {folder}
admin socket = {folder}/$name.asok
pid file = {folder}/$name.pid
log file = {folder}/$name.log
setuser match path =
[mon.a]
mon data = {folder}/mon
mon addr = 127.0.0.1:{monitor}
[osd.0]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd memory target = 939524096
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw data = {folder}/rgw
rgw enable usage log = false
rgw override bucket index max shards = 1
rgw gc obj min wait = 3600
"""


@contextlib.contextmanager
def radosgw(folder: Path) -> Iterator[str]:
    """Starts a cluster with its data in a directory and the server; yields its URL."""
    monitor, port = free_ports(2)
    cluster, config = str(uuid.uuid4()), folder / "ceph.conf"
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    config.write_text(_CONFIGURATION.format(cluster=cluster, monitor=monitor, port=port, folder=folder))

    def run(*command: str) -> None:
        subprocess.run([*command, "-c", str(config)], check=True, capture_output=True, timeout=_COMMAND_S, cwd=folder)

    monitors = str(folder / "monmap")
    run("monmaptool", "--create", "--clobber", "--fsid", cluster, "--addv", "a", f"[v1:127.0.0.1:{monitor}]", monitors)
    run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monitors)
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(["ceph-mon", "-i", "a", "-c", str(config), "-f"], folder))
        disk = str(uuid.uuid4())
        run("ceph", "osd", "new", disk)
        run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        stack.enter_context(running(["ceph-osd", "-i", "0", "-c", str(config), "-f"], folder))
        server = stack.enter_context(running([str(PROGRAM), "-n", "client.rgw", "-c", str(config), "-f"], folder))
        keys = ["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]
        run("radosgw-admin", "user", "create", "--uid=tests", "--display-name=tests", *keys)
        endpoint = f"http://127.0.0.1:{port}"
        wait_until_ready(endpoint, server, config)
        yield endpoint
