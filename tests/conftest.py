"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.support.s3_server import s3, s3_server

__all__ = ["s3", "s3_server"]  # fixtures

# The first example of a property often imports Arrow: time is no property of the code under test. Under CI
# hypothesis has its own profile, which draws the same examples every time and has no deadline either.
settings.register_profile("house", deadline=None)
if not os.environ.get("CI"):
    settings.load_profile("house")
