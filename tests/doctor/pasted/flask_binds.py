"""Flask-SQLAlchemy with two binds, preloaded by gunicorn."""

import json
import os
import sys

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from served import ask, serve
from sqlalchemy import text

URL = os.environ["VICTIM_URL"]
app = Flask(__name__)
app.config.update(SQLALCHEMY_DATABASE_URI=URL, SQLALCHEMY_BINDS={"reports": URL})
db = SQLAlchemy(app)
post_fork = None


def backends():
    found = []
    for engine in db.engines.values():
        with engine.connect() as connection:
            found.append(connection.execute(text("select pg_backend_pid()")).scalar())
    return found


@app.route("/")
def show():
    return json.dumps(bool(set(backends()) & set(of_master)))


# paste
# end

if __name__ == "__main__":
    if "serve" in sys.argv:
        with app.app_context():
            of_master = backends()
        serve(app, post_fork)
    sys.exit(ask(__file__))
