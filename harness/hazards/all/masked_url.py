"""A URL rendered by str() has three asterisks in place of its password."""

from harness.fixes import MAKE_ENGINE
from harness.hazards.conditions import URL_PASSED
from harness.hazards.hazard import Hazard, Severity, where_a_url_is_handed
from harness.hazards.inside.handle import Failed
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.worker import Worker

PASSWORD = "a-password-of-this-trial"
"""The password for a server that requires none; libpq reports it all the same."""


def password_of(worker: Worker) -> str:
    """The password that the driver of the worker logs in with."""
    with worker.engine().connect() as connection:
        return str(connection.connection.cursor().connection.info.password)


def logs_in_by(parent: Parent, engine: Engine, url: str) -> str:
    """Start a worker with `url`; return the password that it logs in with, or the error of its connect."""
    parent.url = url
    try:
        return str(parent.start(password_of, engine=engine).answer())
    except Failed as error:
        if "authentication failed" not in str(error):
            raise
        return str(error)


def reproduce(parent: Parent) -> bool:
    from sqlalchemy.engine import make_url

    url = make_url(parent.url)
    if not url.password:
        url = url.set(password=PASSWORD)
    parent.url = url.render_as_string(hide_password=False)
    engine = parent.engine()
    parent.warm(engine)
    login = logs_in_by(parent, engine, parent.url)
    if parent.keeps_condition:
        return login != url.password
    if login != url.password:
        raise RuntimeError("a URL that was rendered with its password arrives without it")
    login = logs_in_by(parent, engine, str(engine.url))
    masked = login != url.password
    parent.tell("parent", "Logs in with the password of its URL, and hands str(engine.url) to a worker.")
    if not masked:
        parent.tell("worker", "Logs in with the same password.")
        parent.tell("server", "Lets both in.")
        parent.tell("user", "Nothing unusual.")
        return False
    refused = login != "***"
    parent.tell("worker", "Logs in with three asterisks as its password.")
    parent.tell("server", "Refuses." if refused else "Lets it in, because this server asks for no password.")
    parent.tell("user", login if refused else "Nothing, until the server asks for a password.")
    return True


HAZARD = Hazard(
    id="masked_url",
    title="A URL whose password is masked",
    description=(
        "A worker that does not inherit the engine needs its URL. Since SQLAlchemy 2.0 str(engine.url) has"
        " *** in place of the password, so that no password gets into a log; 1.4 wrote it out. The string is"
        " a valid URL: the worker creates its engine without complaint and fails when it first connects, or"
        " does not fail on a developer's server, which asks for no password."
    ),
    symptom=(
        "password authentication failed, only in the workers, since the upgrade to 2.0, although the password"
        " is right."
    ),
    affected_when="The worker's driver logs in with another password than the parent's.",
    avoidance=(
        "Use engine.url.render_as_string(hide_password=False), or pass the URL object, which can be pickled"
        " and keeps its password. Make the engine by the function that makes the parent's: a URL has no"
        " connect_args, listeners or options."
    ),
    fixes=(MAKE_ENGINE,),
    severity=Severity.LOUD_ERROR,
    messages=("password authentication failed for user",),
    links=(
        "https://github.com/ubc/compair/pull/1103",
        "https://github.com/sqlalchemy/sqlalchemy/issues/8567",
        "https://docs.sqlalchemy.org/en/20/core/engines.html#sqlalchemy.engine.URL.render_as_string",
    ),
    condition=URL_PASSED,
    affected_control="spawn",
    survives_within="the same URL, rendered with its password, must work",
    not_applicable=where_a_url_is_handed,
)
