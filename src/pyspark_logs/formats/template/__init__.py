"""The template format: notation, parsers and writer."""
