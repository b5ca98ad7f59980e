"""Drivers compared with the reference."""
