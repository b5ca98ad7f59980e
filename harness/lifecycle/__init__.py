"""One worker from `Process.start()` to its exit: the parent program, the worker, guards and samples.

Imported by every measured worker: nothing is imported here.
"""
