"""Classification of storage errors by their codes.

A code is the error code of the server's response (``SlowDown``), the HTTP status of a response without a body (HEAD), or
the name of the exception class if there was no response. The built-in exception in which a driver wraps a code differs
between servers, so class names are tried last.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
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
class ErrorCategory:
    """Meaning of a group of error codes.

    Attributes:
        error: class of the error to raise.
        advice: advice to the user, one or two sentences.
        transient: True if a retry can succeed.
        throttled: True if the store asks for fewer requests.
    """

    error: type[LogSourceError]
    advice: str
    transient: bool = False
    throttled: bool = False


_CREDENTIALS = ErrorCategory(
    AccessDeniedError,
    "Check accessKey and secretKey (and sessionToken, profile or the environment), and that they belong to this endpoint.",
)
_EXPIRED = ErrorCategory(
    AccessDeniedError, "The credentials have expired: get new ones, or use a provider that refreshes them."
)
_NO_CREDENTIALS = ErrorCategory(
    AccessDeniedError,
    "Give accessKey and secretKey, or profile, or credentials in the environment; anonymous=true for public buckets.",
)
_DENIED = ErrorCategory(
    AccessDeniedError,
    "Allow s3:ListBucket on the bucket and s3:GetObject on its objects, or use other credentials. "
    "Without s3:ListBucket, S3 reports missing objects this way, too.",
)
_CLOCK = ErrorCategory(
    AccessDeniedError, "The clock of this machine is wrong. Set it: request signatures contain the time."
)
_ARCHIVED = ErrorCategory(
    StoreError, "The object is archived. Restore it, or exclude it with pathGlobFilter or startTime."
)
_NO_BUCKET = ErrorCategory(
    PathNotFoundError, "Check the bucket's name, and that endpoint and region are those of the bucket."
)
_NO_FILE = ErrorCategory(PathNotFoundError, "Check the path; ignoreMissingFiles=true skips files that were deleted.")
_CHANGED = ErrorCategory(
    SnapshotChangedError,
    "It was overwritten or deleted after the query was planned. Load it again, because a DataFrame keeps its plan.",
)
_REGION = ErrorCategory(
    StoreError, "The bucket is in another region: set the option region (and endpoint, if given) to it."
)
_BAD_REQUEST = ErrorCategory(
    StoreError,
    "Check the path, the endpoint and the region. Responses without an error code report expired credentials this way, too.",
)
_UNSUPPORTED = ErrorCategory(StoreError, "The server does not implement this request: check the endpoint.")
_READ_ONLY = ErrorCategory(ReadOnlyStoreError, "The file system is mounted read-only: choose another path.")
_NO_UPLOAD = ErrorCategory(
    PathNotFoundError,
    "The upload or its directory no longer exists: another attempt, recover or vacuum ended the upload. Write again; on a file "
    "system, check that nothing removes the directory and that no part of the path is a file.",
)
_CONFLICT = ErrorCategory(
    StoreError,
    "Other requests for the same path conflicted with this one: let one job at a time write there, or try again.",
)
_BAD_PART = ErrorCategory(
    StoreError,
    "The parts of the upload are invalid: all but the last need at least 5 MiB (partSize), and at most 10,000 are allowed.",
)
_LONG_NAME = ErrorCategory(
    StoreError,
    "The name is longer than the store allows (S3: 1,024 bytes a key, file systems: mostly 255 bytes a name): shorten the "
    "path, the layout, or the values that the layout inserts.",
)
_FILE_OR_DIRECTORY = ErrorCategory(
    StoreError, "There is a file where a directory is needed, or the reverse: move it, or choose another path."
)
_FULL = ErrorCategory(StoreError, "There is no space left: free some, or choose another path.")
_DAMAGED = ErrorCategory(
    StoreError, "Bytes were lost or changed in transit: check the network and proxies, and try again.", transient=True
)
_THROTTLED = ErrorCategory(
    StoreError,
    "The store asks for fewer requests: run fewer concurrent tasks, or raise maxRetries.",
    transient=True,
    throttled=True,
)
_SERVER = ErrorCategory(
    StoreError, "The store failed, possibly for a short time: try again later, or raise maxRetries.", transient=True
)
_NETWORK = ErrorCategory(
    StoreError, "Check the network and the endpoint; raise requestTimeout if the store is slow.", transient=True
)

_ROLE = ErrorCategory(
    AccessDeniedError,
    "Allow sts:AssumeRole on the role to the credentials, let the trust policy of the role name them, and check externalId, and that"
    " roleDuration is not longer than the role allows.",
)
_NO_ROLES = ErrorCategory(StoreError, "The server does not assume roles: set stsEndpoint to one that does.")
_TLS = ErrorCategory(
    StoreError,
    "Check that endpoint begins with https:// where the server uses TLS, and with http:// where it does not, and give caBundle"
    " for a certificate of an own authority.",
)
_PROXY = ErrorCategory(StoreError, "Check the option proxy, and HTTP_PROXY, HTTPS_PROXY and NO_PROXY.", transient=True)

_CODES: dict[ErrorCategory, str] = {
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
    _NO_UPLOAD: "NoSuchUpload",
    _NO_FILE: "NoSuchKey 404 NotFound NoSuchVersion FileNotFoundError NotADirectoryError",
    _CHANGED: "PreconditionFailed 412",
    _REGION: "PermanentRedirect Redirect TemporaryRedirect 301 307 AuthorizationHeaderMalformed "
    "IllegalLocationConstraintException",
    _BAD_REQUEST: "302 303 308 400 BadRequest InvalidRequest InvalidArgument InvalidBucketName InvalidURI "
    "ParamValidationError InvalidRegionError MalformedXML",
    _CONFLICT: "ConditionalRequestConflict OperationAborted",
    _BAD_PART: "EntityTooSmall EntityTooLarge InvalidPart InvalidPartOrder",
    _LONG_NAME: "KeyTooLongError ENAMETOOLONG",
    _FILE_OR_DIRECTORY: "FileExistsError EISDIR",
    _FULL: "ENOSPC EDQUOT QuotaExceeded XMinioStorageFull 507",
    _DAMAGED: "BadDigest IncompleteBody XAmzContentSHA256Mismatch",
    _UNSUPPORTED: "NotImplemented 501 MethodNotAllowed 405 MissingContentMD5",
    _READ_ONLY: "EROFS",
    _THROTTLED: "SlowDown Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException "
    "TooManyRequests TooManyRequestsException 429 RequestLimitExceeded BandwidthLimitExceeded LimitExceededException "
    "ProvisionedThroughputExceededException PriorRequestNotComplete EC2ThrottledException ServiceUnavailable 503 ServerBusy",
    _SERVER: "InternalError 500 502 504 BadGateway GatewayTimeout RequestTimeout RequestTimeoutException 408 "
    "OperationTimedOut ResponseParserError",
    _TLS: "SSLError",
    _PROXY: "ProxyConnectionError",
    _NETWORK: "HTTPClientError ConnectionError EndpointConnectionError ConnectionClosedError FSTimeoutError TimeoutError "
    "ClientPayloadError ClientConnectionError IncompleteRead IncompleteReadError ResponseStreamingError",
}
CATEGORIES: dict[str, ErrorCategory] = {code: category for category, codes in _CODES.items() for code in codes.split()}

# Categories that replace others if the request was to change something.
_FOR_WRITING: dict[ErrorCategory, ErrorCategory] = {
    _NO_FILE: _NO_UPLOAD,
    _DENIED: ErrorCategory(
        AccessDeniedError,
        "Allow s3:PutObject, s3:GetObject, s3:DeleteObject, s3:AbortMultipartUpload, s3:ListBucket and "
        "s3:ListBucketMultipartUploads, or use other credentials; on a file system, allow writing to the directory.",
    ),
    _UNSUPPORTED: ErrorCategory(
        ReadOnlyStoreError,
        "The server does not implement multipart uploads or If-None-Match on PUT, which a safe commit needs. Write to another store.",
    ),
    _CHANGED: _CONFLICT,
}

# Categories that replace others on a local file system.
_FOR_LOCAL_FILES: dict[ErrorCategory, ErrorCategory] = {
    _DENIED: ErrorCategory(
        AccessDeniedError,
        "Allow this user to read the file, and to list and search its directories, or leave the path out.",
    ),
    _FOR_WRITING[_DENIED]: ErrorCategory(
        AccessDeniedError,
        "Change the permissions to allow writing to the directory, and searching the directories above it, for this user.",
    ),
}

# Categories that replace others if the request was to assume a role.
_FOR_ROLES: dict[ErrorCategory, ErrorCategory] = {
    _DENIED: _ROLE,
    _BAD_REQUEST: _ROLE,
    _UNSUPPORTED: _NO_ROLES,
    _NO_FILE: _NO_ROLES,
    _NO_BUCKET: _NO_ROLES,
}

_UNKNOWN = ErrorCategory(StoreError, "The error is not known to be transient, so it was not retried; see its cause.")
_ROLE_OPERATIONS = ("AssumeRole", "AssumeRoleWithWebIdentity")
# Exceptions of requests that did not reach a server.
_UNREACHABLE = frozenset(("EndpointConnectionError", "ConnectTimeoutError", "ClientConnectorError", "gaierror"))
_DEFECTS = (TypeError, AttributeError, LookupError, NameError, AssertionError, ArithmeticError)
_MAX_CAUSES = 10  # a longer chain of causes is a cycle


def classify_error(error: BaseException, *, writing: bool = False, local: bool = False) -> tuple[str, ErrorCategory]:
    """Returns the error code of an exception or of one of its causes, and the category of the code.

    Args:
        error: exception that a driver raised.
        writing: True if the request was to change something.
        local: True if the operating system raised the exception for a local file.
    """
    causes = list(_causes(error))
    codes = [code for cause in causes for code in _codes(cause)]
    names = [cls.__name__ for cause in causes for cls in type(cause).__mro__]
    for code in [*codes, *names]:
        if code in CATEGORIES:
            category = CATEGORIES[code]
            if find_role_call(error):
                return code, _FOR_ROLES.get(category, category)
            category = _FOR_WRITING.get(category, category) if writing else category
            return code, _FOR_LOCAL_FILES.get(category, category) if local else category
    return (codes or names)[0], _UNKNOWN


class RoleCallError(Exception):
    """A failed request to assume a role; its text is the call with the role, and its cause the exception of the driver."""


def find_role_call(error: BaseException) -> str:
    """Returns the request that was to assume a role, if an exception is its failure, and else an empty string."""
    for cause in _causes(error):
        if isinstance(cause, RoleCallError):
            return str(cause)
        operation = getattr(cause, "operation_name", "")
        if operation in _ROLE_OPERATIONS:
            return f"sts:{operation} for the role of the profile or the environment"
    return ""


def is_in_another_region(code: str) -> bool:
    """True if an error code tells that the bucket is in another region than the request was sent to."""
    return CATEGORIES.get(code) is _REGION


def is_unreachable(error: BaseException | None) -> bool:
    """True if an exception tells that no connection to a server was made."""
    causes = () if error is None else _causes(error)
    return any(cls.__name__ in _UNREACHABLE for cause in causes for cls in type(cause).__mro__)


def is_defect(error: BaseException) -> bool:
    """True if an exception tells of a defect in a program, and not of a store that refused or failed.

    Drivers raise exceptions of any class for failures of a store, so only classes that tell of nothing else count, and only
    without a known code in the exception or its causes.
    """
    return isinstance(error, _DEFECTS) and classify_error(error)[1] is _UNKNOWN


def classify_response(parsed: Mapping[str, Any], status: int) -> tuple[str, ErrorCategory]:
    """Returns the error code and its category of an HTTP response that no exception was raised for yet.

    Args:
        parsed: response as parsed by botocore.
        status: HTTP status.
    """
    codes = [str(parsed.get("Error", {}).get("Code", "")), str(status)]
    for code in codes:
        if code in CATEGORIES:
            return code, CATEGORIES[code]
    return codes[0] or codes[1], _UNKNOWN


def find_message(error: BaseException) -> str:
    """Returns the message of the server's response, or of the innermost cause if there was no response."""
    message = ""
    for cause in _causes(error):
        response = getattr(cause, "response", None)
        if isinstance(response, dict):
            message = str(response.get("Error", {}).get("Message") or "") or message
        elif isinstance(cause, OSError) and cause.strerror:
            message = cause.strerror
        else:
            message = str(cause) or message
    return message.strip().rstrip(".") or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    # __context__ is not followed: it can be an unrelated exception that the caller is handling.
    cause: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__


def _codes(error: BaseException) -> Iterator[str]:
    """Yields the codes of an exception, the most specific first."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        yield str(response.get("Error", {}).get("Code", ""))
        yield str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    name = errno.errorcode.get(getattr(error, "errno", None) or 0, "")
    if name in CATEGORIES:  # for codes without an entry, s3fs chooses unrelated error numbers
        yield name
    if type(error).__module__ == "aiohttp.http_exceptions":
        return  # a malformed response, whose "code" was not sent by the server
    for attribute in ("code", "status_code", "status"):  # gcsfs, azure, aiohttp
        value = getattr(error, attribute, None)
        if isinstance(value, int) and not isinstance(value, bool):
            yield str(value)
