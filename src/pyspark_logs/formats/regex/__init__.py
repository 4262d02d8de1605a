"""The formats ``regex`` and ``grok``: regular expressions with named groups.

Imports run in one direction: ``expression`` <- ``grok`` <- ``decomposition`` (expressions), and
``line_parser`` <- ``decoder``, ``engine`` <- ``format`` (lines).
"""
