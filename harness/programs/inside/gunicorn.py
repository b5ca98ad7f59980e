# /// script
# dependencies = ["gunicorn==27.0.1"]
#
# [tool.poolstart]
# title = "gunicorn, `preload_app`"
# link = "https://docs.gunicorn.org/en/stable/settings.html#post-fork"
# starts = "fork"
# count = "workers = {workers}"
# instead = "leave out `preload_app`"
# severs = "sever_in_every_child(engine)"
# start = ["gunicorn", "--config", "python:application", "--bind", "127.0.0.1:{port}", "application:app"]
# tasks = ["--max-requests", "1"]
# replaced = "max_requests = 1"
# besides = """
# Flask-SQLAlchemy: `with app.app_context():` and in it `for engine in db.engines.values():` dispose of \
# each. `db.engine` raises outside of an application context, and is only one of them. A scheduler, or a \
# pool with threads of its own, such as psycopg_pool's: start or open it in `post_fork`."""
# client = "harness.programs.inside.common.wsgi"
# clock = "the call of `gunicorn`, with the request waiting"
# ///
"""gunicorn: this module is its configuration file and the application."""

from typing import Any

from harness.programs.inside.common.database import engine, warm
from harness.programs.inside.common.wsgi import app as app

workers = 2
preload_app = True
# A worker that holds a row sends no heartbeat.
timeout = 120

warm()


# hook
def post_fork(server: Any, worker: Any) -> None:
    engine.dispose(close=False)


# end of hook
