"""The public functions scan, write, detect, recover and vacuum, which do not need Spark."""
