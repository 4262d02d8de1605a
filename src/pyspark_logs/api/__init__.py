"""The public functions that do not need Spark: scan, dataset, write, detect, preview, check, plan, and those for jobs."""
