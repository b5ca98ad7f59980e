"""Diagnosis of the user's own program: which process uses whose connection, and which waits for ever.

`evidence/` collects, one module for each kind of evidence, and draws no conclusions. `judge.py` is pure: from
evidence to findings. `report.py` prints them. Everything here but `evidence/server.py` needs only the
standard library.
"""
