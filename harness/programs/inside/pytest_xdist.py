# /// script
# dependencies = ["pytest==9.2.0", "pytest-xdist==3.8.0"]
#
# [tool.poolstart]
# title = "pytest-xdist"
# link = "https://pytest-xdist.readthedocs.io/en/stable/how-to.html"
# starts = "load"
# count = "-n {workers}"
# start = ["pytest", "-p", "no:cacheprovider", "-n", "2", "--maxschedchunk", "1", "application.py"]
# client = "harness.programs.inside.common.files"
# clock = "the call of `pytest`, with the token waiting"
# besides = """
# Each worker is a process of its own that runs the fixtures of the session too: a database, a schema or \
# rows with fixed keys collide (`duplicate key value`, `already exists`, `is being accessed by other \
# users`). Give each worker a database named by the `worker_id` fixture, or let the first one make it under \
# a lock."""
# ///
"""pytest-xdist: each worker loads the tests itself, so no hook is needed."""

import pytest

from harness.programs.inside.common.database import row, warm
from harness.programs.inside.common.files import serve

warm()


@pytest.mark.parametrize("number", range(100))
def test_row(number: int) -> None:
    serve(row)
