"""Access to storage: files are listed, read, staged, made visible and deleted by path.

::

    store = open_store("s3://acme-logs/app/", options)
    page = store.list_page("s3://acme-logs/app/2026/11/", recursive=True)
    for chunk in store.read(page.files[0].path, etag=page.files[0].etag):
        ...

No other package makes requests to storage. The interface follows object stores: pages of keys below a prefix, whole
objects that are replaced but never modified, and byte ranges of one version. Local directories and other fsspec file
systems are adapted to this interface. Creating a store makes no request; the first request opens the connection. Stores
are thread-safe, survive a fork, and pickle as their scheme and options.

Commits require two operations of a store: a create-only write, which succeeds for exactly one of several concurrent
writers, and an upload that is invisible until any process completes it.

Imports within the package: ``s3``, ``local``, and ``memory`` over ``generic`` -> ``interface`` -> ``base`` -> ``error_translation``
-> ``circuit_breaker``, ``error_codes``, ``masking``. ``s3`` -> ``s3_reads`` (with ``s3_response_body``), ``s3_writes``,
``s3_uploads`` -> ``s3_requests`` -> ``s3_parameters``, ``s3_connection`` -> ``s3_direct``, ``s3_credentials``, ``s3_retries``;
``s3_direct`` -> ``bounded_session``, ``s3_listing``, ``s3_signature``.
``listings`` and ``paths`` import no other module of the package.
"""

from __future__ import annotations

from pyspark_logs.options import StoreOptions
from pyspark_logs.store.base import count_requests
from pyspark_logs.store.interface import Store
from pyspark_logs.store.listings import OpenUpload, Page, StoredFile, UploadPage
from pyspark_logs.store.paths import join, normalise, split_bucket, split_s3_bucket, split_scheme

__all__ = [
    "OpenUpload",
    "Page",
    "Store",
    "StoredFile",
    "UploadPage",
    "count_requests",
    "join",
    "normalise",
    "open_store",
    "split_bucket",
    "split_scheme",
]

S3_SCHEMES = ("s3", "s3a", "s3n")


def open_store(path: str, options: StoreOptions) -> Store:
    """Returns the store of a path, chosen by the scheme of the path. Makes no request.

    Args:
        path: any path of the store, as returned by :func:`normalise`.
        options: endpoint, credentials, timeouts and retries.

    Raises:
        OptionError: the scheme is unknown, its driver is not installed, or an option does not apply to it; or the bucket is
            a directory bucket of S3.
    """
    scheme, _ = split_scheme(path)
    if not scheme:
        from pyspark_logs.store.local import LocalStore

        return LocalStore("", options)
    if scheme in S3_SCHEMES:
        from pyspark_logs.store.s3 import S3Store

        split_s3_bucket(path)
        return S3Store(scheme, options)
    if scheme == "memory":
        from pyspark_logs.store.memory import MemoryStore

        return MemoryStore(scheme, options)
    from pyspark_logs.store.generic import open_generic

    return open_generic(scheme, options)
