"""Every hazard, one file each."""
