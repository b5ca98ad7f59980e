"""The machine and the files that everything else uses: memory, processors, conditions, files, errors.

Imports no other subject.
"""
