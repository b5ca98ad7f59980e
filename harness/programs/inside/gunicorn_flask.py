# /// script
# dependencies = ["flask-sqlalchemy==3.1.1", "gunicorn==27.0.1"]
#
# [tool.poolstart]
# title = "Flask-SQLAlchemy under gunicorn, `preload_app`"
# link = "https://flask-sqlalchemy.readthedocs.io/en/stable/api/#flask_sqlalchemy.SQLAlchemy.engines"
# starts = "fork"
# count = "workers = {workers}"
# makes = 'app.config["SQLALCHEMY_BINDS"] = {None: dict(url=URL{arguments})}'
# instead = "leave out `preload_app`"
# start = ["gunicorn", "--config", "python:application", "--bind", "127.0.0.1:{port}", "application:app"]
# tasks = ["--max-requests", "1"]
# replaced = "max_requests = 1"
# besides = """
# `db.engine` is only one of the engines (`SQLALCHEMY_BINDS`), and raises outside of an application context. \
# Options of the engines are `SQLALCHEMY_ENGINE_OPTIONS`. A scheduler starts in `post_fork`, or in a process \
# of its own."""
# client = "harness.programs.inside.common.wsgi"
# clock = "the call of `gunicorn`, with the request waiting"
# ///
"""Flask-SQLAlchemy: this module is gunicorn's configuration file and the application."""

from typing import Any

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy

from harness.programs.inside.common.database import URL, row, warm

workers = 2
preload_app = True
# A worker that holds a row sends no heartbeat.
timeout = 120

app = Flask("application")
app.config["SQLALCHEMY_DATABASE_URI"] = URL
db = SQLAlchemy(app)


@app.get("/")
def answer() -> Any:
    return row(request.query_string.decode(), db.engine)


with app.app_context():
    warm(db.engine)


# hook
def post_fork(server: Any, worker: Any) -> None:
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose(close=False)


# end of hook
