"""The list of records: what they are, and when and where each was measured."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from harness.console import output, terminal
from harness.records.provenance import UNKNOWN, days
from harness.records.recorder import Recorder


def age(last: str, today: date) -> str:
    """How long ago a day was, `3 days`; empty if it is unknown."""
    if not last or last == UNKNOWN:
        return ""
    number = (today - date.fromisoformat(last[:10])).days
    return "today" if number < 1 else f"{number} day{'s' if number > 1 else ''}"


def write(recorders: Mapping[str, Recorder], form: str) -> None:
    """Print the records as `table`, `json`, `csv` or `markdown`.

    Each with its dates, machines and age, and what its options mean. Raises PoolstartError if a record cannot
    be read.
    """
    today = datetime.now(UTC).date()
    rows = [record(name, recorder, today) for name, recorder in recorders.items()]

    def show() -> None:
        console = terminal.output()
        *columns, _ = rows[0]
        cells = [[row[column] for column in columns] for row in rows]
        terminal.print_table(console, columns, cells, left=4)
        terminal.print_pairs(console, [(row["record"], row["meaning"]) for row in rows])

    output.write(form, rows, show)


def record(name: str, recorder: Recorder, today: date) -> dict[str, str]:
    """A record as a row, what it means last."""
    found = recorder.provenances()
    return {
        "record": name,
        "measured": "not on record" if found is None else days(found),
        "age": age(max((each.date for each in found or ()), default=""), today),
        "machine": ", ".join(dict.fromkeys(each.machine or UNKNOWN for each in found or ())),
        "meaning": meaning(recorder),
    }


def meaning(recorder: Recorder) -> str:
    """What a record is of, and what its options mean."""
    options = [
        *([f"--only: {recorder.rows_are}"] if recorder.rows_are else []),
        *([f"--repeat: {recorder.repeats} ({recorder.default_repeat})"] if recorder.repeats else []),
        *(name for name in recorder.options if name not in ("--only", "--repeat")),
    ]
    return f"{recorder.title}; {'; '.join(options)}"
