"""Shared by the applications of all programs: the database, and the client that asks for rows."""
