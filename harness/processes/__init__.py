"""Processes that poolstart starts: supervised, watched, waited for, and put on hosts of their own."""
