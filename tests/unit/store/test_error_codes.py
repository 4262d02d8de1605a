"""Classification of errors by their codes."""

from __future__ import annotations

from pyspark_logs.errors import AccessDeniedError, PathNotFoundError
from pyspark_logs.store.error_codes import CATEGORIES, classify_error


class TestErrorCategories:
    def test_codes_take_precedence_over_exception_classes(self):
        cause = Exception("as botocore raises it")
        cause.response = {"Error": {"Code": "SlowDown", "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
        error = PermissionError("wrapped")
        error.__cause__ = cause
        code, fault = classify_error(error)
        assert code == "SlowDown"
        assert fault.throttled

    def test_exception_context_is_ignored(self):
        error = ZeroDivisionError("inner")
        error.__context__ = FileNotFoundError("outer")
        assert classify_error(error)[0] == "ZeroDivisionError"

    def test_a_cycle_of_causes_ends(self):
        first, second = ValueError("a"), ValueError("b")
        first.__cause__, second.__cause__ = second, first
        assert classify_error(first)[0] == "ValueError"

    def test_categories_are_consistent_and_give_advice(self):
        for fault in set(CATEGORIES.values()):
            assert fault.transient or not fault.throttled
            assert fault.advice.endswith(".")
            assert not (fault.transient and issubclass(fault.error, (AccessDeniedError, PathNotFoundError)))
