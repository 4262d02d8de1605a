"""Checks of local paths in documents: a path must be below a root, and not below a symbolic link within the root.

The root itself may be a symbolic link, and so may the directories above it.
"""

from __future__ import annotations

import os

STAGING = "_staging"


def is_inside(root: str, path: str) -> bool:
    """True if a path is below a root, is normalised, and no directory between the two is a symbolic link.

    The last name may be a link, because deleting or replacing a link does not affect its target.

    Args:
        root: local directory, with or without a trailing slash.
        path: local path of a file.
    """
    directory = root.rstrip("/")
    if not path.startswith(f"{directory}/") or "\0" in path:
        return False
    names = path[len(directory) + 1 :].split("/")
    if not {"", ".", ".."}.isdisjoint(names):
        return False
    for name in names[:-1]:
        directory = f"{directory}/{name}"
        if os.path.islink(directory):  # noqa: PTH114 - a Path costs more than the lookup
            return False
    return True


def is_staged_file(root: str, path: str, upload_id: str) -> bool:
    """True if an upload id is ``<root>/_staging/<job>/<random>/<key>`` for ``<root>/<key>``, without symbolic links.

    Args:
        root: local directory, with or without a trailing slash.
        path: local path of the published file.
        upload_id: id of the upload, which is the path of the staged file.
    """
    directory = root.rstrip("/")
    names = upload_id.removeprefix(f"{directory}/{STAGING}/").split("/", 2)
    return (
        len(names) == 3
        and path == f"{directory}/{names[2]}"
        and upload_id == f"{directory}/{STAGING}/{'/'.join(names)}"
        and is_inside(directory, upload_id)
        and not os.path.islink(upload_id)  # noqa: PTH114
    )


def root_of_staged_file(upload_id: str) -> str:
    """Returns the root of an upload id, without a trailing slash; the upload id itself if it has no ``_staging`` directory."""
    root, found, _ = upload_id.rpartition(f"/{STAGING}/")
    return root if found else upload_id
