"""Distance: checkouts of a server that is 0 to 50 ms away, next to what the counted round trips predict."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import product
from statistics import median
from typing import Any

from harness import strategies
from harness.curves.curve import At, CurvePlan, CurveRecord, Point, Samples
from harness.fleets import measure as fleets
from harness.postgres import binaries, embedded, relay
from harness.postgres.relay import Relay
from harness.postgres.server import Server
from harness.processes.supervision import Supervision

WORKERS = {0.0: 10, 0.001: 10, 0.01: 6, 0.05: 2}
"""Of each visit, one after another, by distance: near the server most of a checkout is the worker's own
time, which varies more."""

DISTANCES = tuple(WORKERS)
"""Nominal seconds of a round trip, beyond that on loopback."""

PROBES = 9
"""Round trips that are measured at each visit."""

AWAKE = 0.0005
"""Seconds before a piece is due in which the proxy does not sleep: there is one client at a time."""

SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "no_native_hstore": {"use_native_hstore": False},
    "autocommit": {"isolation_level": "AUTOCOMMIT"},
    "no_reset": {"pool_reset_on_return": None},
    "pre_ping": {"pool_pre_ping": True},
    "recycle": {"pool_recycle": 3600},
    "recycled": {"pool_recycle": 0},
    "lean": {"use_native_hstore": False, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None},
    "tls": {},
    "scram": {},
}
"""Options of `create_engine` that may change the round trips; `tls` and `scram` are the server's."""

VARIED = "forkserver_preload"
"""The strategy whose settings are varied: its workers make an engine of their own."""

FURTHER = 4
"""Checkouts after the first."""

HOLDS_WITHIN = 0.05
"""A prediction holds if no measured median differs more from it."""


class DistanceCurve(CurvePlan):
    name = "distance"
    seconds = 3.0

    def points(self) -> Sequence[At]:
        cells = [
            *((name, "default") for name in fleets.STRATEGIES if name != VARIED),
            *((VARIED, setting) for setting in SETTINGS),
        ]
        return [
            {"strategy": name, "setting": setting, "distance": distance}
            for distance, (name, setting) in product(DISTANCES, cells)
        ]

    def refused(self, at: At, server: Server) -> str:
        if at["setting"] == "tls":
            try:
                binaries.tls_binaries()
            except binaries.NoTLS as reason:
                return reason.problem
        return ""

    def measure(self, at: At, server: Server) -> Samples:
        setting, distance = str(at["setting"]), float(at["distance"])
        with (
            _server(setting, server) as behind,
            Relay(behind, distance, encrypted=setting == "tls", awake=AWAKE) as between,
        ):
            _, reports = fleets.run(
                str(at["strategy"]),
                between.server,
                workers=[1] * WORKERS.get(distance, 2),
                steps=[["query", FURTHER]],
                options=SETTINGS[setting],
            )
            values: dict[str, list[float]] = {
                name: [] for name in ("first", "further", "first_trips", "further_trips")
            }
            values["round_trip"] = [round_trip(between.server)]
            for report in reports:
                (worker,) = report["workers"]
                ends = report["answers"][0][0]
                values["first"].append((worker["first_row"] - worker["begun"]) * 1e-9)
                # The step begins when the order arrives, so the first of the further ones is not counted.
                values["further"].append((ends[-1] - ends[0]) * 1e-9 / (FURTHER - 1))
                values["first_trips"].append(trips(between, worker["begun"], worker["first_row"]))
                values["further_trips"].append(trips(between, ends[0], ends[-1]) / (FURTHER - 1))
            return values


@contextmanager
def _server(setting: str, server: Server) -> Iterator[Server]:
    """The server, or one with TLS or SCRAM for the settings of that name."""
    with ExitStack() as stack:
        if setting not in ("tls", "scram"):
            yield server
            return
        supervision = stack.enter_context(Supervision())
        yield embedded.start(supervision, tls=setting == "tls", scram=setting == "scram")


def round_trip(server: Server) -> float:
    """Seconds of a round trip on an open connection, the median of `PROBES`."""
    taken = []
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        for _ in range(PROBES):
            begun = time.perf_counter()
            cursor.execute("select 1")
            taken.append(time.perf_counter() - begun)
    return median(taken)


def trips(between: Relay, first: int, last: int) -> int:
    """Round trips between two moments."""
    return sum(event.kind in (relay.CONNECT, relay.TURN) for event in between.between(first, last))


def round_trips(point: Point, checkout: str) -> float:
    """Round trips of the `first` or a `further` checkout."""
    return median(point.values[f"{checkout}_trips"])


def away(record: CurveRecord, distance: float) -> float:
    """Seconds that a round trip takes longer than without a delay, as measured at a nominal distance."""
    far, near = (
        median(value for point in record.where(distance=nominal) for value in point.values["round_trip"])
        for nominal in (distance, 0.0)
    )
    return far - near


def predicted(record: CurveRecord, point: Point, checkout: str) -> float:
    """Seconds at the point's distance: those without a distance, and the round trips."""
    (near,) = record.where(strategy=point.at["strategy"], setting=point.at["setting"], distance=0.0)
    return near.median(checkout) + round_trips(near, checkout) * away(record, float(point.at["distance"]))


def errors(record: CurveRecord, checkout: str) -> dict[tuple[str, str], float]:
    """By strategy and setting, the largest relative difference of a measured median from its prediction."""
    found: dict[tuple[str, str], float] = {}
    for point in record.points:
        cell = str(point.at["strategy"]), str(point.at["setting"])
        error = abs(point.median(checkout) / predicted(record, point, checkout) - 1)
        found[cell] = max(found.get(cell, 0.0), error)
    return found


def order(cell: tuple[str, str]) -> tuple[int, int]:
    """Strategies in the order of the catalogue, settings in that of `SETTINGS`."""
    return strategies.IDS.index(cell[0]), list(SETTINGS).index(cell[1])
