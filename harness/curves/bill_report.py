"""The bill in the terminal."""

from dataclasses import asdict

from harness.console import output, terminal
from harness.console.numbers import digits
from harness.curves.bill import Bill, BillRequest, Coefficients, bills
from harness.records.provenance import Provenance
from harness.system.memory import MIB

COLUMNS = (
    "strategy", "ready", "memory", "memory_collected", "connections", "start_share",
)  # fmt: skip
"""Of `poolstart bill --csv`, a row a strategy: seconds, bytes and shares."""


def write(known: Coefficients, measured: Provenance, request: BillRequest, form: str) -> None:
    """Print the bill as `table`, `json`, `csv` or `markdown`. `measured` is the provenance of the fleets."""
    rows = list(bills(known, request))
    content = {
        "request": asdict(request),
        "extrapolated": request.extrapolated(known),
        "measured": asdict(measured),
        "bill": [asdict(row) for row in rows],
    }
    output.write(form, COLUMNS, map(asdict, rows), lambda: show(known, measured, request, rows), content)


def show(known: Coefficients, measured: Provenance, request: BillRequest, rows: list[Bill]) -> None:
    header = ["strategy", "all ready, s", "memory, MiB", "after a full\ncollection", "idle connections"]
    if request.task is not None:
        header.append("share of start")
    console = terminal.output()
    terminal.print_table(console, header, list(map(cells, rows)))
    data = f"{request.parent_mib:g} MiB of data ({request.kind})" if request.parent_mib else "no data"
    sentences = [
        f"{request.workers} workers and their parent, with {data} in the parent;"
        f" a round trip to the server takes {request.distance * 1e3:g} ms more than on loopback.",
        f"From fleets of 1 to {known.largest} workers.",
        *(f"Extrapolated: {what} were not measured." for what in request.extrapolated(known)),
        f"Measured {measured}. `poolstart record fleets` and `poolstart record curves` measure this machine.",
    ]
    for sentence in sentences:
        terminal.print_text(console, sentence)


def cells(bill: Bill) -> list[str]:
    """A row of the table of `show`."""
    share = [] if bill.start_share is None else [f"{bill.start_share:.1%}"]
    sizes = [digits(value / MIB) for value in (bill.memory, bill.memory_collected)]
    return [bill.strategy, digits(bill.ready), *sizes, str(bill.connections), *share]
