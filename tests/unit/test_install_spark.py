"""Older releases of Spark for ``tests/spark/test_versions.py``; see ``scripts/install_spark.py``."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from scripts.install_spark import NEWEST, InstallationError, install, installed_path, unpack

FILES = (
    "pyspark-4.0.5/setup.py",
    "pyspark-4.0.5/pyspark/__init__.py",
    "pyspark-4.0.5/pyspark/sql/datasource.py",
    "pyspark-4.0.5/deps/bin/spark-submit",
    "pyspark-4.0.5/deps/examples/pi.py",
    "pyspark-4.0.5/deps/jars/arrow.jar",
    "pyspark-4.0.5/lib/pyspark.zip",
    "pyspark-4.0.5/pyspark.egg-info/requires.txt",
)


def make_archive(path: Path, names: tuple[str, ...]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


def test_files_are_where_the_wheel_has_them(tmp_path: Path) -> None:
    unpack(make_archive(tmp_path / "pyspark-4.0.5.tar.gz", FILES), tmp_path / "home")
    found = {path.relative_to(tmp_path / "home").as_posix() for path in tmp_path.rglob("home/**/*") if path.is_file()}
    assert found == {
        "pyspark/__init__.py",
        "pyspark/sql/datasource.py",
        "pyspark/bin/spark-submit",
        "pyspark/jars/arrow.jar",
        "pyspark/python/lib/pyspark.zip",
        "pyspark.egg-info/requires.txt",
    }
    assert installed_path("pyspark-4.0.5") is None


def test_an_archive_that_lacks_the_jars(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "pyspark-4.0.5.tar.gz", FILES[:4])
    with pytest.raises(InstallationError, match="it has no pyspark/jars"):
        unpack(archive, tmp_path / "home")


def test_an_installation_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(InstallationError, match=r"(?s)cannot download pyspark 4.0.5 .*No matching distribution"):
        install("4.0.5", tmp_path / "sparks")
    assert [path.name for path in (tmp_path / "sparks").iterdir()] == ["4.0.5.lock"]


def test_the_newest_release_is_the_pinned_one() -> None:
    pins = (Path(__file__).parents[2] / "constraints.txt").read_text(encoding="utf-8")
    assert f"pyspark=={NEWEST} ;" in pins
