"""Formats that are a regular expression.

``syntax`` (tokens, what RE2 lacks) <- ``expression`` (groups to columns) <- ``tree`` <- ``path`` (what a fast engine can
do of it); ``matching`` (RE2 over blocks, and texts to columns) <- ``engine`` (the fast one) <- ``format``.
"""
