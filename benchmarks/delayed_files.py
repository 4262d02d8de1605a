"""A Hadoop file system of local files whose ``open`` takes as long as a request: the lower bound of Spark's S3A client.

The jars of S3A are not part of Spark. S3A makes at least one GetObject request for each file that it opens, so it cannot take less
than this file system with the same delay; listing, the HTTP client, the signature and the network cost nothing here. The class is
compiled by Janino, which Spark ships, so that a Java runtime without a compiler suffices.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

SCHEME = "delayed"
_CLASS = "benchmarks.DelayedFileSystem"
_SOURCE = """
package benchmarks;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

public class DelayedFileSystem extends RawLocalFileSystem {
    public URI getUri() {
        return URI.create("delayed:///");
    }

    public FSDataInputStream open(Path path, int bufferSize) throws IOException {
        try {
            Thread.sleep(getConf().getLong("fs.delayed.open.ms", 0L));
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        return super.open(path, bufferSize);
    }
}
"""


def settings(classes: Path) -> dict[str, str]:
    """Returns settings of a new Spark session whose JVM finds the class, once :func:`install` has compiled it to a directory.

    The directory is created, because a JVM takes a path that is no directory when it starts for an archive.
    """
    classes.mkdir(parents=True, exist_ok=True)
    return {"spark.driver.extraClassPath": str(classes.resolve())}


def install(spark: Any, classes: Path, delay_ms: float) -> None:
    """Compiles the file system in the JVM of a session, and registers it with a delay.

    Args:
        spark: session with the :func:`settings`, on one machine.
        classes: directory of these settings.
        delay_ms: milliseconds that each ``open`` takes.
    """
    jvm = spark.sparkContext._jvm
    source = classes / "DelayedFileSystem.java"
    source.write_text(_SOURCE, encoding="utf-8")
    compiler = jvm.org.codehaus.janino.CompilerFactory().newCompiler()
    compiler.setDestinationDirectory(jvm.java.io.File(str(classes.resolve())), False)
    files = spark.sparkContext._gateway.new_array(jvm.java.io.File, 1)
    files[0] = jvm.java.io.File(str(source.resolve()))
    compiler.compile(files)
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    hadoop.set(f"fs.{SCHEME}.impl", _CLASS)
    hadoop.setLong(f"fs.{SCHEME}.open.ms", round(delay_ms))


def link_copies(file: Path, folder: Path, count: int) -> str:
    """Makes a directory with a number of links to a file, and returns its URL in the file system."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        target = folder / f"{number:06}.log.gz"
        if not target.exists():
            os.link(file, target)
    return f"{SCHEME}://{folder.resolve()}"
