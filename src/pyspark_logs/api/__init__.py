"""The public functions: scan, write, detect, recover and vacuum. None of them needs Spark."""
