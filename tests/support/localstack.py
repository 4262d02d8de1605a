"""LocalStack, an S3 server that follows AWS in its errors: https://github.com/localstack/localstack.

Its packages conflict with those of the tests; ``scripts/install-s3-servers`` installs them into an environment of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.support.server_process import free_ports, running

PROGRAM = Path(".venv-localstack/bin/python").absolute()


@contextlib.contextmanager
def localstack(folder: Path) -> Iterator[str]:
    """Starts the server with its data in a directory; yields its URL."""
    (port,) = free_ports(1)
    environment = {
        "RUNTIME_COMPONENTS": "aws", "SERVICES": "s3", "EAGER_SERVICE_LOADING": "1",
        "GATEWAY_LISTEN": f"127.0.0.1:{port}", "DNS_ADDRESS": "0", "OVERRIDE_IN_DOCKER": "0",
        "LOCALSTACK_VOLUME_DIR": str(folder), "FILESYSTEM_ROOT": str(folder),
        # No requests to other machines.
        "DISABLE_EVENTS": "1", "SKIP_SSL_CERT_DOWNLOAD": "1", "SKIP_INFRA_DOWNLOADS": "1",
        "LOCALSTACK_API_KEY": "", "LOCALSTACK_AUTH_TOKEN": "", "ACTIVATE_PRO": "0",
    }  # fmt: skip
    endpoint = f"http://127.0.0.1:{port}"
    with running([str(PROGRAM), "-m", "localstack.runtime.main"], folder, endpoint, environment):
        yield endpoint
