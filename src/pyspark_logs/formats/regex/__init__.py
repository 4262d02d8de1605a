"""The formats ``regex`` and ``grok``: regular expressions with named groups.

Imports run in one direction: ``tokenizer`` <- ``expression`` <- ``grok`` <- ``decomposition`` (expressions), and
``line_parser`` <- ``decoder``, ``engine`` <- ``format`` (lines).
"""
