"""Hazards: the ways in which a start of worker processes loses, corrupts, hangs or leaks.

One file a hazard, and the type they fill in; `catalogue` lists them.
"""
