"""Measurements of programs that start workers: executors, application servers and task queues."""
