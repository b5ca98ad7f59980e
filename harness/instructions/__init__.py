"""Instructions that a spawned worker executes: start, engine, first query, second query."""
