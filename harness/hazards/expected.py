"""The record of verdicts, and the expected verdicts of a release.

`records/hazards.json` has one table for each series of SQLAlchemy (1.4, 2.0, ...), and in it, where they were
measured, a table of the further strategies. A table may be measured as a whole or row by row: a row is one
hazard under all strategies of a table, and has a provenance of its own if it was measured separately.

Python and driver belong to a table's identity: `2.1` has the verdicts under the reference Python and driver,
`2.1 3.14` those under Python 3.14, `2.1 asyncpg` those with asyncpg, `2.1 3.14 asyncpg` those of both. A row
of one combination is never replaced by, or shown for, that of another.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy

from harness import strategies
from harness.drivers import MEASURED
from harness.hazards import catalogue, suite
from harness.hazards.hazard import TRIED, Outcome, Verdict
from harness.hazards.table import VerdictTable, by_hazard, still_true, with_repeated
from harness.records import store
from harness.records.provenance import Provenance
from harness.system import pythons
from harness.system.errors import PoolstartError
from harness.system.structure import structure

PATH = store.path("hazards")
"""The record."""

COMMAND = "poolstart record hazards"


def series(release: str) -> str:
    """The series of a SQLAlchemy release: `2.0` of `2.0.36`."""
    return ".".join(release.split(".")[:2])


def combination(python: str = pythons.REFERENCE, driver: str = MEASURED.name) -> str:
    """The part of a table's name that follows the series: `3.14 asyncpg`; empty for the reference.

    `python` is `3.14`, `3.14.10`, or all that `sys.version` reports.
    """
    minor = pythons.minor(python)
    names = ("" if minor == pythons.REFERENCE else minor, "" if driver == MEASURED.name else driver)
    return " ".join(filter(None, names))


def load(python: str = pythons.REFERENCE, driver: str = MEASURED.name) -> dict[str, VerdictTable]:
    """The recorded tables of a Python and driver by series, the newest series first; empty without a record.

    Raises `PoolstartError` if the record is damaged.
    """
    return tables_of(combination(python, driver))


def tables_of(wanted: str) -> dict[str, VerdictTable]:
    """The same for a combination by its name, as `combination` returns it."""
    if not PATH.exists():
        return {}
    with store.reading(PATH, COMMAND) as tables:
        found = {name.partition(" ")[0]: table for name, table in tables.items() if suffix(name) == wanted}
        return structure(dict[str, VerdictTable], found)


def suffix(name: str) -> str:
    """Python and driver in the name of a table; empty for the reference."""
    return name.partition(" ")[2]


def combinations() -> list[str]:
    """The combinations of Python and driver that have tables, besides the reference."""
    return sorted({suffix(name) for name in _recorded()} - {""})


def _recorded() -> dict[str, Any]:
    """All tables by name, as JSON."""
    if not PATH.exists():
        return {}
    with store.reading(PATH, COMMAND) as tables:
        return dict(tables)


def driver_of(provenance: Provenance) -> str:
    """The name of the driver with which something was measured."""
    return provenance.driver.partition(" ")[0] or MEASURED.name


def expected(
    release: str = sqlalchemy.__version__, python: str = sys.version, driver: str = MEASURED.name
) -> dict[tuple[str, str], Verdict]:
    """The expected verdicts of a release by hazard and strategy; empty if its series is not recorded.

    Under another Python, verdicts on record for it come first, and the reference's fill the gaps. With
    another driver, only verdicts on record for it count.
    """
    verdicts: dict[tuple[str, str], Verdict] = {}
    for tables in (load(driver=driver), load(python, driver)):
        if table := tables.get(series(release)):
            for part in table.parts:
                verdicts |= part.verdicts
    return verdicts


def table_of(
    release: str = sqlalchemy.__version__, python: str = pythons.REFERENCE, driver: str = MEASURED.name
) -> VerdictTable:
    """The table of a release's series. Raises `PoolstartError` if there is none of this Python and driver."""
    table = load(python, driver).get(series(release))
    if not table:
        raise PoolstartError(
            f"no table of SQLAlchemy {series(release)} is recorded for Python {pythons.minor(python)} and"
            f" {driver}",
            f"first run: {COMMAND}",
        )
    return table


def table_for(provenance: Provenance) -> VerdictTable:
    """The table for measurements of this provenance. Raises `PoolstartError` if there is none."""
    return table_of(provenance.release, provenance.python or pythons.REFERENCE, driver_of(provenance))


def save(provenance: Provenance, outcomes: Sequence[Outcome], *, columns: bool = False) -> None:
    """Record rows, each a hazard under all strategies of a group; or `columns`, strategies under all hazards.

    They replace those of the same series; its other rows stay. An outcome that could not be tried here, or
    lacks figures because a package is missing, replaces nothing. Repeated trials stay on record for each
    verdict that is still the same. Raises `PoolstartError`, and records nothing, if an outcome has no result,
    a row lacks a strategy, or the strategies' table is not on record.
    """
    for outcome in outcomes:
        if outcome.verdict is Verdict.NO_RESULT:
            raise PoolstartError(outcome.reason, "only what has a result everywhere is recorded")
    default, further = by_group(outcomes)
    table = (
        load(provenance.python, driver_of(provenance)).get(series(provenance.release))
        if default and not columns
        else table_for(provenance)
    )
    if columns and further and not (table and table.further):
        raise PoolstartError("no further strategies are recorded", f"first run: {COMMAND} --only further")
    if default:
        table = with_outcomes(table, provenance, default, () if columns else strategies.IDS)
    assert table
    if further:
        group = () if columns else strategies.FURTHER_IDS
        table = replace(table, further=with_outcomes(table.further, provenance, further, group))
    write(table)


