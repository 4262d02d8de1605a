"""``key=value`` pairs, in any order."""
