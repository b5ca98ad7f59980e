"""gunicorn with a preloaded application: what the master and each worker report."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request

from gunicorn.app.base import BaseApplication


def serve(application, post_fork=None):
    """Serve with two workers at the port PORT; `ready` on standard output for each."""

    class Server(BaseApplication):
        def load_config(self):
            self.cfg.set("bind", f"127.0.0.1:{os.environ['PORT']}")
            self.cfg.set("preload_app", True)
            self.cfg.set("loglevel", "error")
            if post_fork:
                self.cfg.set("post_fork", post_fork)
            self.cfg.set("post_worker_init", lambda worker: print("ready", flush=True))

        def load(self):
            return application

    del sys.argv[1:]
    Server().run()


def ask(program):
    """Start a program that serves, and return its answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environment = {**os.environ, "PORT": port}
    command = [sys.executable, program, "serve"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == "ready\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=60) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError:
        return None
    finally:
        server.terminate()
        server.wait()
