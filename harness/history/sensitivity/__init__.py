"""How far the figures can be trusted: the same release measured again and again, and injected changes."""
