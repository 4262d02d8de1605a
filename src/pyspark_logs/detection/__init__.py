"""Detection of the line format of a file.

Every format that is likely reads the beginning of the file, in the same way as a query would. The formats are ranked by
the number of records that match and by how much the columns tell about a record: the template ``{line}`` matches every
line and tells nothing.

A file whose lines have several formats is divided by the beginnings of its lines (``mixed``), and each part is ranked.

Imports run in one direction: ``ranking`` -> ``candidate``, ``mixed``, ``trial_formats``, ``samples``, ``scores`` -> ``heads``,
``proposal`` -> ``value_patterns``; ``layouts`` depends on none of them.
"""
