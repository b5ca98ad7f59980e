"""A `multiprocessing.Pool` whose initializer makes each worker's engine usable.

Every measured worker imports this package, so it imports nothing.
"""
