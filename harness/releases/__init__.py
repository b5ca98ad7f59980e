"""SQLAlchemy's releases as the commit axis of the suite."""
