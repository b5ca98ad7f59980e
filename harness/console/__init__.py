"""Output for people: the terminal, and Markdown."""
