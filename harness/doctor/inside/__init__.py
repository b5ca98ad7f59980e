"""What is put into the observed processes: standard library only, for Python 3.9 and SQLAlchemy 1.4 or later.

This folder is at the front of their `PYTHONPATH`, and Python imports its `sitecustomize` at the start.
"""
