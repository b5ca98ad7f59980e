"""The recommended strategies with a combination, in the terminal: failures, costs and code."""

from collections.abc import Sequence
from typing import Any

from harness import strategies
from harness.answer import code, recommendation
from harness.answer.combinations import records
from harness.answer.combinations.combination import Combination
from harness.answer.combinations.records import CombinationRecords, StrategyCosts
from harness.console import output, terminal
from harness.system.errors import PoolstartError


def write(known: CombinationRecords, wanted: Combination, names: Sequence[str], form: str) -> None:
    """Print recommended strategies as `table`, `json`, `csv` or `markdown`; strategies in `names` with code.

    Raises `PoolstartError` for a strategy that has no code for a combination.
    """
    for name in names:
        if name not in recommendation.RECOMMENDED:
            raise PoolstartError(
                f"{name} has no code for a driver or pooler that is named",
                f"choose from {', '.join(recommendation.RECOMMENDED)}, or leave the options out",
            )
    costs = known.costs(wanted)
    source = costs.source if costs else records.not_measured(wanted)
    pooler = known.pooler(wanted)
    chosen = names or recommendation.RECOMMENDED
    rows = [row(known, wanted, name, costs.strategies[name] if costs else None) for name in chosen]

    def show() -> None:
        console = terminal.output()
        for each in rows:
            strategy = strategies.get(each["strategy"])
            terminal.print_heading(console, f"{strategy.id}: {strategy.title}")
            price = costs.strategies[strategy.id].sentence if costs else ""
            for text in filter(None, (recommendation.use_when(strategy), each["verdict"], price)):
                terminal.print_text(console, f"    {text}")
            console.print()
            if names:
                terminal.print_code(console, code.pool(strategy, wanted.variant()))
        for text in (*pooler, source):
            terminal.print_text(console, text)

    coded = [{**each, "code": code.pool(strategies.get(each["strategy"]), wanted.variant())} for each in rows]
    content = {"source": source, "pooler": pooler, "strategies": coded}
    output.write(form, rows, show, content)


def row(
    known: CombinationRecords, wanted: Combination, name: str, cost: StrategyCosts | None
) -> dict[str, Any]:
    """A strategy as a row: seconds, bytes and counts."""
    verdict, figures = known.verdict(wanted, name), cost or StrategyCosts()
    return {
        "strategy": name,
        "driver": wanted.driver.name,
        "python": wanted.python,
        "pooler": wanted.pooler,
        "verdict": verdict.sentence,
        "hazards": " ".join(verdict.hazards),
        "first_row": figures.first,
        "unique_memory": figures.unique,
        "memory_collected": figures.collected,
        "round_trips": figures.trips,
    }
