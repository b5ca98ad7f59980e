"""Finds the page that explains an error message, a stack or a few words."""
