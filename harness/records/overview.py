"""The list of records: what they are, and when and where each was measured."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from harness.console import terminal
from harness.records.provenance import UNKNOWN, days
from harness.records.recorder import Recorder


def age(last: str, today: date) -> str:
    """How long ago a day was, `3 days`; empty if it is unknown."""
    if not last or last == UNKNOWN:
        return ""
    number = (today - date.fromisoformat(last[:10])).days
    return "today" if number < 1 else f"{number} day{'s' if number > 1 else ''}"


def show(recorders: Mapping[str, Recorder]) -> None:
    """Print the records, each with its dates, machines and age, and what its options mean.

    Raises PoolstartError if a record cannot be read.
    """
    console, today = terminal.output(), datetime.now(UTC).date()
    rows: list[list[terminal.Cell]] = []
    for name in recorders:
        found = recorders[name].provenances()
        last = max((each.date for each in found or ()), default="")
        machines = dict.fromkeys(each.machine or UNKNOWN for each in found or ())
        measured = "not on record" if found is None else days(found)
        rows.append([name, measured, age(last, today), ", ".join(machines)])
    terminal.print_table(console, ["record", "measured", "age", "machine"], rows, left=4)
    terminal.print_pairs(console, [(name, meaning(recorder)) for name, recorder in recorders.items()])


def meaning(recorder: Recorder) -> str:
    """What a record is of, and what its options mean."""
    options = [
        *([f"--only: {recorder.rows_are}"] if recorder.rows_are else []),
        *([f"--repeat: {recorder.repeats} ({recorder.default_repeat})"] if recorder.repeats else []),
        *(name for name in recorder.options if name not in ("--only", "--repeat")),
    ]
    return f"{recorder.title}; {'; '.join(options)}"
