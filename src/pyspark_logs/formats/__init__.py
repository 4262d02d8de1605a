"""Line formats: compile a description once, then turn blocks of lines into Arrow columns.

One-way inside the package: ``timestamps`` and ``kernels`` are the ground, then ``fieldtypes``,
``template``, the engines (``exact``, ``chain``, ``delimited``, ``jsonlines``), and on top ``decoder``,
which chooses the engines.
"""
