"""Vectorized operations that the engines of all formats share."""
