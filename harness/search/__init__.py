"""From an error message, a stack or a few words to the page that explains it."""
