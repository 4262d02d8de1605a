"""Runs the command line as ``python -m pyspark_logs``."""

import sys

from pyspark_logs.cli import main

if __name__ == "__main__":
    sys.exit(main())
