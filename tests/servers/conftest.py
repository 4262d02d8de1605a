"""S3 servers of other programs instead of the server in this process. Some of them verify the signatures of requests."""

from __future__ import annotations

import contextlib
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import localstack, radosgw, seaweedfs
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
        races: reasons by name of the tests that fail sometimes.
    """

    program: Path
    start: Callable[[Path], contextlib.AbstractContextManager[str]]
    slow: bool = True
    required: bool = False
    verifies_signatures: bool = True
    deviations: Mapping[str, str] = field(default_factory=dict)
    races: Mapping[str, str] = field(default_factory=dict)


_IDEMPOTENT = "a completion that is repeated succeeds as long as the object is there"
_TWO_TIMES = "times have milliseconds in listings, and seconds in the response to HEAD"
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
            "test_wrong_parts_are_rejected": "a completion without parts reports that the upload does not exist",
            "test_deleting_a_version_on_aws_makes_one_request": _PRETENDS_AWS,
        },
        races={"test_one_of_six_concurrent_completions_succeeds": _IDEMPOTENT},
    ),
    "radosgw": Server(
        radosgw.PROGRAM,
        radosgw.radosgw,
        deviations={
            "test_listing_and_head_describe_a_file_alike": _TWO_TIMES,
            "test_listed_paths_keep_their_scheme": _TWO_TIMES,
            "test_only_head_on_s3_returns_the_token": _TWO_TIMES,
            "test_replace_of_one_version": "the condition of a write to a version is ignored",
            "test_complete_twice": _IDEMPOTENT,
            "test_complete_after_abort": "a completion after an abort is an internal error",
            "test_deleting_a_version_on_aws_makes_one_request": _PRETENDS_AWS,
        },
        races={"test_one_of_six_concurrent_completions_succeeds": _IDEMPOTENT},
    ),
    "localstack": Server(
        localstack.PROGRAM,
        localstack.localstack,
        verifies_signatures=False,
        deviations={"test_deleting_a_version_on_aws_makes_one_request": _PRETENDS_AWS},
        races={
            "test_concurrent_readers_see_complete_files": "a body ends early if its object is deleted meanwhile",
            "test_one_of_six_concurrent_completions_succeeds": "several concurrent completions of an upload can succeed",
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
    if "s3_server" not in getattr(request.node, "callspec", SimpleNamespace(params=())).params:
        return
    name, test = request.node.callspec.params["s3_server"], request.node.originalname
    for reasons, strict in ((SERVERS[name].deviations, True), (SERVERS[name].races, False)):
        if test in reasons:
            request.applymarker(pytest.mark.xfail(reason=f"{name}: {reasons[test]}", strict=strict))


@pytest.fixture(scope="session")
def s3_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that was started for this session."""
    server = SERVERS[request.param]
    if not server.required and not server.program.exists():
        pytest.skip(f"{request.param} is not installed; see scripts/install-s3-servers")
    with without_aws_configuration(), server.start(tmp_path_factory.mktemp(request.param)) as endpoint:
        yield endpoint
