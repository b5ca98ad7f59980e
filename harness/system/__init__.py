"""What all other subjects use: memory, processors, conditions of the machine, files, errors.

It imports no other subject.
"""
