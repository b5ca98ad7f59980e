"""What is on record for a driver, a Python and a pooler together: the site's chooser, and the terminal."""
