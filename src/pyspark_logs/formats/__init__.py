"""File formats: from descriptions to decoders and encoders of blocks of records.

``registry`` maps the option that names a format to a ``Format`` (``interface``), by which all other packages use it. The
formats of lines (``line_format``) have a package each: ``template`` (also the target of presets and of the pasted
configurations in ``dialects``), ``json``, ``logfmt``, ``delimited``, ``regex``. ``custom`` is the format of a user-defined
class.

Reading: a ``decoder`` runs the engines of its format on blocks of lines, and a line parser on the lines that they leave.
Engines share the operations on offsets in ``columnar``, the field types in ``types``, and ``timestamps``.

Writing: a ``line_writer`` renders columns as lines by the field types; the ``encoder`` replaces or rejects values that
would not read back, which writers and ``roundtrip_checks`` find.
"""
