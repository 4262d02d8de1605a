"""The formats ``regex`` and ``grok``: regular expressions with named groups.

Imports run in one direction: ``tokenizer`` <- ``expression`` <- ``grok`` <- ``decomposition``, and ``matching``
<- ``engine`` <- ``format``.
"""
