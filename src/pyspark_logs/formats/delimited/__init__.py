"""Formats of lines with separated values: CSV, TSV, W3C extended log files."""
