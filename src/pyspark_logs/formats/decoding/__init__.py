"""Decoding of lines to columns: engines first, then the search for mismatches and the line parser."""
