"""Outcomes of trials as the cells of a table: in a word or two, and merged over drivers and pools."""

from collections.abc import Sequence

from harness.poolers import things
from harness.poolers.figures import PoolerOutcome, PoolerTrials, by_text
from harness.poolers.things import Thing, Way

NOTHING = "not in this version"

SHORT = {
    "reaches another client and is lost": "shared, lost",
    "reaches another client": "shared",
    "is lost": "lost",
    "two clients hold it": "held twice",
    "no notification arrives": "never arrives",
    "two clients report the same backend": "same for two",
}
"""Outcomes in a cell; what is no outcome of the catalogue is the message of an error."""

ERROR = "error"


def short(text: str) -> str:
    """An outcome in a word or two; `error` for a message."""
    return SHORT.get(text, text if text in (things.WORKS, NOTHING, "") else ERROR)


def rows_of(tried: PoolerTrials, thing: Thing, way: Way, route: str) -> list[PoolerOutcome]:
    """The trials of one way over one route."""
    wanted = (thing.id, way.id, route)
    return [row for row in tried.rows if (row.thing, row.way, row.route) == wanted]


def merged(rows: Sequence[PoolerOutcome], *, in_full: bool = False) -> str:
    """The outcome of several drivers and pools, with those of each if they differ; `in_full` as on record."""
    if not any(row.outcomes for row in rows):
        return NOTHING
    groups: dict[str, list[PoolerOutcome]] = {}
    for text, found in by_text(rows):
        groups.setdefault(text if in_full else short(text), []).extend(found)
    if len(groups) == 1:
        return next(iter(groups))
    return "; ".join(f"{text} ({whose(found, rows)})" for text, found in groups.items())


def whose(found: Sequence[PoolerOutcome], rows: Sequence[PoolerOutcome]) -> str:
    """Which of `rows` these are: those of a pool, or of drivers, each with its pool if the other differs."""
    for pool in things.POOLS:
        if len(found) < len(rows) and set(map(id, found)) == {id(row) for row in rows if row.pool == pool}:
            return pool
    names = []
    for driver in dict.fromkeys(row.driver for row in found):
        pools = [row.pool for row in found if row.driver == driver]
        everything = sum(row.driver == driver for row in rows)
        names.append(driver if len(pools) == everything else f"{driver} with {' and '.join(pools)}")
    return ", ".join(names)
