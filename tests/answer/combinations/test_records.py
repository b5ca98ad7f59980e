"""A verdict or figure is that of the combination that was asked for, or says whose it is."""

from dataclasses import replace

import pytest

from harness.answer.combinations import combination
from harness.answer.combinations.combination import Combination
from harness.answer.combinations.records import CombinationRecords
from harness.answer.figures.answers import levels
from harness.answer.figures.results import Figure, ReleaseResults
from harness.answer.verdicts import VerdictsOnRecord
from harness.drivers import ASYNCPG, PSYCOPG, PSYCOPG_PURE
from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.table import VerdictTable
from harness.history.level import ParentFigures
from harness.records.provenance import Provenance
from harness.system.errors import PoolstartError
from tests.support.results import answer

AFFECTED, SURVIVES = Verdict.AFFECTED, Verdict.SURVIVES


def tried(**found: Verdict) -> VerdictsOnRecord:
    """Verdicts of `spawn` by hazard."""
    outcomes = tuple(Outcome(name, "spawn", verdict) for name, verdict in found.items())
    return VerdictsOnRecord({"2.1": VerdictTable(Provenance("2.1.9"), outcomes)})


ALL = ("own_lock", "pool_lock", "unpicklable")

KNOWN = CombinationRecords(
    {
        "": tried(**dict.fromkeys(ALL, AFFECTED)),
        "3.14": tried(own_lock=SURVIVES, pool_lock=AFFECTED),
        "asyncpg": tried(own_lock=SURVIVES, pool_lock=SURVIVES),
    }
)


@pytest.mark.parametrize(
    ("wanted", "start", "hazards"),
    [
        (Combination(), "Hazards with psycopg2 under Python 3.11, ", ALL),
        (Combination(python="3.14"), "Hazards with psycopg2 under Python 3.14, ", ("pool_lock",)),
        (Combination(ASYNCPG), "Hazards with asyncpg under Python 3.11, ", ()),
        (
            Combination(ASYNCPG, "3.14"),
            "Not tried: spawn with asyncpg under Python 3.14. Hazards with asyncpg under Python 3.11, ",
            (),
        ),
        (
            Combination(python="3.12"),
            "Not tried: spawn with psycopg2 under Python 3.12. Hazards with psycopg2 under Python 3.11, ",
            ALL,
        ),
        # Another driver's verdicts say nothing.
        (Combination(PSYCOPG), "Hazards of spawn with psycopg 3 under Python 3.11: not tried.", ()),
    ],
    ids=lambda value: value.key if isinstance(value, Combination) else None,
)
def test_a_verdict_is_of_the_combination_or_says_whose_it_is(
    wanted: Combination, start: str, hazards: tuple[str, ...]
) -> None:
    found = KNOWN.verdict(wanted, "spawn")
    assert found.text.startswith(start)
    assert set(found.hazards) == set(hazards)
    if hazards:
        assert f"Affected by {len(hazards)} of " in found.text
        assert found.sentence.endswith(f"Affected by: {', '.join(found.hazards)}.")


def test_a_strategy_without_code_for_the_driver_has_no_verdict() -> None:
    found = KNOWN.verdict(Combination(ASYNCPG), "fork_sever")
    assert found.text == "Not tried: fork_sever is written for synchronous drivers, and asyncpg is none."


def measured(python: str, first: float, driver: str = "", **fields: object) -> ReleaseResults:
    """The tests' results as if one Python and driver had them, with another time to the first row."""
    shown = answer()
    key = ("time_to_first_row", "spawn", "none")
    figures = {key: Figure(first, first, first, "seconds", parents=ParentFigures((first,), 5))}
    tags = {**shown.environment, "python": python, **({"driver": driver} if driver else {})}
    found = replace(shown, environment=tags, figures=figures, **fields)  # type: ignore[arg-type]
    return replace(found, levels=levels(found, [found], None))


SERIES = CombinationRecords(
    results=[measured("3.11", 0.2), measured("3.14", 0.3), measured("3.11", 0.4, "psycopg-3.3.9")]
)


def first_row(known: CombinationRecords, wanted: Combination) -> float | None:
    costs = known.costs(wanted)
    return costs.strategies["spawn"].first if costs else None


def test_costs_are_those_of_the_series_of_driver_and_python_and_of_nothing_else() -> None:
    assert first_row(SERIES, Combination()) == pytest.approx(0.2)
    assert first_row(SERIES, Combination(python="3.14")) == pytest.approx(0.3)
    assert first_row(SERIES, Combination(PSYCOPG)) == pytest.approx(0.4)
    for wanted in (Combination(python="3.12"), Combination(PSYCOPG_PURE), Combination(PSYCOPG, "3.14")):
        assert SERIES.costs(wanted) is None


def test_costs_say_what_was_measured_and_by_which_command() -> None:
    costs = SERIES.costs(Combination(PSYCOPG))
    assert costs
    assert "psycopg 3.3.9, Python 3.11, " in costs.source
    assert costs.source.endswith(", by `POOLSTART_DRIVER=psycopg uv run asv run`.")


def test_a_busy_machine_has_no_costs() -> None:
    busy = measured("3.11", 0.2, "asyncpg-0.32.0", busy="tasks waited")
    known = CombinationRecords(results=[busy])
    costs = known.costs(Combination(ASYNCPG))
    assert costs
    assert costs.strategies["spawn"].first is None
    assert "busy: tasks waited" in costs.source
    # A quiet one comes before it.
    quiet = measured("3.11", 0.9, "asyncpg-0.32.0")
    assert first_row(CombinationRecords(results=[busy, quiet]), Combination(ASYNCPG)) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("nosuch", "", ""), "no driver 'nosuch' is measured; known are psycopg2, "),
        (("", "2.7", ""), "no Python '2.7' is measured; known are 3.11, 3.12"),
        (("", "", "statement"), "PgBouncer has no mode 'statement' here; known are session, transaction"),
    ],
)
def test_a_name_that_is_not_known_is_one_line(names: tuple[str, str, str], message: str) -> None:
    with pytest.raises(PoolstartError, match=message):
        combination.named(*names)
