"""The types of fields: how a text is a value of each, and a value a text. ``fieldtypes`` has the table of all."""
