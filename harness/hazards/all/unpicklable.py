"""An engine cannot be pickled, so it cannot be passed to a worker that does not inherit it."""

import multiprocessing
from typing import Any

from harness.fixes import MAKE_ENGINE, RETURN_ROWS
from harness.hazards.conditions import URL_PASSED
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import START_DEADLINE
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.worker import plain


def use(engine: Engine, pipe: Any) -> None:
    pipe.send(engine.dialect.name)


def use_url(url: str, pipe: Any) -> None:
    from sqlalchemy import create_engine

    use(create_engine(url), pipe)


def reproduce(parent: Parent) -> bool:
    """Pass the engine as an argument, as users try first, instead of what the strategy would pass."""
    engine = parent.engine()
    context: Any = multiprocessing.get_context(parent.strategy.start_method)
    ours, theirs = context.Pipe()
    parent.tell("parent", "Starts Process(target=use, args=(engine,)).")
    if parent.keeps_condition:
        process = context.Process(target=use_url, args=(parent.url, theirs))
    else:
        process = context.Process(target=use, args=(engine, theirs))
    try:
        process.start()
    except Exception as error:  # AttributeError, TypeError or PicklingError, by release
        parent.tell("worker", "Is never started: its arguments are pickled, and an engine does not pickle.")
        parent.tell("server", "Nothing: no worker connects.")
        parent.tell("user", plain(error))
        return True
    if not ours.poll(START_DEADLINE):
        raise RuntimeError("the worker took its argument and did not answer")
    name = ours.recv()
    process.join()
    parent.tell("worker", f"Has the engine, for {name}: nothing was pickled, its memory was copied.")
    parent.tell("server", "Nothing: the worker only looks at its engine.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="unpicklable",
    title="An engine passed as an argument",
    description=(
        "With spawn and forkserver the arguments of a worker are pickled. An engine contains sockets, locks"
        " and local functions and cannot be pickled; nor can an object that contains an engine, such as a"
        " bound session. What a worker returns is pickled as well: a Result, or an object that is attached to"
        " a session, fails with MaybeEncodingError."
    ),
    symptom=(
        "Can't pickle local object 'create_engine.<locals>.connect'. Or: cannot pickle '_thread.lock' object."
    ),
    affected_when="Process.start() raises when an engine is among the arguments.",
    avoidance=(
        "Write one function that makes the engine, with its connect_args, listeners and options, and call it"
        " in the parent and in each worker; make sessions there too. Pass what it needs, such as the URL:"
        " engine.url.render_as_string(hide_password=False). create_engine(url) alone, in the worker,"
        " silently loses what else the parent's engine has: another schema, another role."
    ),
    fixes=(MAKE_ENGINE, RETURN_ROWS),
    severity=Severity.LOUD_ERROR,
    messages=(
        "Can't pickle local object 'create_engine.<locals>.connect'",
        "Can't get local object 'create_engine.<locals>.connect'",
        "cannot pickle '_thread.lock' object",
    ),
    links=(
        "https://github.com/sqlalchemy/sqlalchemy/issues/10077",
        "https://github.com/sqlalchemy/sqlalchemy/issues/9788",
        "https://github.com/toluaina/pgsync/issues/255",
    ),
    condition=URL_PASSED,
    affected_control="spawn",
    survives_control="fork_dispose",
)
