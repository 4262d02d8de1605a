"""grok: regular expressions made of named patterns, and the library of those.

``pattern`` (what one is) <- ``core``, ``servers``, ``ecs`` (tables) <- ``library`` <- ``expansion`` (to an expression).
"""
