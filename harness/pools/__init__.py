"""`multiprocessing.Pool`, measured."""
