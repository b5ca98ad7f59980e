"""Celery, gunicorn and other programs that start workers, measured."""
