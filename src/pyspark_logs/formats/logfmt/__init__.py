"""Format of lines of ``key=value`` pairs."""
