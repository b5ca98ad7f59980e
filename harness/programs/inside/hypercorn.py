# /// script
# dependencies = [
#     "fastapi==0.165.0", "hypercorn==0.18.0",
#     "psycopg[binary]==3.3.9", "greenlet==3.5.6",
# ]
#
# [tool.poolstart]
# title = "FastAPI with an AsyncEngine, `hypercorn --workers`"
# link = "https://hypercorn.readthedocs.io/en/latest/how_to_guides/configuring.html"
# starts = "load"
# makes = "engine = create_async_engine(URL{arguments})"
# count = "--workers {workers}"
# start = [
#     "hypercorn", "--bind", "127.0.0.1:{port}", "--workers", "2", "application:app",
# ]
# besides = """
# A lifespan runs in every worker: create tables and first rows before, or each under \
# `pg_advisory_xact_lock()`. Four workers have four pools."""
# client = "harness.programs.inside.common.wsgi"
# clock = "the call of `hypercorn`, with the request waiting"
# ///
"""hypercorn: each worker loads the application itself, so no hook is needed."""

from harness.programs.inside.common.asgi import app as app
