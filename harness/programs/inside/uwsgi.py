# /// script
# dependencies = ["pyuwsgi==2.0.30.post1"]
#
# [tool.poolstart]
# title = "uWSGI"
# link = "https://uwsgi-docs.readthedocs.io/en/latest/PythonDecorators.html#uwsgidecorators.postfork"
# starts = "fork"
# count = "processes = {workers}"
# instead = "set `lazy-apps = true`"
# start = [
#     "uwsgi", "--http-socket", "127.0.0.1:{port}", "--master", "--processes", "2", "--die-on-term",
#     "--module", "application:app", "--need-app",
# ]
# tasks = ["--max-requests", "1", "--min-worker-lifetime", "0"]
# replaced = "max-requests = 1, min-worker-lifetime = 0"
# client = "harness.programs.inside.common.wsgi"
# besides = """
# `os.register_at_fork()` instead of `@postfork` does nothing here: uWSGI runs its handlers only if it is \
# started with `--py-call-uwsgi-fork-hooks`. Threads need `--enable-threads`, and are started in \
# `@postfork`."""
# clock = "the call of `uwsgi`, with the request waiting"
# ///
"""uWSGI with its defaults: the application is loaded once, before the workers are forked."""

from uwsgidecorators import postfork

from harness.programs.inside.common.database import engine, warm
from harness.programs.inside.common.wsgi import app as app

warm()


# hook
@postfork
def own_connections() -> None:
    engine.dispose(close=False)


# end of hook
