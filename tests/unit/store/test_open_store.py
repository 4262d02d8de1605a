"""Choice of a store by the scheme of a path."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pyspark_logs.errors import OptionError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import open_store


class TestOpenStore:
    @pytest.mark.parametrize("path", ["nosuch://b/x", "bogus+x://b"])
    def test_the_error_of_an_unknown_scheme_lists_schemes(self, path):
        with pytest.raises(OptionError, match=r"unknown scheme .*s3://.*memory://"):
            open_store(path, StoreOptions())

    @pytest.mark.parametrize(
        ("path", "package"), [("gs://b/x", "gcsfs"), ("abfs://c@a.dfs.core.windows.net/x", "adlfs")]
    )
    def test_missing_drivers_are_named(self, path, package, monkeypatch):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(OptionError, match=f"pip install {package}"):
            open_store(path, StoreOptions())

    def test_missing_s3fs_is_named(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "s3fs", None)
        with pytest.raises(OptionError, match=r"pip install 'pyspark-logs\[s3\]'"):
            open_store("s3://b/x", StoreOptions())

    def test_credentials_in_an_endpoint_are_rejected(self):
        with pytest.raises(OptionError, match="accessKey") as caught:
            open_store("s3://b/x", StoreOptions(endpoint="http://user:pass@host"))
        assert "pass@" not in str(caught.value)

    def test_importing_and_opening_import_no_driver(self):
        code = """
import sys, pyspark_logs.store as store
from pyspark_logs.options import StoreOptions
first = sorted({name.split(".")[0] for name in sys.modules} & {"s3fs", "fsspec", "botocore", "aiobotocore", "pyarrow"})
store.open_store("s3://b/x", StoreOptions()); store.open_store("/x", StoreOptions())
then = sorted({name.split(".")[0] for name in sys.modules} & {"s3fs", "fsspec", "botocore", "aiobotocore", "pyarrow"})
print(first, then)
"""
        assert (
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[] []\n"
        )
