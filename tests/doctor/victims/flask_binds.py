"""Flask-SQLAlchemy with a second bind, preloaded by gunicorn: one of two engines is treated."""

from typing import Any

from common import BROKEN, URL, query
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config.update(SQLALCHEMY_DATABASE_URI=URL, SQLALCHEMY_BINDS={"reports": URL})
db = SQLAlchemy(app)
workers = 2


def post_fork(server: Any, worker: Any) -> None:
    """gunicorn reads its settings from this file as well."""
    import flask_binds

    with flask_binds.app.app_context():
        engines = flask_binds.db.engines.values()
        for engine in [flask_binds.db.engine] if BROKEN else engines:
            engine.dispose(close=False)


@app.route("/")
def show() -> str:
    for engine in db.engines.values():
        query(engine)
    return "row"


if __name__ == "__main__":
    from served import serve_with_gunicorn

    serve_with_gunicorn("flask_binds")
elif __name__ == "flask_binds":
    with app.app_context():
        for engine in db.engines.values():
            query(engine)
