"""Line formats: compile a description once, then turn blocks of lines into Arrow columns.

One-way inside the package. The ground: ``times``, ``escapes``, ``kernels``. Then ``types`` of fields and ``template``;
the exact parser of one line (``exact``); the engine for blocks (``chain``); and the formats over them, each with what is
its own: ``templateformat`` (which presets and pasted configurations become), ``delimited``, ``json``, ``logfmt``,
``expressions``. ``decoder`` asks the engines in turn, and ``kinds`` has the table of all formats.

The way back: types render texts (``times.texts``, ``escapes``); ``fieldwriter`` says which of them a field may hold where
it stands, ``templatewriter`` and the writers of the other formats make lines of them, ``linechecks`` looks at whole
lines, ``casts`` at columns as they come; and ``encoder`` mends or refuses what would not read back.
"""
