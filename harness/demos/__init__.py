"""Six small programs as people write them, to read and to run; `catalogue` lists them.

Each is run as a program and never imported, so that its `__main__` behaves as in a real program.
"""
