"""Installs older releases of Spark beside the one of the environment: ``python scripts/install_spark.py [RELEASE...]``.

The index has Spark as a source distribution, of which ``pip install`` builds a wheel: half a minute of processor time for each
release. A release has no code to compile, so its files are unpacked here to where the wheel has them, and a program runs with the
release if ``PYTHONPATH`` begins with the printed directory. All other packages are those of the environment;
``pyspark.egg-info/requires.txt`` has the requirements of the release.
"""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

# The newest release of each older version, and that of the newest version, which the environment has.
RELEASES = ("4.0.5", "4.1.4", "4.2.1")
NEWEST = "4.3.0"
ROOT = Path(sys.prefix) / "sparks"


class InstallationError(Exception):
    """A release that cannot be installed."""


def install(release: str, root: Path = ROOT) -> Path:
    """Returns the directory of a release, which is downloaded unless it exists.

    Processes that install the same release wait for each other.

    Raises:
        InstallationError: pip cannot download the release, or it is not a source distribution of Spark.
    """
    root.mkdir(parents=True, exist_ok=True)
    home = root / release
    with _locked(root / f"{release}.lock"):
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=root) as scratch:
                unpacked = Path(scratch) / "unpacked"
                unpack(_download(release, Path(scratch)), unpacked)
                unpacked.rename(home)
    return home


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(release: str, folder: Path) -> Path:
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-cache-dir", "--no-binary", "pyspark"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), f"pyspark=={release}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    archives = list(folder.glob("pyspark-*.tar.gz"))
    if done.returncode or not archives:
        raise InstallationError(f"pip cannot download pyspark {release} from the package index:\n{done.stdout.strip()}")
    return archives[0]


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a source distribution of Spark to where its wheel has the files.

    Raises:
        InstallationError: the archive lacks the package, its jars or its scripts.
    """
    # Releases of Python 3.10 before 3.10.12 have no filters.
    safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(archive) as tar:
        for member in tar:
            target = installed_path(member.name)
            if target is not None:
                member.name = str(target)
                tar.extract(member, folder, **safe)  # type: ignore[arg-type]
    for needed in ("pyspark/__init__.py", "pyspark/bin/spark-submit", "pyspark/jars"):
        if not (folder / needed).exists():
            raise InstallationError(f"{archive.name} is no source distribution of Spark: it has no {needed}")


def installed_path(name: str) -> PurePosixPath | None:
    """Returns the path in ``site-packages`` of a member of the archive, by ``package_dir`` of Spark's ``setup.py``.

    >>> str(installed_path("pyspark-4.0.5/deps/jars/arrow.jar"))
    'pyspark/jars/arrow.jar'
    >>> installed_path("pyspark-4.0.5/setup.py") is None
    True
    """
    match PurePosixPath(name).parts[1:]:
        case ("pyspark", *rest):
            return PurePosixPath("pyspark", *rest)
        case ("deps", "bin" | "jars" | "sbin" as kind, *rest):
            return PurePosixPath("pyspark", kind, *rest)
        case ("lib", *rest):
            return PurePosixPath("pyspark", "python", "lib", *rest)
        case ("pyspark.egg-info", *rest):
            return PurePosixPath("pyspark.egg-info", *rest)
    return None


def main(releases: list[str]) -> None:
    """Installs releases, and prints their directories."""
    # A shell starts jobs in the background with SIGINT ignored, and Ctrl-C shall end this one, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for release in releases or RELEASES:
            print(install(release))
    except InstallationError as error:
        sys.exit(f"install_spark: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(sys.argv[1:])
