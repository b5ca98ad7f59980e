"""The generated page `docs/curves.md`, and the laws that README.md shows."""

from collections.abc import Callable, Iterator, Mapping

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves import distance
from harness.curves.curve import CurveRecord
from harness.curves.distance import DISTANCES, HOLDS_WITHIN

INTRODUCTION = """\
# Curves: where the advice changes

One worker next to its server is one corner of the space that people work in. Here is what its start costs
elsewhere, each point measured in turn with all others, each time in a new parent.
`poolstart bill --workers 32 --parent-memory 4GiB --distance 5ms --task 200ms` computes a fleet from these
curves and from [the fleets](fleets.md); `poolstart record curves --only distance` measures one of them here.
"""


def render(curves: Mapping[str, CurveRecord]) -> str:
    """The page `docs/curves.md`, a section for each curve on record."""
    parts = [INTRODUCTION]
    for name, section in SECTIONS.items():
        if record := curves.get(name):
            parts += section(record)
            parts += [f"Not measured: {reason}.\n" for reason in record.left_out]
            parts.append(f"Measured {record.provenance}{record.provenance.by}.\n")
    return "\n".join(parts)


def laws(curves: Mapping[str, CurveRecord]) -> str:
    """A line for each curve: what follows from it."""
    lines = "".join(f"- {LAWS[name](curves[name])}\n" for name in LAWS if name in curves)
    return f"From [curves](docs/curves.md) and [fleets](docs/fleets.md) on record:\n\n{lines}"


def _distance(record: CurveRecord) -> Iterator[str]:
    yield "## Distance\n"
    yield _distance_law(record) + "\n"
    yield DISTANCE
    for checkout, title in (("first", "The first checkout"), ("further", "Each further one")):
        found = distance.errors(record, checkout)
        header = ["strategy", "settings", "round trips", *_distances(), "off by at most"]
        rows = []
        for strategy, setting in sorted(found, key=distance.order):
            points = record.where(strategy=strategy, setting=setting)
            cells = [
                f"{digits(point.median(checkout) * 1e3)} / "
                f"{digits(distance.predicted(record, point, checkout) * 1e3)}"
                for point in points
            ]
            error = found[strategy, setting]
            trips = f"{distance.round_trips(points[0], checkout):g}"
            rows.append([strategy, TITLES.get(setting, setting), trips, *cells, f"{error:.0%}"])
        yield f"### {title}, ms: measured / predicted\n"
        yield markdown.table(header, rows, figures=2)


DISTANCE = """\
A proxy holds back what it passes on, TCP's handshake included. The prediction for a distance is the time
without one, and the round trips counted there times the distance. Settings are varied where workers make an
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


def _distances() -> list[str]:
    return [f"{seconds * 1e3:g} ms away" for seconds in DISTANCES]


def _distance_law(record: CurveRecord) -> str:
    near = {
        (str(point.at["strategy"]), str(point.at["setting"])): point for point in record.where(distance=0.0)
    }

    def trips(setting: str, checkout: str) -> str:
        return f"{distance.round_trips(near[distance.VARIED, setting], checkout):g}"

    errors = [
        error for checkout in ("first", "further") for error in distance.errors(record, checkout).values()
    ]
    holds = "within" if max(errors) <= HOLDS_WITHIN else "here only within"
    return (
        f"Distance: a checkout takes its time on loopback and its round trips times the distance, {holds}"
        f" {max(errors):.0%}. A new engine's first row takes {trips('default', 'first')} round trips, further"
        f" ones {trips('default', 'further')} each; without hstore, with AUTOCOMMIT and without a reset on"
        f" return it is {trips('lean', 'first')} and {trips('lean', 'further')}; `pool_pre_ping` adds one to"
        " each further one."
    )


SECTIONS: dict[str, Callable[[CurveRecord], Iterator[str]]] = {"distance": _distance}

LAWS: dict[str, Callable[[CurveRecord], str]] = {"distance": _distance_law}
