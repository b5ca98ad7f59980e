"""Flask-SQLAlchemy with two binds, preloaded by gunicorn; the master has used both."""

import os
import subprocess
import sys
import urllib.request

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from gunicorn.app.base import BaseApplication
from sqlalchemy import text

URL = os.environ["URL"]
app = Flask(__name__)
app.config.update(SQLALCHEMY_DATABASE_URI=URL, SQLALCHEMY_BINDS={"reports": URL})
db = SQLAlchemy(app)
engines = []


# broken: workers
def every_engine():
    return []


def own_connections(engines):
    db.engine.dispose(close=False)


# end


def backends():
    found = []
    for name in (None, "reports"):
        with db.engines[name].connect() as connection:
            found.append(str(connection.execute(text("select pg_backend_pid()")).scalar()))
    return " ".join(found)


@app.route("/")
def show():
    return f"{os.getpid()} {backends()}"


class Server(BaseApplication):
    def load_config(self):
        self.cfg.set("bind", f"127.0.0.1:{os.environ['PORT']}")
        self.cfg.set("preload_app", True)
        self.cfg.set("when_ready", lambda server: engines.extend(every_engine()))
        self.cfg.set("post_fork", lambda server, worker: own_connections(engines))
        self.cfg.set("post_worker_init", lambda worker: print("ready", flush=True))

    def load(self):
        with app.app_context():
            print("master", backends(), flush=True)
        return app


if __name__ == "__main__":
    if "serve" in sys.argv:
        del sys.argv[1:]
        Server().run()
    serving = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    lines = []
    for line in serving.stdout:
        lines.append(line.strip())
        if lines[-1] == "ready":
            break
    else:
        sys.exit(serving.wait() and 1)  # the log is on standard error
    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}") as answer:
        _, *worker = answer.read().decode().split()
    serving.terminate()
    serving.wait()
    _, *master = lines[0].split()
    print("master", *master, "worker", *worker)
    sys.exit(1 if set(master) & set(worker) else 0)
