"""Pythons compared with the reference."""
