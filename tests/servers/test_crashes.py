"""The suite of crashes at each request, on S3 servers of other programs."""

from __future__ import annotations

from tests.protocol.test_commit_crashes import (
    test_a_driver_dies_at_each_request_to_s3,
    test_number_of_requests_of_a_commit,
)

__all__ = ["test_a_driver_dies_at_each_request_to_s3", "test_number_of_requests_of_a_commit"]
