"""The clients of a pooler: those of trials, and workers that are timed."""