def by_group(outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """The outcomes of the default strategies, and those of the further ones."""
    further = strategies.FURTHER_IDS
    return (
        [outcome for outcome in outcomes if outcome.strategy not in further],
        [outcome for outcome in outcomes if outcome.strategy in further],
    )


def with_outcomes(
    table: VerdictTable | None, provenance: Provenance, outcomes: Sequence[Outcome], group: Sequence[str]
) -> VerdictTable:
    """The table with these outcomes in place of its own: whole rows if `group` is given, else columns.

    Raises `PoolstartError` if a row lacks a strategy of the group.
    """
    table = table or VerdictTable(provenance, ())
    measured = by_hazard((outcome.hazard, outcome.strategy) for outcome in outcomes)
    for hazard, names in measured.items():
        if missing := [name for name in group if name not in names]:
            raise PoolstartError(
                f"{hazard} was not tried under {', '.join(missing)}",
                "record all strategies of a table at once",
            )
    on_record = by_hazard(table.verdicts)
    poorer = {(outcome.hazard, outcome.strategy) for outcome in outcomes if is_poorer(table, outcome)}
    # A row is replaced whole, or not at all.
    untried = {hazard for hazard, _ in poorer if group and set(group) <= set(on_record.get(hazard, ()))}
    now = {
        (outcome.hazard, outcome.strategy): outcome
        for outcome in outcomes
        if outcome.hazard not in untried and (group or (outcome.hazard, outcome.strategy) not in poorer)
    }
    if not now:
        return table
    kept = [outcome for outcome in table.outcomes if (outcome.hazard, outcome.strategy) not in now]
    # The provenance of most rows is the table's; other rows, and columns, have their own.
    whole = {outcome.hazard for outcome in kept} <= untried
    first = provenance if whole else table.provenance
    rows = {hazard: table.provenance_of(hazard) for hazard in on_record}
    columns = {name: other for name, other in table.later.items() if name in table.strategies and not whole}
    code = table.code
    if group:
        replaced = [hazard for hazard in measured if hazard not in untried]
        rows |= dict.fromkeys(replaced, provenance)
        code = {**code, **{hazard: suite.digest(hazard) for hazard in replaced}}
    else:
        columns |= dict.fromkeys((strategy for _, strategy in now), provenance)
    merged = replace(
        table,
        provenance=first,
        outcomes=in_order([*kept, *now.values()]) if kept else tuple(outcomes),
        later={hazard: other for hazard, other in rows.items() if other != first} | columns,
        code={hazard: digest for hazard, digest in code.items() if hazard in rows},
    )
    return replace(merged, repeated=still_true(table, merged))


def is_poorer(table: VerdictTable, now: Outcome) -> bool:
    """Whether the record has more than this outcome, because this machine lacks a package or program.

    The record has a verdict where nothing could be tried now, or figures where now there is only the verdict.
    """
    known = table.outcome(now.hazard, now.strategy)
    if not known:
        return False
    if now.verdict is Verdict.NOT_TRIED:
        return known.verdict in TRIED
    figures = {figure.id for figure in catalogue.load(now.hazard).figures}
    return known.verdict is now.verdict and bool(figures & (known.readings.keys() - now.readings.keys()))


def in_order(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """The outcomes in the order of the catalogues, without hazards that have been removed from them."""
    hazards = {name: number for number, name in enumerate(catalogue.IDS)}
    names = {name: number for number, name in enumerate(strategies.GROUPS["all"])}
    known = [outcome for outcome in outcomes if outcome.hazard in hazards]
    return tuple(
        sorted(known, key=lambda outcome: (hazards[outcome.hazard], names.get(outcome.strategy, len(names))))
    )


def save_repeated(provenance: Provenance, outcomes: Sequence[Outcome], trials: int, busy: int) -> None:
    """Record that verdicts came out the same in `trials` trials each, with `busy` cores kept busy.

    Rows that could not be tried here stay as they are. Raises `PoolstartError`, and records nothing, if an
    outcome is not the expected one.
    """
    table = table_for(provenance)
    wanted = expected(provenance.release, provenance.python, driver_of(provenance))
    outcomes = [outcome for outcome in outcomes if outcome.verdict is not Verdict.NOT_TRIED]
    for outcome in outcomes:
        if outcome.verdict is not wanted.get((outcome.hazard, outcome.strategy)):
            raise PoolstartError(
                f"{outcome.hazard} under {outcome.strategy} was once {outcome.verdict}",
                "nothing is recorded unless every trial has the expected verdict",
            )
    default, further = by_group(outcomes)
    if further and table.further:
        table = replace(table, further=with_repeated(table.further, provenance, further, trials, busy))
    if default:
        table = with_repeated(table, provenance, default, trials, busy)
    write(table)


def write(table: VerdictTable) -> None:
    """Replace the table of the same series, Python and driver.

    Raises `PoolstartError` if the record cannot be read or written.
    """
    provenance = table.provenance
    which = combination(provenance.python or pythons.REFERENCE, driver_of(provenance))
    tables = _recorded()
    tables[f"{series(provenance.release)} {which}".rstrip()] = asdict(table)

    def order(name: str) -> tuple[str, list[int]]:
        return suffix(name), [-int(part) for part in name.partition(" ")[0].split(".")]

    store.write(PATH, {name: tables[name] for name in sorted(tables, key=order)})
