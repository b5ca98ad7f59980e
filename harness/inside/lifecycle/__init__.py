"""One worker from `Process.start()` to its exit.

Imported by every measured worker: nothing is imported here.
"""
