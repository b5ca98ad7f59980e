"""Predictions: fleets drawn at random, to which nothing was fitted, measured and compared with the bill."""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from harness.curves import sizes
from harness.curves.bill import BillRequest, Coefficients, bills
from harness.curves.curve import At, CurvePlan, CurveRecord, Samples
from harness.fleets import measure as fleets
from harness.fleets.checks import TreeMemory
from harness.fleets.inside.data import ARROW
from harness.postgres import sessions
from harness.postgres.relay import Relay
from harness.postgres.server import Server
from harness.system.memory import MIB, available

NUMBER, SEED = 20, 28

WITHIN = 0.15
"""How far a prediction may be off."""

MOST_WORKERS, MOST_MIB, FARTHEST = 64, 4096, 0.05


class PredictionsCurve(CurvePlan):
    name = "predictions"
    title = "20 fleets drawn at random, next to the bill"
    visits = 2
    seconds = 6.0

    def points(self) -> Sequence[At]:
        return drawn()

    def refused(self, at: At, server: Server) -> str:
        needed = int(at["workers"]) * fleets.WORKER_MIB + fleets.MEMORY_FACTOR * float(at["mib"])
        if needed * MIB > available():
            return f"it may need {needed / 1024:.1f} GiB of memory"
        if int(at["workers"]) + 1 > (free := sessions.free(server)):
            return f"the server has {free} connections left"
        return ""

    def measure(self, at: At, server: Server) -> Samples:
        distance, mib, kind = float(at["distance"]), int(at["mib"]), str(at["kind"])
        with ExitStack() as stack:
            if distance:
                server = stack.enter_context(Relay(server, distance)).server
            _, (report,) = fleets.run(
                str(at["strategy"]),
                server,
                workers=(int(at["workers"]),),
                data=sizes.KINDS[kind] if mib else "",
                mib=mib,
                steps=["collect"],
                variables=sizes.VARIABLES.get(kind, {}),
            )
        rows = [worker["first_row"] for worker in report["workers"]]
        return {
            "ready": [(max(rows) - report["called"]) * 1e-9],
            "memory": [_total(report["memory"]["first_row"])],
            "collected": [_total(report["memory"]["collect"])],
        }


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


@dataclass(frozen=True)
class Prediction:
    """A drawn fleet with what was predicted and measured; seconds and bytes."""

    at: dict[str, str | float]
    predicted: dict[str, float]
    measured: dict[str, float]

    def off(self, figure: str) -> float:
        """The relative difference of the prediction from what was measured."""
        return self.predicted[figure] / self.measured[figure] - 1


def outcomes(record: CurveRecord, known: Coefficients) -> Iterator[Prediction]:
    """The measured fleets, each next to what the coefficients predict."""
    for point in record.points:
        request = BillRequest(
            int(point.at["workers"]),
            float(point.at["mib"]),
            str(point.at["kind"]),
            float(point.at["distance"]),
        )
        bill = next(each for each in bills(known, request) if each.strategy == point.at["strategy"])
        yield Prediction(
            point.at,
            {"ready": bill.ready, "memory": bill.memory, "collected": bill.memory_collected},
            {name: point.median(name) for name in ("ready", "memory", "collected")},
        )


def within(found: Sequence[Prediction], figure: str) -> int:
    """How many predictions are off by no more than `WITHIN`."""
    return sum(abs(each.off(figure)) <= WITHIN for each in found)
