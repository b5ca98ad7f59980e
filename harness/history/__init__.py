"""Figures over releases: measured, change points, retests, causes."""
