"""Rendering of columns as lines, the surroundings of fields in them, and the checks that lines read back equal."""
