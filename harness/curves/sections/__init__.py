"""The sections of `docs/curves.md`, one for each curve: its law, its figure and its tables."""
