"""The section about distance."""

from collections.abc import Iterator

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves import distance as curve
from harness.curves.curve import CurveRecord
from harness.curves.distance import DISTANCES, HOLDS_WITHIN
from harness.curves.sections.figure import svg

CHECKOUTS = {"first": "The first checkout", "further": "Each further one"}


def section(record: CurveRecord) -> Iterator[str]:
    yield "## Distance\n"
    errors = [error for checkout in CHECKOUTS for error in curve.errors(record, checkout).values()]
    holding = sum(error <= HOLDS_WITHIN for error in errors)
    yield (
        f"{sentences(record)[0]}. The time on loopback and the number of round trips predict {holding} of"
        f" {len(errors)} rows within {HOLDS_WITHIN:.0%} at each distance, and all within"
        f" {max(errors):.0%}.\n"
    )
    yield "![Time of the first checkout, by distance](curves-distance.svg)\n"
    yield DISTANCE
    for checkout, title in CHECKOUTS.items():
        found = curve.errors(record, checkout)
        away = [f"{digits(curve.away(record, distance) * 1e3)} ms away" for distance in DISTANCES[1:]]
        header = ["strategy", "settings", "round trips", "loopback", *away, "off by at most", "anywhere"]
        rows = []
        for strategy, setting in sorted(found, key=curve.order):
            near, *others = record.where(strategy=strategy, setting=setting)
            cells = [
                f"{digits(point.median(checkout) * 1e3)} / "
                f"{digits(curve.predicted(record, point, checkout) * 1e3)}"
                for point in others
            ]
            here, trips = digits(near.median(checkout) * 1e3), f"{curve.round_trips(near, checkout):g}"
            error = found[strategy, setting]
            anywhere = f"{here} + {trips} d" if error <= HOLDS_WITHIN else ""
            rows.append([strategy, TITLES[setting], trips, here, *cells, f"{error:.0%}", anywhere])
        yield f"### {title}, ms: measured / predicted\n"
        yield markdown.table(header, rows, figures=2)


DISTANCE = f"""\
A proxy delays all that it passes on, TCP's handshake included, and takes some time itself: a distance is how
much longer a `select 1` on an open connection takes through it. The prediction is the time on loopback plus
the number of round trips counted there times the distance d; if it is within {HOLDS_WITHIN:.0%}, the last
column has it as a formula for any distance. Settings are varied for workers that make their own engine; they
save more the farther away the server is. No strategy changes what a further checkout costs, except that
NullPool connects again.
"""

TITLES = {
    "default": "SQLAlchemy's defaults",
    "no_native_hstore": "`use_native_hstore=False`",
    "autocommit": '`isolation_level="AUTOCOMMIT"`',
    "no_reset": "`pool_reset_on_return=None`",
    "pre_ping": "`pool_pre_ping=True`",
    "recycle": "`pool_recycle=3600`",
    "recycled": "`pool_recycle=0`: connects again each time",
    "lean": "the first three",
    "tls": "the server requires TLS",
    "scram": "the server asks for a password (SCRAM)",
}


def drawing(record: CurveRecord) -> str:
    """The figure, SVG."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for point in record.points:
        setting = str(point.at["setting"])
        name = str(point.at["strategy"]) if setting == "default" else f"… {setting}"
        if distance := float(point.at["distance"]):
            lines.setdefault(name, []).append(
                (curve.away(record, distance) * 1e3, point.median("first") * 1e3)
            )
    return svg("Time of the first checkout, by distance", "round trip, ms", "first checkout, ms", lines)


def sentences(record: CurveRecord) -> list[str]:
    """The law in README.md."""
    (near,) = record.where(strategy=curve.VARIED, setting="default", distance=0.0)
    first, further = (f"{curve.round_trips(near, checkout):g}" for checkout in CHECKOUTS)
    return [
        f"Distance: the first row of a new engine takes {first} round trips to the server, and each"
        f" further checkout from a pool {further}"
    ]
