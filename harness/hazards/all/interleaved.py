"""Parent and worker query over one connection at once; errors, hangs and wrong rows are counted apart."""

import queue
import threading
from collections import Counter
from collections.abc import Iterator

from harness.fixes import EVERY_ENGINE, OTHER_CONNECTION, OWN_CONNECTIONS
from harness.hazards.hazard import Hazard, HazardFigure, Severity
from harness.hazards.inside.handle import Ended, Failed, Hung, settle
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.worker import Worker, plain

ISOLATION = ("READ COMMITTED", "AUTOCOMMIT") * 3
"""The isolation level of each pair of parent and worker; each pair has an engine of its own. In a transaction
the driver often notices a stolen answer, because it expected another kind; in autocommit all look alike."""

PAIRS = len(ISOLATION)

QUERIES = 100
"""Queries that each of the two processes sends, one after another."""

STRETCH = 10
"""Answers after which the worker reports. Two processes that garble one connection may keep each other busy
forever, while a hundred new connections on a busy machine only take long."""


class WrongRow(Exception):
    pass


def converse(engine: Engine, who: str) -> Iterator[int]:
    """Query one's own name again and again, yielding the number of answers. Raises at the first wrong row."""
    from sqlalchemy import text

    for number in range(QUERIES):
        name = f"{who}-{number}"
        with engine.connect() as connection:
            # The query takes a moment, so that the other process's query arrives while it is answered.
            row = connection.execute(text("select :name from pg_sleep(0.001)"), {"name": name}).scalar()
        if row != name:
            raise WrongRow(f"{name} read {row}")
        yield number + 1


def talk(worker: Worker) -> None:
    engine = worker.engine()
    worker.report("listening")
    worker.wait()
    for answers in converse(engine, "worker"):
        if answers % STRETCH == 0:
            worker.report(answers)


def parent_side(
    engine: Engine, pair: int, answers: list[int], results: queue.SimpleQueue[tuple[int, str]]
) -> None:
    try:
        for answers[pair] in converse(engine, "parent"):
            pass
    except Exception as error:
        results.put((pair, plain(error)))
    else:
        results.put((pair, ""))


def kind_of(message: str) -> str:
    return "wrong_rows" if message.startswith("WrongRow") else "errors"


def reproduce(parent: Parent) -> bool:
    # All workers start before the first thread, since threads at the fork are another hazard.
    engines = [parent.engine(isolation_level=isolation) for isolation in ISOLATION]
    for engine in engines:
        parent.warm(engine)
    workers = [parent.start(talk, engine=engine) for engine in engines]
    for worker in workers:
        worker.answer()
    results: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
    answers = [0] * PAIRS
    for pair, engine in enumerate(engines):
        workers[pair].say()
        threading.Thread(target=parent_side, args=(engine, pair, answers, results), daemon=True).start()

    happened: list[Counter[str]] = [Counter() for _ in range(PAIRS)]
    messages: Counter[str] = Counter()
    talking = dict(enumerate(workers))
    for _ in range(QUERIES // STRETCH):
        settle(tuple(talking.values()))
        for pair, worker in tuple(talking.items()):
            try:
                worker.answer()
            except Hung:
                happened[pair]["hangs"] += 1
            except (Failed, Ended) as error:
                happened[pair][kind_of(str(error))] += 1
                messages[str(error)] += 1
            else:
                continue
            del talking[pair]
    # The workers have ended or hang, so a thread that gets no more answers waits for one that was stolen.
    silent = set(range(PAIRS))
    while silent:
        before = tuple(answers)
        try:
            pair, message = results.get(timeout=parent.silence)
        except queue.Empty:
            if before == tuple(answers):
                break
            continue
        silent.discard(pair)
        if message:
            happened[pair][kind_of(message)] += 1
            messages[message] += 1
    for pair in silent:
        happened[pair]["hangs"] += 1

    for kind in ("errors", "hangs", "wrong_rows"):
        parent.measure(kind, sum(bool(pair[kind]) for pair in happened) / PAIRS, PAIRS)
    affected = sum(bool(pair) for pair in happened)
    parent.tell(
        "parent",
        f"Sends {QUERIES} queries, one after another, while its worker sends as many; {PAIRS} such pairs,"
        " every other one in autocommit.",
    )
    parent.tell("worker", "The same, at the same time.")
    parent.tell("server", "Answers all queries, in the order in which they arrive.")
    for message, count in messages.most_common(3):
        parent.tell("user", f"{message} ({count} times)")
    parent.tell("user", f"{affected} of {PAIRS} pairs failed." if affected else "Every row was right.")
    return affected > 0


HAZARD = Hazard(
    id="interleaved",
    title="Two processes query over one connection at once",
    description=(
        "Parent and worker send their queries over one connection, and both wait for its next answer. The one"
        " that wakes up first reads what has arrived: its own row, the other's row, or half a message. In a"
        " transaction this is often an error, because the driver expected an answer of another kind, and the"
        " process whose answer was taken may wait for ever. In autocommit all answers look alike, and each"
        " process reads the other's rows without an error."
    ),
    symptom=(
        "lost synchronization with server. This result object does not return rows. Or a worker hangs in a"
        " query that the server answered long ago. Or a user sees another user's data."
    ),
    affected_when=(
        "Any pair of parent and worker has an error, a hang or a wrong row in 100 queries on each side."
    ),
    avoidance=OWN_CONNECTIONS,
    fixes=(EVERY_ENGINE, OTHER_CONNECTION),
    severity=Severity.WRONG_DATA,
    messages=(
        "error with status PGRES_TUPLES_OK and no message from the libpq",
        "This result object does not return rows. It has been closed automatically.",
        "server closed the connection unexpectedly",
    ),
    links=(
        "https://github.com/sqlalchemy/sqlalchemy/issues/7984",
        "https://github.com/benoitc/gunicorn/issues/1953",
        "https://www.psycopg.org/docs/usage.html#thread-and-process-safety",
    ),
    by_driver=True,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
    # NullPool makes 1,200 connections, and some servers require a TLS handshake and a password for each.
    deadline=180.0,
    figures=(
        HazardFigure(
            "errors",
            "parent and worker query at once: an error",
            "fraction",
            f"{QUERIES} queries each over one connection; half of the pairs READ COMMITTED, half AUTOCOMMIT",
        ),
        HazardFigure("hangs", "parent and worker query at once: a hang", "fraction", "the same trials"),
        HazardFigure(
            "wrong_rows", "parent and worker query at once: a wrong row", "fraction", "the same trials"
        ),
    ),
)
