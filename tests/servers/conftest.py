"""S3 servers of other programs instead of the server in this process. Some of them verify the signatures of requests."""

from __future__ import annotations

import contextlib
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import seaweedfs
from tests.support.s3_server import without_aws_configuration


@dataclass(frozen=True)
class Server:
    """A server.

    Attributes:
        program: file without which the server cannot be started.
        start: context manager that starts it with its data in a directory, and yields its URL.
        slow: True if only ``make test-all`` runs its tests.
        required: True if a missing program is an error.
        verifies_signatures: True if it refuses wrong keys.
        deviations: reasons by name of the tests that fail, because the server differs from AWS.
    """

    program: Path
    start: Callable[[Path], contextlib.AbstractContextManager[str]]
    slow: bool = True
    required: bool = False
    verifies_signatures: bool = True
    deviations: Mapping[str, str] = field(default_factory=dict)


_IDEMPOTENT = "a completion that is repeated succeeds as long as the object is there"
_PRETENDS_AWS = "deletions with conditions differ from those of AWS"

SERVERS = {
    "seaweedfs": Server(
        seaweedfs.PROGRAM,
        seaweedfs.seaweedfs,
        slow=False,
        # The package has the program for these platforms.
        required=sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64"),
        deviations={
            "test_listings_are_in_the_order_of_paths": "keys are listed in the order of each directory's names",
            "test_slashes_in_keys_are_part_of_them": "adjacent slashes in keys are one slash",
            "test_complete_twice": _IDEMPOTENT,
            "test_one_of_six_concurrent_completions_succeeds": _IDEMPOTENT,
            "test_wrong_parts_are_rejected": "a completion without parts reports that the upload does not exist",
            "test_deleting_a_version_on_aws_makes_one_request": _PRETENDS_AWS,
        },
    ),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "s3_server" in metafunc.fixturenames:
        given = [
            pytest.param(name, marks=[pytest.mark.slow] if server.slow else []) for name, server in SERVERS.items()
        ]
        metafunc.parametrize("s3_server", given, indirect=True, scope="session")


@pytest.fixture(autouse=True)
def deviation(request: pytest.FixtureRequest) -> None:
    """Expects the tests to fail in which the server differs from AWS, so that an unexpected success is reported."""
    name = request.node.callspec.params.get("s3_server") if hasattr(request.node, "callspec") else None
    reason = SERVERS[name].deviations.get(request.node.originalname) if name else None
    if reason is not None:
        request.applymarker(pytest.mark.xfail(reason=f"{name}: {reason}", strict=True))


@pytest.fixture(scope="session")
def s3_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that was started for this session."""
    server = SERVERS[request.param]
    if not server.required and not server.program.exists():
        pytest.skip(f"{request.param} has no package for this platform")
    with without_aws_configuration(), server.start(tmp_path_factory.mktemp(request.param)) as endpoint:
        yield endpoint
