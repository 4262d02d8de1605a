"""Storage: the one module that talks to it. Files are listed, read, staged, made visible and deleted by path.

::

    store = open_store("s3://acme-logs/app/", options)
    page = store.list_page("s3://acme-logs/app/2026/11/", recursive=True)
    for chunk in store.read(page.files[0].path, etag=page.files[0].etag):
        ...

A store offers what object stores offer: pages of keys below a prefix, whole objects that are
replaced but never modified, byte ranges of one version. Local directories and other fsspec file
systems are made to look like that, not the reverse. Stores are cheap to make (the connection
comes with the first request), safe to use from threads, survive a fork, and pickle as their
options alone.

Writing rests on two things that a store must have: a small file created only if nothing is there, of which one
of many wins, and an upload that nobody sees until it is completed, by whichever process.

Inside, imports run one way: ``s3`` (with ``s3_body``, ``s3_connection``), ``local``, ``memory`` -> ``generic`` ->
``interface`` -> ``gate``, ``faults``, ``paths``.
"""

from __future__ import annotations

from pyspark_logs.options import StoreOptions
from pyspark_logs.store.interface import OpenUpload, Page, Store, StoredFile, UploadPage
from pyspark_logs.store.paths import join, normalise, split_bucket, split_scheme

__all__ = [
    "OpenUpload",
    "Page",
    "Store",
    "StoredFile",
    "UploadPage",
    "join",
    "normalise",
    "open_store",
    "split_bucket",
    "split_scheme",
]

S3_SCHEMES = ("s3", "s3a", "s3n")


def open_store(path: str, options: StoreOptions) -> Store:
    """The store that a path lives in, by its scheme. Makes no request.

    Args:
        path: any path of the store, in the form that :func:`normalise` returns.
        options: endpoint, credentials, timeouts and retries.

    Raises:
        OptionError: the scheme is not known, its driver is not installed, or the options do not
            fit it.
    """
    scheme, _ = split_scheme(path)
    if not scheme:
        from pyspark_logs.store.local import LocalStore

        return LocalStore("", options)
    if scheme in S3_SCHEMES:
        from pyspark_logs.store.s3 import S3Store

        return S3Store(scheme, options)
    if scheme == "memory":
        from pyspark_logs.store.memory import MemoryStore

        return MemoryStore(scheme, options)
    from pyspark_logs.store.generic import open_generic

    return open_generic(scheme, options)
