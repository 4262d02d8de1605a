"""Fixtures and settings of all tests."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.support.s3_server import s3, s3_server

__all__ = ["s3", "s3_server"]  # fixtures

# No deadline, because the first example of a property often imports Arrow. With CI set, hypothesis uses its own profile,
# which draws the same examples in every run and has no deadline either.
settings.register_profile("local", deadline=None)
if not os.environ.get("CI"):
    settings.load_profile("local")
