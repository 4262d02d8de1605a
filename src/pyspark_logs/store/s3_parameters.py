"""Parameters that options add to requests to S3: encryption, access control, storage class, tags, payment."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from pyspark_logs.options import StoreOptions

# Requests that create an object. Records of commits are written with put_object, data files by uploads.
_CREATING = ("put_object", "create_multipart_upload")
_UPLOADS = ("create_multipart_upload",)
_ALL: tuple[str, ...] = ()

# Parameter -> function that returns its value (None: not sent), and the requests that have it (none: all). Records keep the
# default class and have no tags: a rule of the bucket that archives or deletes by them must not reach the records.
_PARAMETERS: dict[str, tuple[Callable[[StoreOptions], Any], tuple[str, ...]]] = {
    "RequestPayer": (lambda options: "requester" if options.requester_pays else None, _ALL),
    "ServerSideEncryption": (lambda options: options.sse, _CREATING),
    "SSEKMSKeyId": (lambda options: options.kms_key_id, _CREATING),
    "BucketKeyEnabled": (lambda options: options.bucket_key, _CREATING),
    "ACL": (lambda options: options.acl, _CREATING),
    "StorageClass": (lambda options: options.storage_class, _UPLOADS),
    "Tagging": (lambda options: urlencode(json.loads(options.object_tags or "{}")) or None, _UPLOADS),
}


def request_parameters(options: StoreOptions, method: str) -> dict[str, Any]:
    """Returns the parameters that the options add to a request.

    Args:
        options: options of the store.
        method: method of the client, such as ``put_object``.

    >>> request_parameters(StoreOptions(sse="AES256", storage_class="STANDARD_IA"), "put_object")
    {'ServerSideEncryption': 'AES256'}
    """
    values = {
        name: value(options) for name, (value, methods) in _PARAMETERS.items() if not methods or method in methods
    }
    return {name: value for name, value in values.items() if value is not None}
