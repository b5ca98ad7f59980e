"""The bill in the terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial

from harness import drivers
from harness.console import output, terminal
from harness.console.numbers import digits
from harness.curves.bill import Bill, BillRequest, Coefficients, bills
from harness.curves.sizes import TITLES
from harness.drivers import MEASURED
from harness.records.provenance import Provenance
from harness.system import memory
from harness.system.memory import MIB

DESCRIPTORS = 1024
"""That a process may have open, unless `ulimit -n` says otherwise."""

COLUMNS = (
    "strategy", "ready", "memory", "memory_collected", "connections", "start_share", "long_enough",
)  # fmt: skip
"""Of `poolstart bill --csv`, a row a strategy: seconds, bytes and shares."""


def write(
    known: Coefficients, measured: Provenance, request: BillRequest, form: str, tested: str = ""
) -> None:
    """Print the bill as `table`, `json`, `csv` or `markdown`. `measured` is the provenance of the fleets,
    `tested` a sentence about how well such bills did."""
    rows = list(bills(known, request))
    content = {
        "request": asdict(request),
        "extrapolated": request.extrapolated(known),
        "elsewhere": request.elsewhere(known),
        "unmeasured": request.unmeasured(known),
        "tested": tested,
        "measured": asdict(measured),
        "bill": [asdict(row) for row in rows],
    }
    table = partial(show, known, measured, request, rows, tested)
    output.write(form, map(asdict, rows), table, content, COLUMNS)


def show(
    known: Coefficients, measured: Provenance, request: BillRequest, rows: list[Bill], tested: str
) -> None:
    header = ["strategy", "all ready, s", "memory, MiB", "after a full\ncollection", "idle connections"]
    header += ["start-up below\n1 % from, s"]
    if request.task is not None:
        header.append("share of start")
    console = terminal.output()
    if rows:
        terminal.print_table(console, header, list(map(cells, rows)))
    kind = TITLES[request.kind]
    data = f"{request.parent_mib:g} MiB of data ({kind})" if request.parent_mib else "no data"
    sentences = [
        f"{request.workers} workers and their parent, with {data} in the parent;"
        f" a round trip to the server takes {request.distance * 1e3:g} ms more than on loopback.",
        f"From {ranges(known, request)}.",
        *varied(known, request),
        tested,
        request.elsewhere(known),
        *(f"Extrapolated: {what} were not measured." for what in request.extrapolated(known)),
        *limits(rows, request),
        f"Measured {measured}. `poolstart record fleets` and `poolstart record curves` measure this machine.",
    ]
    for sentence in filter(None, sentences):
        terminal.print_text(console, sentence)


def ranges(known: Coefficients, request: BillRequest) -> str:
    """What the figures were measured with."""
    found = [f"fleets of 1 to {known.largest} workers"]
    if request.parent_mib:
        largest = max(each.largest for each in known.data if each.kind == request.kind)
        found.append(f"parents with up to {largest / 1024:g} GiB of such data")
    if request.distance and known.farthest:
        found.append(f"round trips of up to {known.farthest * 1e3:g} ms")
    return ", ".join(found)


def limits(rows: Sequence[Bill], request: BillRequest) -> Iterator[str]:
    """What such a fleet exceeds by default, and on this machine."""
    connections = max((row.connections for row in rows), default=0)
    pooler, server = ("PgBouncer's max_client_conn", 100), ("PostgreSQL's max_connections", 97)
    setting, most = pooler if request.pooler else server
    if connections > most:
        yield f"With a pool they hold {connections} connections, and {setting} leaves {most} by default."
    if 2 * request.workers > DESCRIPTORS:
        yield (
            f"With a pipe to each, their parent has {2 * request.workers} file descriptors open; `ulimit -n`"
            f" is often {DESCRIPTORS}."
        )
    free = memory.available()
    if above := [row.strategy for row in rows if max(row.memory, row.memory_collected or 0) > free]:
        yield f"They need more memory than is free here, {free / 2**30:.1f} GiB, under {', '.join(above)}."


def varied(known: Coefficients, request: BillRequest) -> Iterator[str]:
    """What driver and pooler have changed, and where they were not measured."""
    title = drivers.get(request.driver).title
    if request.driver != MEASURED.name:
        yield (
            f"With {title}: the times by the ratio, the memory by the difference of a single worker to one"
            f" with {MEASURED.title}; after a full collection it was not measured."
        )
    if request.pooler:
        yield (
            "Behind PgBouncer in transaction mode: less the processor time that single workers save."
            " Connections and distance are those to PgBouncer."
        )
    if missing := request.unmeasured(known):
        yield (
            f"Not measured with {title}{' behind PgBouncer' * request.pooler}, and so not shown:"
            f" {', '.join(missing)}."
        )


def cells(bill: Bill) -> list[str]:
    """A row of the table of `show`."""
    share = [] if bill.start_share is None else [f"{bill.start_share:.1%}"]
    collected = "" if bill.memory_collected is None else digits(bill.memory_collected / MIB)
    return [
        bill.strategy,
        digits(bill.ready),
        digits(bill.memory / MIB),
        collected,
        str(bill.connections),
        digits(bill.long_enough),
        *share,
    ]
