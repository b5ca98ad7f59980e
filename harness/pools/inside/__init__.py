"""One `multiprocessing.Pool` whose initializer makes each worker's engine usable.

Imported by every measured worker: nothing is imported here.
"""
