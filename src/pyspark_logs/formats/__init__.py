"""Line formats: compile a description once, then turn blocks of lines into Arrow columns.

One-way inside the package. The ground: ``timestamps``, ``zones``, ``timeshapes``, ``timecolumns``, ``escapes``, ``kernels``. Then
the types (``basetypes``, ``numbertypes``, ``timetypes``, and ``fieldtypes`` with the table of all) and ``template``;
the exact parsers (``exact``, ``jsonlines``); the engines (``chain`` on ``walk``, ``delimited``, ``jsonshapes``); and
on top ``decoder``, which chooses among them.

The way back: types render texts (``timetexts``, ``nestedtexts``, ``escapes``); ``fieldwriter`` says which of them a
field may hold where it stands, ``templatewriter`` and ``jsonwriter`` make lines of them, ``linechecks`` looks at
whole lines, ``casts`` at columns as they come; and ``encoder`` mends or refuses what would not read back.
"""
