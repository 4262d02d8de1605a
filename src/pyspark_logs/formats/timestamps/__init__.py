"""Timestamps: parsing and rendering, one value at a time and by the column."""
