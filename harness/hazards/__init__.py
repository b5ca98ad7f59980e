"""Hazards: ways in which starting worker processes loses data, returns wrong rows, hangs, fails or leaks.

`all/` has a file for each; `catalogue` lists them, `hazard` defines what each declares.
"""
