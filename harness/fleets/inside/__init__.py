"""The processes of a fleet: a parent, and workers that it starts together.

Every measured worker imports this package, so it imports nothing.
"""
