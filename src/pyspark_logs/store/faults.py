"""From what a storage driver raised to an error of this package, through one table.

The table is keyed by error *code*: what the server said (``SlowDown``), the HTTP status where it
said nothing (HEAD has no body), or the name of the exception class where no answer came. The
builtin that a driver wraps around a code differs between servers, so it is looked at last.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyspark_logs.errors import (
    AccessDeniedError,
    LogSourceError,
    PathNotFoundError,
    ReadOnlyStoreError,
    SnapshotChangedError,
    StoreError,
)


@dataclass(frozen=True)
class Fault:
    """What a code means: the error to raise, what the user can do, and whether trying again can help."""

    error: type[LogSourceError]
    advice: str
    transient: bool = False
    throttled: bool = False


_CREDENTIALS = Fault(
    AccessDeniedError,
    "Check accessKey and secretKey (and sessionToken, profile or the environment), and that they belong to this endpoint.",
)
_EXPIRED = Fault(
    AccessDeniedError, "The credentials have expired: get new ones, or use a provider that refreshes them."
)
_NO_CREDENTIALS = Fault(
    AccessDeniedError,
    "Give accessKey and secretKey, or profile, or credentials in the environment; anonymous=true for public buckets.",
)
_DENIED = Fault(
    AccessDeniedError,
    "Allow s3:ListBucket on the bucket and s3:GetObject on its objects, or use other credentials. "
    "Without s3:ListBucket, S3 says this for missing objects too.",
)
_CLOCK = Fault(AccessDeniedError, "The clock of this machine is wrong: set it, signatures depend on it.")
_ARCHIVED = Fault(
    StoreError, "The object is archived: restore it first, or leave it out with pathGlobFilter or startTime."
)
_NO_BUCKET = Fault(PathNotFoundError, "Check the bucket's name, and that endpoint and region are the ones it lives in.")
_NO_FILE = Fault(PathNotFoundError, "Check the path; ignoreMissingFiles=true skips files that went away.")
_CHANGED = Fault(
    SnapshotChangedError,
    "It was overwritten or deleted since the query was planned: load it again, since a Spark frame keeps its plan.",
)
_REGION = Fault(StoreError, "The bucket lives in another region: set the option region (and endpoint, if given) to it.")
_BAD_REQUEST = Fault(
    StoreError,
    "Check the path, the endpoint and the region; S3 says this of expired credentials too, where it gives no code.",
)
_UNSUPPORTED = Fault(StoreError, "The server does not implement this request: check the endpoint.")
_READ_ONLY = Fault(ReadOnlyStoreError, "It is mounted read-only: choose another path.")
_GONE = Fault(
    PathNotFoundError,
    "What was being written is gone: another attempt, recover or vacuum ended it. Write again; on a file system, check "
    "that nothing removes the directory and that no part of the path is a file.",
)
_CONFLICT = Fault(
    StoreError,
    "Other requests for the same path kept coming in between: let one job at a time write there, or try again.",
)
_BAD_PART = Fault(
    StoreError,
    "The parts of an upload do not fit: all but the last need 5 MiB or more (partSize), and 10,000 are the most.",
)
_LONG_NAME = Fault(
    StoreError,
    "A name is longer than the store takes (S3: 1,024 bytes a key, file systems: mostly 255 a name): shorten the path, "
    "the layout, or the values that go into it.",
)
_IN_THE_WAY = Fault(
    StoreError, "A file is where a directory is needed, or the reverse: move it away, or choose another path."
)
_FULL = Fault(StoreError, "There is no room left: free some, or choose another path.")
_DAMAGED = Fault(
    StoreError, "Bytes were lost or changed on the way: check the network and proxies, and try again.", transient=True
)
_THROTTLED = Fault(
    StoreError,
    "The store asks for fewer requests: run fewer tasks at once, or raise maxRetries.",
    transient=True,
    throttled=True,
)
_SERVER = Fault(StoreError, "The store failed; that may pass: try again later, or raise maxRetries.", transient=True)
_NETWORK = Fault(
    StoreError, "Check the network and the endpoint; raise requestTimeout if the store is slow.", transient=True
)

_CODES_OF: dict[Fault, str] = {
    _CREDENTIALS: "InvalidAccessKeyId SignatureDoesNotMatch InvalidToken InvalidSecurity 401 Unauthorized NotSignedUp "
    "AuthFailure UnrecognizedClientException InvalidClientTokenId",
    _EXPIRED: "ExpiredToken ExpiredTokenException TokenRefreshRequired TokenRetrievalError UnauthorizedSSOTokenError SSOTokenLoadError",
    _NO_CREDENTIALS: "NoCredentialsError PartialCredentialsError ProfileNotFound CredentialRetrievalError "
    "ConfigNotFound InfiniteLoopConfigError NoAuthTokenError",
    _DENIED: "AccessDenied 403 Forbidden AllAccessDisabled AccountProblem InvalidPayer "
    "CrossLocationLoggingProhibited PermissionError",
    _CLOCK: "RequestTimeTooSkewed RequestExpired",
    _ARCHIVED: "InvalidObjectState",
    _NO_BUCKET: "NoSuchBucket",
    _GONE: "NoSuchUpload",
    _NO_FILE: "NoSuchKey 404 NotFound NoSuchVersion FileNotFoundError NotADirectoryError",
    _CHANGED: "PreconditionFailed 412",
    _REGION: "PermanentRedirect Redirect TemporaryRedirect 301 307 AuthorizationHeaderMalformed "
    "IllegalLocationConstraintException",
    _BAD_REQUEST: "400 BadRequest InvalidRequest InvalidArgument InvalidBucketName InvalidURI "
    "ParamValidationError InvalidRegionError MalformedXML",
    _CONFLICT: "ConditionalRequestConflict OperationAborted",
    _BAD_PART: "EntityTooSmall EntityTooLarge InvalidPart InvalidPartOrder",
    _LONG_NAME: "KeyTooLongError ENAMETOOLONG",
    _IN_THE_WAY: "FileExistsError EISDIR",
    _FULL: "ENOSPC EDQUOT QuotaExceeded XMinioStorageFull 507",
    _DAMAGED: "BadDigest IncompleteBody XAmzContentSHA256Mismatch",
    _UNSUPPORTED: "NotImplemented 501 MethodNotAllowed 405 MissingContentMD5",
    _READ_ONLY: "EROFS",
    _THROTTLED: "SlowDown Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException "
    "TooManyRequests TooManyRequestsException 429 RequestLimitExceeded BandwidthLimitExceeded LimitExceededException "
    "ProvisionedThroughputExceededException PriorRequestNotComplete EC2ThrottledException ServiceUnavailable 503 ServerBusy",
    _SERVER: "InternalError 500 502 504 BadGateway GatewayTimeout RequestTimeout RequestTimeoutException 408 "
    "OperationTimedOut ResponseParserError",
    _NETWORK: "HTTPClientError ConnectionError EndpointConnectionError ConnectionClosedError FSTimeoutError TimeoutError "
    "ClientPayloadError ClientConnectionError IncompleteRead IncompleteReadError ResponseStreamingError",
}
FAULTS: dict[str, Fault] = {code: fault for fault, codes in _CODES_OF.items() for code in codes.split()}

# What a code asks for where the request was to write.
_FOR_WRITING: dict[Fault, Fault] = {
    _NO_FILE: _GONE,
    _DENIED: Fault(
        AccessDeniedError,
        "Allow s3:PutObject, s3:GetObject, s3:DeleteObject, s3:AbortMultipartUpload, s3:ListBucket and "
        "s3:ListBucketMultipartUploads, or use other credentials; on a file system, allow writing to the directory.",
    ),
    _UNSUPPORTED: Fault(
        ReadOnlyStoreError,
        "The server does not implement what a safe commit needs: multipart uploads, and If-None-Match on PUT. Write elsewhere.",
    ),
    _CHANGED: _CONFLICT,
}

_UNKNOWN = Fault(StoreError, "This error is not known to pass with a retry; see its cause.")
_MAX_CAUSES = 10  # longer chains of causes are cycles


def find_fault(error: BaseException, *, writing: bool = False) -> tuple[str, Fault]:
    """The code an exception carries, itself or in a cause, and what it means, to a request that was ``writing``."""
    causes = list(_causes(error))
    codes = [code for cause in causes for code in _codes(cause)]
    names = [cls.__name__ for cause in causes for cls in type(cause).__mro__]
    for code in [*codes, *names]:
        if code in FAULTS:
            fault = FAULTS[code]
            return code, _FOR_WRITING.get(fault, fault) if writing else fault
    return (codes or names)[0], _UNKNOWN


def find_response_fault(parsed: dict[str, Any], status: int) -> tuple[str, Fault]:
    """The same for an HTTP answer that has not become an exception yet."""
    codes = [str(parsed.get("Error", {}).get("Code", "")), str(status)]
    for code in codes:
        if code in FAULTS:
            return code, FAULTS[code]
    return codes[0] or codes[1], _UNKNOWN


def find_text(error: BaseException) -> str:
    """What the server said, or what the innermost cause says."""
    text = ""
    for cause in _causes(error):
        response = getattr(cause, "response", None)
        if isinstance(response, dict):
            text = str(response.get("Error", {}).get("Message") or "") or text
        elif isinstance(cause, OSError) and cause.strerror:
            text = cause.strerror
        else:
            text = str(cause) or text
    return text.strip().rstrip(".") or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    # Not __context__: that may be an exception our caller happens to be handling.
    cause: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__


def _codes(error: BaseException) -> Iterator[str]:
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        yield str(response.get("Error", {}).get("Code", ""))
        yield str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    name = errno.errorcode.get(getattr(error, "errno", None) or 0, "")
    if name in FAULTS:  # s3fs makes up numbers for most other codes
        yield name
    if type(error).__module__ == "aiohttp.http_exceptions":
        return  # a broken answer; its "code" is not one the server gave
    for attribute in ("code", "status_code", "status"):  # gcsfs, azure, aiohttp
        value = getattr(error, attribute, None)
        if isinstance(value, int) and not isinstance(value, bool):
            yield str(value)
