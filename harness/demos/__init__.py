"""Exhibits: six small programs as people write them, to be read and run; `catalogue` lists them.

Each file is a program of its own, so that what happens to its `__main__` is real. Nobody imports one.
"""
