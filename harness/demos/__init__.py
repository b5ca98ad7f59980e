"""Six small programs as people write them, to read and to run; `catalogue` lists them.

Each is run as a program, never imported, so that what happens to its `__main__` is real.
"""
