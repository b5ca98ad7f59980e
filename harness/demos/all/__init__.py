"""The six programs, one file each."""
