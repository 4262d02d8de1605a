"""Filters of the log records of drivers: secrets are masked, and failed renewals of keys are one line."""

from __future__ import annotations

import logging
import re

from pyspark_logs.errors import LogSourceError
from pyspark_logs.store.error_codes import find_message, find_role_call
from pyspark_logs.store.masking import mask_secrets, remembered_secrets

# Forms in which drivers log the secrets that no option has: of the default chain, and of roles.
_LOGGED_SECRET = re.compile(
    r"""(?P<name>(?:x-amz-security-token|secret_?access_?key|session_?token|aws_secret_access_key|aws_session_token|secret_?key"""
    r"""|access_?token|['"]token)['"]?\s*(?:[:=>]|%3D|,)\s*b?['"]?)(?P<value>[^\s'"<>,;&)}]{8,})""",
    re.IGNORECASE,
)
_DRIVERS = ("botocore", "aiobotocore", "s3fs", "boto3")
# The modules of the drivers that warn with a traceback.
_RENEWALS = ("aiobotocore.credentials", "aiobotocore.tokens")


class RenewalFilter(logging.Filter):
    """Replaces the traceback of a renewal of keys that failed by its reason.

    aiobotocore logs each of these failures at level WARNING, which Python prints where no logging is configured. If the keys have
    expired ("mandatory"), it raises the failure, too, so that the record is dropped.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes the records of failures that are not raised, and drops the others."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None or record.levelno < logging.WARNING:
            return True
        if "mandatory" in record.getMessage():
            return False
        if isinstance(error, LogSourceError):
            reason = str(error)
        else:
            reason = ": ".join(filter(None, (find_role_call(error), find_message(error))))
        text = record.getMessage().rstrip(".")
        record.msg, record.args = f"{text}: {reason.rstrip('.')}. A later request tries it again.", ()
        record.exc_info = record.exc_text = None
        return True


class SecretFilter(logging.Filter):
    """Masks secrets in the log records of drivers, which at level DEBUG show requests with their session tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replaces the message of a record by its masked text."""
        text = record.getMessage()
        masked = _LOGGED_SECRET.sub(r"\g<name>***", mask_secrets(text, remembered_secrets()))
        if masked != text:
            record.msg, record.args = masked, ()
        return True


_RENEWAL_FILTER, _SECRET_FILTER = RenewalFilter(), SecretFilter()


def filter_driver_logs() -> None:
    """Adds the filters to all loggers that the drivers of S3 have created so far."""
    for name in _RENEWALS:
        logging.getLogger(name).addFilter(_RENEWAL_FILTER)
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in _DRIVERS:
            logging.getLogger(name).addFilter(_SECRET_FILTER)
