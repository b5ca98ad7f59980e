"""What every other room stands on: processes and directories with an owner, memory, errors.

Imports nothing of the house.
"""
