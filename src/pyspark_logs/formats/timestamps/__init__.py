"""Timestamps: parsing and rendering, of single texts and of columns."""
