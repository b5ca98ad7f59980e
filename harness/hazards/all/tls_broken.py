"""A TLS connection used by two processes fails at once."""

from harness.fixes import EVERY_ENGINE, OTHER_CONNECTION, OWN_CONNECTIONS
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Failed, Hung
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.session import wrong_row
from harness.hazards.inside.worker import Worker


def query(worker: Worker) -> str:
    with worker.engine().connect() as connection:
        return str(connection.exec_driver_sql("select 'worker'").scalar())


def reproduce(parent: Parent) -> bool:
    engine = parent.engine()
    session = parent.warm(engine)
    parent.tell("parent", f"Has used its engine once, over TLS; its backend is {session.backend}.")
    worker = parent.start(query, engine=engine)
    try:
        answer = worker.answer()
        worker.join()
    except (Failed, Hung) as failed:
        parent.tell("worker", f"Its query fails: {failed}.")
        parent.tell("user", str(failed))
        return True
    parent.tell("worker", f"Its query returns {answer!r}.")
    if error := wrong_row(engine):
        parent.tell("server", "Receives a record number twice, and ends the session.")
        parent.tell("parent", "Its next query fails.")
        parent.tell("user", error)
        return True
    parent.tell("parent", "Its next query succeeds.")
    parent.tell("server", "Sees a session for each.")
    parent.tell("user", "Nothing unusual.")
    return bool(answer != "worker")


HAZARD = Hazard(
    id="tls_broken",
    title="A TLS connection in two processes",
    description=(
        "TLS numbers its records in each direction. After a fork both processes continue from the same"
        " number: as soon as both have written, the server receives a number twice and cannot decrypt the"
        " record. What is silent without TLS always fails with it, which is why the same program works only"
        " on the developer's machine."
    ),
    symptom=(
        "SSL error: decryption failed or bad record mac. Or: SSL connection has been closed unexpectedly."
    ),
    affected_when="A query of the worker, or the parent's next query, fails.",
    avoidance=f"{OWN_CONNECTIONS} Switching TLS off only makes the failure silent.",
    fixes=(EVERY_ENGINE, OTHER_CONNECTION),
    severity=Severity.LOUD_ERROR,
    messages=(
        "SSL error: decryption failed or bad record mac",
        "SSL connection has been closed unexpectedly",
    ),
    links=(
        "https://github.com/celery/celery/issues/1564",
        "https://github.com/taranis-ai/taranis-ai/issues/381",
        "https://github.com/onyx-dot-app/onyx/pull/1375",
    ),
    by_driver=True,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
    needs_tls=True,
)
