"""The look-alikes: a file each."""
