"""A library that computes in threads of its own does not have them in a forked worker."""

import importlib
import importlib.util

from harness.hazards.conditions import ONE_THREAD
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Hung
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker

NUMBERS = 1000


def needs_polars() -> str:
    if importlib.util.find_spec("polars"):
        return ""
    return "polars is not installed; `uv run --with polars poolstart hazards native_threads` has it"


def total() -> int:
    """A sum, by a query that polars runs in its threads."""
    polars = importlib.import_module("polars")
    frame = polars.DataFrame({"number": range(NUMBERS)})
    return int(frame.lazy().select(polars.col("number").sum()).collect().item())


def compute(worker: Worker) -> int:
    return total()


def reproduce(parent: Parent) -> bool:
    # A program that keeps the condition computes the same sum without polars, so no thread is started.
    expected = sum(range(NUMBERS)) if parent.keeps_condition else total()
    parent.tell("parent", "Sums a column with polars, which starts its threads, and then starts a worker.")
    parent.tell("server", "Nothing: no database is involved.")
    worker = parent.start(compute)
    try:
        answer = worker.answer()
    except Hung as hung:
        if not hung.inside("polars/lazyframe/engine.py") and not hung.inside("polars/lazyframe/frame.py"):
            raise RuntimeError(f"the worker hangs, but not in polars: {hung}") from None
        parent.tell("worker", f"Gives its sum to threads that only the parent has, and waits: {hung}.")
        parent.tell("user", "A worker that hangs in its first operation on a frame.")
        return True
    parent.tell("worker", f"Sums its column with threads of its own: {answer}.")
    parent.tell(
        "user", "Nothing unusual." if answer == expected else f"A wrong sum: {answer} for {expected}."
    )
    return bool(answer != expected)


HAZARD = Hazard(
    id="native_threads",
    title="A DataFrame library's own threads",
    description=(
        "polars computes in a pool of native threads, of which Python knows nothing. fork copies the pool's"
        " queues and locks, and none of its threads: the worker puts its work into a queue that no thread"
        " empties. Python warns only about its own threads; polars 1 warned at the fork, 2.1 does not. Every"
        " library with a thread pool does the same unless it recreates the pool after a fork."
    ),
    symptom="Workers that use polars hang under fork as soon as the parent has used it, and use no CPU.",
    affected_when="The worker's sum never arrives.",
    avoidance=(
        'Use multiprocessing.get_context("spawn") or "forkserver", as polars\' own documentation demands.'
    ),
    severity=Severity.HANG,
    messages=("Using fork() can cause Polars to deadlock in the child process.",),
    links=(
        "https://docs.pola.rs/user-guide/misc/multiprocessing/",
        "https://github.com/pola-rs/polars/issues/20284",
    ),
    condition=ONE_THREAD,
    affected_control="fork_dispose",
    survives_control="spawn",
    missing=needs_polars,
    follows_releases=False,
)
