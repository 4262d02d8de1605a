"""Splitting, joining and normalisation of paths."""

from __future__ import annotations

import pytest

from pyspark_logs.errors import OptionError
from pyspark_logs.store import join, normalise, split_scheme
from pyspark_logs.store.paths import split_bucket


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "canonical"),
        [
            ("/var/log", "/var/log"),
            ("/var/log//", "/var/log/"),
            ("/var//log/../x", "/var/x"),
            ("/", "/"),
            ("file:///var/log", "/var/log"),
            ("file:/var/log/", "/var/log/"),
            ("file://localhost/var", "/var"),
            ("s3://b", "s3://b"),
            ("s3://b/", "s3://b/"),
            ("S3A://b/app//x///", "s3a://b/app//x/"),
            ("s3://b/dt={2026,2027}/*", "s3://b/dt={2026,2027}/*"),
            ("memory://x/y", "memory://x/y"),
            ("memory:///x", "memory:///x"),
            ("gs://b/x", "gs://b/x"),
        ],
    )
    def test_normalise(self, path, canonical):
        assert normalise(path) == canonical
        assert normalise(canonical) == canonical

    def test_relative_paths_become_absolute(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert normalise("logs/a") == f"{tmp_path}/logs/a"
        assert normalise("a:b/c") == f"{tmp_path}/a:b/c"

    @pytest.mark.parametrize(
        ("path", "problem"),
        [
            ("", "empty path"),
            ("s3://", "no bucket"),
            ("s3:///key", "no bucket"),
            ("gs:///key", "no bucket"),
            ("hdfs:/x", "one slash"),
            ("file://host/x", "host"),
            ("~/logs", "~ is not expanded; write /.*/logs"),
            ("zip://a::s3://b/c.zip", "chained"),
        ],
    )
    def test_normalise_rejects(self, path, problem):
        with pytest.raises(OptionError, match=problem):
            normalise(path)

    def test_split_and_join(self):
        assert split_scheme("s3://b/k") == ("s3", "b/k")
        assert split_scheme("file:///x") == ("", "/x")
        assert split_scheme("/a:b") == ("", "/a:b")
        assert join("s3://b/", "k") == join("s3://b", "k") == "s3://b/k"
        assert split_bucket("s3://b") == ("s3://b/", "b", "")
        assert split_bucket("s3a://b/k/l/") == ("s3a://b/", "b", "k/l/")
        arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/logs"
        assert split_bucket(f"s3://{arn}/k/l") == (f"s3://{arn}/", arn, "k/l")
        with pytest.raises(OptionError, match="no bucket"):
            split_bucket("s3://")
