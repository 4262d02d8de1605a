"""Vectorized operations shared by the engines of all formats."""
