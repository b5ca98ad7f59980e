"""Fleets: many workers started together, until all have a row, and the memory of the whole process tree."""
