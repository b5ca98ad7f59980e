"""Hazards: the ways in which a start of worker processes loses, corrupts, hangs or leaks.

`catalogue` lists them, one file a hazard; `trials` runs one in a parent program of its own; `table`
runs them all; `record` holds the verdicts that are expected of a release.
"""
