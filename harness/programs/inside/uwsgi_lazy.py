# /// script
# dependencies = ["pyuwsgi==2.0.30.post1"]
#
# [tool.poolstart]
# title = "uWSGI, `lazy-apps`"
# link = "https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html"
# starts = "load"
# count = "processes = {workers}"
# start = [
#     "uwsgi", "--http-socket", "127.0.0.1:{port}", "--master", "--processes", "2", "--die-on-term",
#     "--module", "application:app", "--need-app", "--lazy-apps",
# ]
# tasks = ["--max-requests", "1", "--min-worker-lifetime", "0"]
# replaced = "max-requests = 1, min-worker-lifetime = 0"
# client = "harness.programs.inside.common.wsgi"
# clock = "the call of `uwsgi`, with the request waiting"
# ///
"""uWSGI with `lazy-apps`: each worker loads the application itself, so no hook is needed."""

from harness.programs.inside.common.database import warm
from harness.programs.inside.common.wsgi import app as app

warm()
