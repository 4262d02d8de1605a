"""Format of JSON records: lines of a file, or elements of an array in a document."""
