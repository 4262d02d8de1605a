"""Field types, which convert texts to values and values to texts. ``registry`` has the table of all types."""
