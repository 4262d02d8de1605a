"""Instants and texts: one at a time (``timestamps``) and by the column (``finding``, ``columns``); zones."""
