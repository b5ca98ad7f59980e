"""Forked workers draw the same identifiers, because each has a copy of the generator."""

import random
from collections.abc import Callable
from typing import Any

from harness.fixes import OWN_GENERATOR
from harness.hazards.conditions import OWN_GENERATORS
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Connection, Engine, Parent
from harness.hazards.inside.worker import Worker

BLOCK = 100
"""Numbers that a process reserves at a time from a sequence of the database (hi/lo)."""

GENERATORS: dict[str, Any] = {}
"""The generators of this process; empty in a spawned worker."""

CONTROL = "random.getrandbits"
"""Python seeds the module `random` again after a fork."""

Draw = Callable[[Connection, str], int]
"""A function that draws an identifier; it takes a connection, and the name of a sequence."""


def from_random(connection: Connection, sequence: str) -> int:
    return random.getrandbits(62)


def from_own_random(connection: Connection, sequence: str) -> int:
    return int(GENERATORS.setdefault("random", random.Random()).getrandbits(62))


def from_numpy(connection: Connection, sequence: str) -> int:
    import numpy

    return int(GENERATORS.setdefault("numpy", numpy.random.default_rng()).integers(2**62))


def from_block(connection: Connection, sequence: str) -> int:
    block: list[int] = GENERATORS.setdefault("block", [])
    if not block:
        high = int(connection.exec_driver_sql(f"select nextval('{sequence}')").scalar() or 0)
        block += range(high * BLOCK, (high + 1) * BLOCK)
    return block.pop(0)


DRAWS: dict[str, Draw] = {
    CONTROL: from_random,
    "random.Random()": from_own_random,
    "numpy.random.default_rng()": from_numpy,
    "a block of a sequence": from_block,
}


def store(engine: Engine, table: str, who: str) -> None:
    """Store a row under a new identifier of each kind; a row that has it already is replaced."""
    with engine.begin() as connection:
        for kind, draw in DRAWS.items():
            number = draw(connection, f"{table}_high")
            connection.exec_driver_sql(
                f"insert into {table} values ('{kind}', {number}, '{who}')"
                " on conflict (kind, id) do update set who = excluded.who"
            )


def work(worker: Worker, table: str, who: str, own: bool) -> None:
    engine = worker.engine()
    if own:
        GENERATORS.clear()
    store(engine, table, who)


def reproduce(parent: Parent) -> bool:
    with parent.table("kind text, id bigint, who text, primary key (kind, id)") as table:
        parent.ask(f"create sequence {table}_high owned by {table}.id")
        engine = parent.engine()
        store(engine, table, "parent")
        engine.dispose()  # shared connections are another hazard
        parent.tell(
            "parent", "Has generators of identifiers, and stores a row under a new identifier of each."
        )
        for who in ("first", "second"):
            worker = parent.start(work, table, who, parent.keeps_condition, engine=engine)
            worker.answer()
            worker.join()
            parent.tell("worker", f"The {who} stores a row under a new identifier of each generator.")
        rows = {kind: parent.ask(f"select count(*) from {table} where kind = %s", kind) for kind in DRAWS}
    parent.tell(
        "server", f"Has of 3 rows: {', '.join(f'{number} by {kind}' for kind, number in rows.items())}."
    )
    if rows[CONTROL] != 3:
        raise RuntimeError(f"{rows[CONTROL]} of 3 rows under identifiers that cannot be equal")
    lost = [kind for kind, number in rows.items() if number < 3]
    parent.tell(
        "user",
        f"No error, and rows are gone that had identifiers of {', '.join(lost)}."
        if lost
        else "Nothing unusual.",
    )
    return bool(lost)


HAZARD = Hazard(
    id="copied_ids",
    title="Identifiers from a copied generator",
    description=(
        "fork copies every generator of identifiers in its present state: a random.Random(), numpy's"
        " generators, a counter such as that of snowflake numbers, a block of numbers reserved from a"
        " sequence. All workers then draw the same identifiers, in the same order. Where the identifier is a"
        " key the second insert fails; with `on conflict do update` or `merge()` it replaces another worker's"
        " row without an error; tokens, trace ids and file names are simply no longer unique. Python seeds"
        " the module random again after a fork, and uuid.uuid4() and secrets ask the system each time. A"
        " generator in a module that the fork server preloads is copied likewise. The same seed in every"
        " worker, such as random.seed(42) at import, has this effect under every start method."
    ),
    symptom=(
        "duplicate key value violates unique constraint, for random keys. Or rows of one worker replace those"
        " of another."
    ),
    affected_when="Of the rows that parent and two workers store under new identifiers, some are gone.",
    avoidance=(
        "Make the generator in the worker: random.Random() or numpy.random.default_rng() in the initializer,"
        " seeded by the system. Forget reserved blocks there. Or use uuid.uuid4(), secrets, or identity"
        " columns of the database."
    ),
    fixes=(OWN_GENERATOR,),
    severity=Severity.SILENT_LOSS,
    messages=("duplicate key value violates unique constraint",),
    links=(
        "https://github.com/numpy/numpy/issues/9650",
        "https://github.com/pytorch/pytorch/issues/5059",
        "https://docs.python.org/3/library/os.html#os.register_at_fork",
    ),
    condition=OWN_GENERATORS,
    affected_control="fork_dispose",
    survives_control="spawn",
    follows_releases=False,
)
