"""Parent and worker talk at once over one connection: errors, hangs and wrong rows, counted apart."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.hazards.hazard import Hazard, HazardFigure, Severity
from harness.hazards.inside.parent import Ended, Failed, Hung, Parent, settle
from harness.hazards.inside.worker import Worker, plain

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

ISOLATION = ("READ COMMITTED", "AUTOCOMMIT") * 3
"""Of each pair of parent and worker, whose engine is its own. In a transaction the driver often notices a
stolen answer, because it was expecting another kind; in autocommit all answers are alike."""

PAIRS = len(ISOLATION)

QUERIES = 100
"""Questions each of the two asks, one after another."""

STRETCH = 10
"""Of so many the worker says that it has had the answers: two sides that garble one connection may keep each
other busy for ever, where a hundred new connections on a busy machine only take their time."""


class WrongRow(Exception):
    pass


def converse(engine: Engine, who: str) -> Iterator[int]:
    """Ask for one's own name again and again, counting answers. Raises at the first wrong row or error."""
    for number in range(QUERIES):
        name = f"{who}-{number}"
        with engine.connect() as connection:
            # A question that takes a moment: the other one's arrives while it is answered.
            row = connection.exec_driver_sql("select %s from pg_sleep(0.001)", (name,)).scalar()
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
    # All workers are started before the first thread is: threads at the fork are another hazard.
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
    seen: Counter[str] = Counter()
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
                seen[str(error)] += 1
            else:
                continue
            del talking[pair]
    # The workers have ended or hang: a thread that gets no answer any more waits for what was stolen.
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
            seen[message] += 1
    for pair in silent:
        happened[pair]["hangs"] += 1

    for kind in ("errors", "hangs", "wrong_rows"):
        parent.measure(kind, sum(bool(pair[kind]) for pair in happened) / PAIRS, PAIRS)
    affected = sum(bool(pair) for pair in happened)
    parent.tell(
        "parent",
        f"Asks {QUERIES} questions, one after another, while its worker asks as many; {PAIRS} such pairs,"
        " every other one in autocommit.",
    )
    parent.tell("worker", "The same, at the same time.")
    parent.tell("server", "Answers every question, in the order in which they came.")
    for message, count in seen.most_common(3):
        parent.tell("user", f"{message} ({count} times)")
    parent.tell("user", f"{affected} of {PAIRS} pairs failed." if affected else "Every row was right.")
    return affected > 0


HAZARD = Hazard(
    id="interleaved",
    title="Two processes talk at once",
    description=(
        "Parent and worker write their questions to one connection and both wait for its next answer. Who"
        " wakes first takes what is there: his own row, the other's, half a message. In a transaction that"
        " is often an error, since the driver was expecting an answer of another kind, and the one whose"
        " answer was taken may wait for ever. In autocommit all answers are alike, and each reads the"
        " other's rows without an error."
    ),
    symptom=(
        "lost synchronization with server. This result object does not return rows. Or a worker that hangs"
        " in a query the server has long answered. Or a user who sees another one's data."
    ),
    affected_when="Any pair has an error, a hang or a wrong row in 100 questions on each side.",
    avoidance="As for one connection in two processes: nothing pooled may cross the fork.",
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
    reproduce=reproduce,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
    # A NullPool makes 1,200 connections, each of them with a handshake and a password where those are due.
    deadline=180.0,
    figures=(
        HazardFigure("errors", "parent and worker talk at once: an error", "fraction"),
        HazardFigure("hangs", "parent and worker talk at once: a hang", "fraction"),
        HazardFigure("wrong_rows", "parent and worker talk at once: a wrong row", "fraction"),
    ),
)
