"""asv's plugin: SQLAlchemy releases as commits, each installed in an environment of its own."""
