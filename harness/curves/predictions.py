"""Predictions: fleets drawn at random, to which nothing was fitted, measured and compared with the bill."""

import importlib.util
import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from statistics import geometric_mean

from harness import drivers
from harness.curves import distance, sizes
from harness.curves.bill import BillRequest, Coefficients, bills
from harness.curves.curve import At, CurvePlan, CurveRecord, Point, Samples
from harness.curves.factors import BOOTED, POOLS, SERVED
from harness.curves.work import POOL_MODE, no_pooler
from harness.fleets import measure as fleets
from harness.fleets.checks import TreeMemory
from harness.fleets.inside.data import ARROW, DATAFRAME
from harness.poolers import pgbouncer
from harness.postgres import sessions
from harness.postgres.relay import Relay
from harness.postgres.server import Server
from harness.system.memory import MIB, available

NUMBER, SEED = 20, 30
"""Fleets, and the seed of the draw. A change of how a bill is computed takes a new seed: fleets that were
known before the change are not unfitted any more."""

NAME, VARIED = "predictions", "varied"

VARIED_NUMBER, VARIED_SEED = 12, 31
"""Fleets with another driver or behind a pooler, and the seed of their draw."""

CONTROL_WORKERS = 8
"""Of the fleets that are on record: one for each strategy is measured again among the drawn ones, because all
times of a session may be longer than those of another."""

PLAIN: At = {"kind": DATAFRAME, "mib": 0, "distance": 0.0}
"""No data in the parent, and a server next to it."""

WITHIN = 0.15
"""How far a prediction may be off."""

MOST_WORKERS, MOST_MIB, FARTHEST = 64, 4096, 0.05


class PredictionsCurve(CurvePlan):
    name = f"{NAME}_{SEED}"
    visits = 4
    seconds = 4.0

    def points(self) -> Sequence[At]:
        return [*drawn(), *controls()]

    def refused(self, at: At, server: Server) -> str:
        needed = int(at["workers"]) * fleets.WORKER_MIB + fleets.MEMORY_FACTOR * float(at["mib"])
        if needed * MIB > available():
            return f"it may need {needed / 1024:.1f} GiB of memory"
        if int(at["workers"]) + 1 > (free := sessions.free(server)):
            return f"the server has {free} connections left"
        return ""

    def measure(self, at: At, server: Server) -> Samples:
        mib, kind, away = int(at["mib"]), str(at["kind"]), 0.0
        with ExitStack() as stack:
            if at["distance"]:
                near = distance.round_trip(server)
                server = stack.enter_context(Relay(server, float(at["distance"]))).server
                away = distance.round_trip(server) - near
            if at.get("pooler"):
                server = stack.enter_context(pgbouncer.started(server, POOL_MODE))
            _, (report,) = fleets.run(
                str(at["strategy"]),
                server,
                workers=(int(at["workers"]),),
                data=sizes.KINDS[kind] if mib else "",
                mib=mib,
                steps=["collect"],
                variables=sizes.VARIABLES.get(kind, {}),
                driver=drivers.get(str(at.get("driver", drivers.MEASURED.name))),
            )
        rows = [worker["first_row"] for worker in report["workers"]]
        return {
            "ready": [(max(rows) - report["called"]) * 1e-9],
            "memory": [_total(report["memory"]["first_row"])],
            "collected": [_total(report["memory"]["collect"])],
            "away": [away],
        }


class VariedCurve(PredictionsCurve):
    """Fleets with another driver or behind a pooler, which a bill computes from single workers."""

    name = f"{VARIED}_{VARIED_SEED}"
    seconds = 3.0

    def points(self) -> Sequence[At]:
        return [*drawn_varied(), *controls()]

    def refused(self, at: At, server: Server) -> str:
        if "driver" in at and not importlib.util.find_spec(str(at["driver"])):
            return f"the package {at['driver']} is not installed"
        missing = no_pooler() if "pooler" in at else ""
        return missing or super().refused(at, server)


