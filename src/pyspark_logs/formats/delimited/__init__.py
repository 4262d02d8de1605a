"""Values between separators: CSV, TSV, W3C; columns by a header or by their places."""
