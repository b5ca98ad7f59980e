"""Records for a driver, a Python and a pooler together, for the site's chooser and the terminal."""
