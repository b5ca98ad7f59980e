"""`flask run --debug`: the process that reloads and the one that serves both import the application."""

from common import BROKEN, URL, query
from flask import Flask
from sqlalchemy import create_engine

engine = create_engine(URL)
app = Flask(__name__)


@app.route("/")
def show() -> str:
    query(engine)
    return "row"


if __name__ == "__main__":
    from served import free_port, serve

    port = free_port()
    serve(["flask", "--app", "flask_reloader", "run", "--debug", "--port", str(port)], port)
else:
    query(engine)
    if not BROKEN:
        engine.dispose(close=False)
