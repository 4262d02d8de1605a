"""JSON: lines or elements of a document; a column is a path in an object."""
