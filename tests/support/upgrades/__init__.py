"""The programs behind docs/pythons.md, each of which prints what the Python that runs it does.

Each is run as a script, never imported, with the standard library, SQLAlchemy and psycopg2, and what it says.
"""
