"""Arguments of S3 connections."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pyspark_logs.errors import OptionError
from pyspark_logs.options import StoreOptions, parse_write_options
from pyspark_logs.store import open_store
from pyspark_logs.store.s3_connection import connection_arguments
from tests.support.s3_server import S3Bucket


class TestConnectionArguments:
    def test_options_override_storage_options(self):
        given = {
            "key": "K",
            "secret": "S",
            "token": "T",
            "endpoint_url": "http://old",
            "client_kwargs": {"region_name": "old", "aws_access_key_id": "K2", "verify": False},
            "config_kwargs": {"read_timeout": 1, "s3": {"payload_signing_enabled": True}},
            "use_listings_cache": True,
            "requester_pays": True,
        }
        found = connection_arguments(
            StoreOptions(
                endpoint="http://new",
                region="new",
                access_key="A",
                secret_key="B",
                request_timeout_s=7.0,
                storage_options=json.dumps(given),
            )
        )
        assert (found["key"], found["secret"], found["token"], found["anon"]) == ("A", "B", None, False)
        assert found["endpoint_url"] == "http://new"
        assert found["client_kwargs"] == {"region_name": "new", "verify": False}
        assert found["config_kwargs"]["read_timeout"] == 7.0
        assert found["config_kwargs"]["s3"] == {"addressing_style": "path", "payload_signing_enabled": True}
        assert found["config_kwargs"]["retries"] == {"mode": "standard", "total_max_attempts": 5}
        assert found["use_listings_cache"] is False
        assert found["requester_pays"] is True

    def test_storage_options_apply_to_unset_options(self):
        found = connection_arguments(StoreOptions(storage_options='{"key": "K", "config_kwargs": {"read_timeout": 1}}'))
        assert found["key"] == "K"
        assert found["config_kwargs"]["read_timeout"] == 1
        assert "endpoint_url" not in found
        assert "s3" not in found["config_kwargs"]

    def test_the_default_connect_timeout_is_short(self):
        config = connection_arguments(StoreOptions())["config_kwargs"]
        assert (config["connect_timeout"], config["read_timeout"]) == (2.5, 60.0)

    @pytest.mark.parametrize(("threads", "connections"), [("1", 32), ("16", 32), ("128", 128)])
    def test_the_connection_pool_follows_the_threads_of_a_commit(self, threads, connections):
        options = parse_write_options({"path": "s3://b/t", "json": "true", "commitThreads": threads}).store
        assert connection_arguments(options)["config_kwargs"]["max_pool_connections"] == connections
        assert (options == StoreOptions()) == (connections == 32)

    def test_a_missing_file_of_certificates_is_named(self):
        with pytest.raises(OptionError, match=r"'caBundle': there is no /none\.pem on this machine"):
            connection_arguments(StoreOptions(ca_bundle="/none.pem"))

    def test_unknown_arguments_are_named(self, s3: S3Bucket):
        store = open_store("s3://b", replace(s3.options, storage_options='{"no_such": 1}'))
        with pytest.raises(OptionError, match="no_such"):
            store.head("s3://b/x")
