"""Figures over releases: measured, what each release changed, causes."""