def _total(memory: TreeMemory) -> float:
    return float(memory["pss"] + memory["page_tables"])


def drawn(number: int = NUMBER, seed: int = SEED) -> list[At]:
    """Random fleets: workers evenly on a logarithmic scale; half of them with data, half at a distance."""
    chance = random.Random(seed)
    kinds = [kind for kind in sizes.KINDS if kind != ARROW]
    found: list[At] = []
    for _ in range(number):
        found.append(
            {
                "strategy": chance.choice(fleets.STRATEGIES),
                "workers": round(MOST_WORKERS ** chance.random()),
                "kind": chance.choice(kinds),
                "mib": chance.randrange(64, MOST_MIB) if chance.random() < 0.5 else 0,
                "distance": round(chance.uniform(0, FARTHEST), 4) if chance.random() < 0.5 else 0.0,
            }
        )
    return found


def drawn_varied(number: int = VARIED_NUMBER, seed: int = VARIED_SEED) -> list[At]:
    """Random fleets: in turn with psycopg, behind PgBouncer, and both."""
    chance = random.Random(seed)
    driver, pooler = {"driver": drivers.PSYCOPG.name}, {"pooler": POOL_MODE}
    found: list[At] = []
    for _, variant in zip(range(number), cycle((driver, pooler, {**driver, **pooler})), strict=False):
        found.append(
            {
                "strategy": chance.choice([*POOLS] if "pooler" in variant else [*POOLS, SERVED, BOOTED]),
                "workers": round(MOST_WORKERS ** chance.random()),
                **PLAIN,
                **variant,
            }
        )
    return found


def controls() -> list[At]:
    """Fleets that are on record, one for each strategy."""
    return [
        {"strategy": name, "workers": CONTROL_WORKERS, **PLAIN, "control": 1} for name in fleets.STRATEGIES
    ]


@dataclass(frozen=True)
class Prediction:
    """A fleet with what was predicted and measured; seconds and bytes."""

    at: dict[str, str | float]
    predicted: dict[str, float]
    measured: dict[str, float]

    def off(self, figure: str) -> float:
        """The relative difference of the prediction from what was measured."""
        return self.predicted[figure] / self.measured[figure] - 1


@dataclass(frozen=True)
class Predictions:
    """The fleets of one session."""

    seed: int
    drawn: list[Prediction]
    controls: list[Prediction]

    @property
    def level(self) -> float:
        """What the fleets on record took in this session, as a multiple; 1 without controls."""
        found = [each.measured["ready"] / each.predicted["ready"] for each in self.controls]
        return geometric_mean(found) if found else 1.0

    def within(self, figure: str) -> int:
        """How many predictions are off by no more than `WITHIN`."""
        return sum(abs(each.off(figure)) <= WITHIN for each in self.drawn)


def outcomes(name: str, record: CurveRecord, known: Coefficients) -> Predictions:
    """The measured fleets, each next to what the coefficients predict; `name` is that of the curve."""
    seed = name.partition("_")[2]
    found: dict[bool, list[Prediction]] = {control: [] for control in (False, True)}
    for point in record.points:
        found["control" in point.at].append(outcome(point, known))
    # The first draw was recorded without its seed.
    return Predictions(int(seed or 28), found[False], found[True])


def outcome(point: Point, known: Coefficients) -> Prediction:
    """A measured fleet next to what the coefficients predict."""
    request = BillRequest(
        int(point.at["workers"]),
        float(point.at["mib"]),
        str(point.at["kind"]),
        point.median("away") if "away" in point.values else float(point.at["distance"]),
        driver=str(point.at.get("driver", drivers.MEASURED.name)),
        pooler="pooler" in point.at,
    )
    bill = next(each for each in bills(known, request) if each.strategy == point.at["strategy"])
    predicted = {"ready": bill.ready, "memory": bill.memory}
    if bill.memory_collected is not None:
        predicted["collected"] = bill.memory_collected
    return Prediction(point.at, predicted, {name: point.median(name) for name in predicted})
