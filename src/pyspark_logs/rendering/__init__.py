"""Rendering of results for people: text tables, and HTML with charts for notebooks."""
