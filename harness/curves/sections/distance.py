"""The section about distance."""

from collections.abc import Iterator

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves import distance as curve
from harness.curves.curve import CurveRecord
from harness.curves.distance import DISTANCES, HOLDS_WITHIN
from harness.curves.figure import svg


def section(record: CurveRecord) -> Iterator[str]:
    yield "## Distance\n"
    yield law(record) + "\n"
    yield "![Time of the first checkout, by distance](curves-distance.svg)\n"
    yield DISTANCE
    for checkout, title in (("first", "The first checkout"), ("further", "Each further one")):
        found = curve.errors(record, checkout)
        header = ["strategy", "settings", "round trips", *_distances(), "off by at most"]
        rows = []
        for strategy, setting in sorted(found, key=curve.order):
            points = record.where(strategy=strategy, setting=setting)
            cells = [
                f"{digits(point.median(checkout) * 1e3)} / "
                f"{digits(curve.predicted(record, point, checkout) * 1e3)}"
                for point in points
            ]
            error = found[strategy, setting]
            trips = f"{curve.round_trips(points[0], checkout):g}"
            rows.append([strategy, TITLES.get(setting, setting), trips, *cells, f"{error:.0%}"])
        yield f"### {title}, ms: measured / predicted\n"
        yield markdown.table(header, rows, figures=2)


DISTANCE = """\
A proxy holds back what it passes on, TCP's handshake included. The prediction for a distance is the time
without one, and the round trips counted there times the curve. Settings are varied where workers make an
engine of their own: the more a checkout waits for the network, the more they are worth, and no start strategy
changes what a further checkout costs, except that NullPool connects again.
"""

TITLES = {
    "default": "SQLAlchemy's defaults",
    "no_native_hstore": "`use_native_hstore=False`",
    "autocommit": '`isolation_level="AUTOCOMMIT"`',
    "no_reset": "`pool_reset_on_return=None`",
    "pre_ping": "`pool_pre_ping=True`",
    "recycle": "`pool_recycle=3600`",
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
        if point.at["distance"]:
            lines.setdefault(name, []).append(
                (float(point.at["distance"]) * 1e3, point.median("first") * 1e3)
            )
    return svg("Time of the first checkout, by distance", "round trip, ms", "first checkout, ms", lines)


def _distances() -> list[str]:
    return [f"{seconds * 1e3:g} ms away" for seconds in DISTANCES]


def law(record: CurveRecord) -> str:
    near = {
        (str(point.at["strategy"]), str(point.at["setting"])): point for point in record.where(distance=0.0)
    }

    def trips(setting: str, checkout: str) -> str:
        return f"{curve.round_trips(near[curve.VARIED, setting], checkout):g}"

    errors = [error for checkout in ("first", "further") for error in curve.errors(record, checkout).values()]
    only = "" if max(errors) <= HOLDS_WITHIN else "only "
    return (
        "Distance: a checkout takes its time on loopback plus its round trips times the distance; measured"
        f" times agree {only}within {max(errors):.0%}. The first row of a new engine takes"
        f" {trips('default', 'first')} round trips, each further checkout {trips('default', 'further')};"
        " without hstore, with AUTOCOMMIT and without a reset on return they take"
        f" {trips('lean', 'first')} and {trips('lean', 'further')}. `pool_pre_ping` adds one to each further"
        " checkout."
    )
