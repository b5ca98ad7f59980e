"""Measurements of `multiprocessing.Pool` with an initializer."""
