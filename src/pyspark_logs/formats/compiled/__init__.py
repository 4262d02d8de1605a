"""Engines whose inner loops are compiled by Cython.

A *program* describes the lines of a format as tables of integers, and a *machine* runs it over the lines of a block, one
after the other, without the lock of the interpreter. ``primitives``, ``times``, ``scalars``, ``strings``, ``output``,
``keys`` and the modules ``*_machine`` are plain Python that Cython compiles with the types in the ``.pxd`` file beside
each; interpreted they give the same values, slowly, for tests. :mod:`~pyspark_logs.formats.compiled.availability` decides
whether they are used.
"""
