"""Several line formats in one file, tried in order: the option ``anyOf``."""
