"""asv's plugin: SQLAlchemy releases are its commits, each installed in an environment of its own."""
