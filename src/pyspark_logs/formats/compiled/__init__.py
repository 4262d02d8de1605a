"""Engines whose inner loops are compiled by Cython.

A *program* describes the lines of a format as tables of integers, and a *machine* runs it over the lines of a block, one
after the other, without the lock of the interpreter. Modules with a ``.pxd`` file beside them are plain Python that Cython
compiles with the types in that file: the modules ``*_machine``, those of their instructions (``opcodes``, ``render_opcodes``),
and the steps that they share. Interpreted they give the same values, slowly, for tests. :mod:`~pyspark_logs.formats.compiled.availability` decides
whether they are used.
"""
