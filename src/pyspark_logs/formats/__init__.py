"""Line formats: compile a description once, then turn blocks of lines into Arrow columns.

One-way inside the package. The ground: ``timestamps``, ``zones``, ``timecolumns``, ``escapes``, ``kernels``. Then
the types (``basetypes``, ``numbertypes``, ``timetypes``, and ``fieldtypes`` with the table of all) and ``template``;
the exact parsers (``exact``, ``jsonlines``); the engines (``chain`` on ``walk``, ``delimited``, ``jsonshapes``); and
on top ``decoder``, which chooses among them.
"""
