"""The engine that walks a template through all lines of a block at once."""
