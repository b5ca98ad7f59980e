"""Workers that connect at the same moment.

Every measured worker imports this package, so it imports nothing.
"""
