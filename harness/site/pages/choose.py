"""The page that leads from a program to its strategy, with the curves behind its thresholds."""

from dataclasses import dataclass
from math import log
from typing import Any

from harness import strategies
from harness.console.numbers import digits, display_unit
from harness.counts import report as exact
from harness.lifecycles import metrics
from harness.site import advice, charts, decide
from harness.site.book import Book
from harness.site.data import Release


def write(book: Book) -> None:
    origin = book.measured.origins[0] if book.measured.origins else None
    release = origin.newest if origin else None
    least = decide.threshold(release) if release else None
    long = advice.length(least) if least else "some seconds"
    asked, rules = decide.questions(long), decide.rules(long)
    book.page(
        "choose.html",
        "choose.html.j2",
        "Choose",
        title="Which way for my program?",
        origin=origin,
        release=release,
        questions=asked,
        rules=rules,
        notes=decide.NOTES,
        decisions=decide.decisions(long),
        titles={each.id: each.title for each in strategies.CATALOGUE},
        cards=[card(book, strategies.get(name), release) for name in decide.CARDS],
        life=life(release, least) if release and least else None,
        crossing=crossing(release) if release else None,
        servers=servers(book),
        distance=distance(release) if release else None,
        copies=copies(book),
    )


def card(book: Book, strategy: strategies.Strategy, release: Release | None) -> dict[str, Any]:
    wanted = ("time_to_first_row", "first_worker", "second_query", "uss")
    price = [
        (metrics.get(metric).short, f"{figure.text()} {display_unit(figure.unit)[0]}")
        for metric in wanted
        if release and (figure := release.of(metric, strategy.id, "none"))
    ]
    tried = book.verdicts.releases
    version = release.version if release else (tried[-1] if tried else "")
    return {
        "id": strategy.id,
        "title": strategy.title,
        "choose": strategy.choose,
        "docs": strategy.docs,
        "process": decide.process(strategy),
        "pool": decide.pool(strategy),
        "price": price,
        "beware": decide.BEWARE.get(strategy.id, ()),
        "affecting": book.verdicts.affecting(strategy.id, version) if version else [],
        "recorded": bool(version)
        and any(book.verdicts.verdict(hazard.id, strategy.id, version) for hazard in book.verdicts.hazards),
    }


def servers(book: Book) -> dict[str, Any] | None:
    """What a connect costs, by what stands between worker and server."""
    if book.servers is None:
        return None
    rows = [
        (each, each.median("connect") * 1e3, each.median("second_query") * 1e3)
        for each in book.servers.servers
    ]
    longest = max((connect for _, connect, _ in rows), default=0.0) or 1.0
    nearest, farthest = rows[0], rows[-1]
    return {
        "said": f"NullPool connects at each checkout: {digits(nearest[1])} ms to {nearest[0].server}, "
        f"{digits(farthest[1])} ms to {farthest[0].server}. The farther the server, and the more it asks "
        "before it answers, the sooner a pool pays.",
        "rows": [
            {
                "server": each.server,
                "adds": f"adds {each.adds}" if each.adds else "",
                "connect": digits(connect),
                "second": digits(second),
                "connect_width": charts.percent(connect / longest),
                "second_width": charts.percent(second / longest),
            }
            for each, connect, second in rows
        ],
    }


def distance(release: Release) -> dict[str, Any] | None:
    """What queries take where the server is far away: as measured here, and a way there and back a trip."""
    known = {each.id: found for each in strategies.CATALOGUE if (found := queries(release, each.id))}
    if not known:
        return None
    farthest = exact.DISTANCES[-1]
    drawn = ((advice.BOOTED, "first"), (advice.PRELOADED, "second"), (advice.FORKED, "third"))
    lines = [
        (name, css, [(x, 1e3 * known[name][0].over(x * farthest)) for x in (0.0, 1.0)])
        for name, css in drawn
        if name in known
    ]
    columns = [(each / farthest, f"{each * 1e3:g} ms") for each in exact.DISTANCES]
    return {
        "columns": [text for _, text in columns],
        "rows": [
            (
                name,
                " / ".join(f"{each.trips:.0f}" for each in found),
                [
                    " / ".join(digits(1e3 * each.over(seconds)) for each in found)
                    for seconds in exact.DISTANCES
                ],
            )
            for name, found in known.items()
        ],
        "picture": charts.picture(lines, columns, [], " ms"),
    }


@dataclass(frozen=True)
class Query:
    """What a query takes here, and how often it waits for a way there and back."""

    here: float
    trips: float

    def over(self, distance: float) -> float:
        return self.here + exact.added(self.trips, distance)


def queries(release: Release, strategy: str) -> list[Query]:
    """The first and the second of a worker; none where one is not known."""
    found = []
    for name in ("first_query", "second_query"):
        here = advice.median(release, name, strategy, "none")
        trips = release.counts.get((f"round_trips_{name}", strategy))
        if here is None or trips is None:
            return []
        found.append(Query(here, trips))
    return found


def copies(book: Book) -> dict[str, Any] | None:
    """What reading, collecting and writing shared columns makes private, where workers are forked."""
    outcome = book.verdicts.trial("copied_frame", advice.FORKED)
    readings = outcome.readings if outcome else {}
    kinds = [name.removesuffix("_read") for name in readings if name.endswith("_read")]
    if not kinds:
        return None
    accesses = ("read", "collect", "write", "read_frozen", "collect_frozen")
    wanted = {
        name: readings.get(name) for kind in kinds for access in accesses for name in [f"{kind}_{access}"]
    }
    largest = max((each.value for each in wanted.values() if each), default=0.0) or 1.0
    return {
        "said": "MiB that become a forked worker's own, after it has read, garbage-collected or written a "
        "column that it shares with its parent; and the same after gc.freeze() in the parent.",
        "columns": ["read", "collect", "write", "read, frozen", "collect, frozen"],
        "rows": [
            (
                kind,
                [
                    (f"{each.value / 2**20:.1f}", charts.percent(each.value / largest)) if each else ("", "0")
                    for access in accesses
                    for each in [wanted[f"{kind}_{access}"]]
                ],
            )
            for kind in kinds
        ],
    }


def life(release: Release, least: float) -> dict[str, Any]:
    """How much of a worker's life its start is, by the length of its task."""
    low, high = 0.01, 100.0
    points = [number / 60 for number in range(61)]

    def task(x: float) -> float:
        return float(low * (high / low) ** x)

    def place(seconds: float) -> float:
        return log(seconds / low) / log(high / low)

    lines = []
    for name, css in ((advice.BOOTED, "first"), (advice.PRELOADED, "second"), (advice.FORKED, "third")):
        start = advice.median(release, "time_to_first_row", name, "none")
        if start:
            lines.append((name, css, [(x, 100 * advice.share(start, task(x))) for x in points]))
    columns = [
        (place(value), text) for value, text in ((0.01, "10 ms"), (0.1, "100 ms"), (1, "1 s"), (10, "10 s"))
    ]
    return {
        "said": f"From {advice.length(least)} on, spawn's start takes less than a tenth of a worker's life.",
        "picture": charts.picture(lines, columns, [(place(least), advice.length(least))], " %"),
    }


def crossing(release: Release) -> dict[str, Any] | None:
    """What all queries of a worker cost together, with a pool and with NullPool."""
    found = advice.crossing_of(release, "none")
    sentence = next((each for each in advice.sentences(release, "none") if "NullPool" in each), "")
    if not found or not sentence:
        return None
    most = 10
    numbers = range(1, most + 1)

    def x(number: int) -> float:
        return (number - 1) / (most - 1) * 0.96 + 0.02

    lines = [
        ("NullPool", "first", [(x(number), found.poolless(number) * 1e3) for number in numbers]),
        ("a pool, after dispose", "third", [(x(number), found.pooled(number) * 1e3) for number in numbers]),
    ]
    marks = [(x(found.query), "the pool is cheaper from here")] if found.query and found.query <= most else []
    return {
        "said": sentence,
        "picture": charts.picture(lines, [(x(number), str(number)) for number in numbers], marks, " ms"),
    }
