"""Fleets drawn at random, to which nothing was fitted, to be compared with the bill."""

import importlib.util
import random
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import cycle

from harness import drivers
from harness.curves import distance, sizes
from harness.curves.curve import At, CurvePlan, Samples
from harness.curves.factors import BOOTED, POOLS, SERVED
from harness.curves.outcomes import NAME, SEED, TWIN, VARIED, VARIED_SEED
from harness.curves.work import POOL_MODE, no_pooler
from harness.fleets import measure as fleets
from harness.fleets.checks import TreeMemory
from harness.fleets.inside.data import ARROW, DATAFRAME
from harness.poolers import pgbouncer
from harness.postgres import sessions
from harness.postgres.relay import Relay
from harness.postgres.server import Server
from harness.system.memory import MIB, available

NUMBER, VARIED_NUMBER = 20, 12
"""Drawn fleets, and those with another driver or behind a pooler."""

TURNS = 4
"""How often a visit measures a fleet with another driver or behind a pooler, and its twin."""

CONTROL_WORKERS = 8
"""Of the fleets that are on record: one for each strategy is measured again among the drawn ones, because all
times of a session may be longer than those of another."""

PLAIN: At = {"kind": DATAFRAME, "mib": 0, "distance": 0.0}
"""No data in the parent, and a server next to it."""

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
    """Fleets with another driver or behind a pooler, which a bill computes from single workers.

    Their times are compared with those of twins, so that they count on another machine too.
    """

    name = f"{VARIED}_{VARIED_SEED}"
    visits = 3
    seconds = 14.0

    def points(self) -> Sequence[At]:
        return [*drawn_varied(), *controls()]

    def refused(self, at: At, server: Server) -> str:
        if "driver" in at and not importlib.util.find_spec(str(at["driver"])):
            return f"the package {at['driver']} is not installed"
        missing = no_pooler() if "pooler" in at else ""
        return missing or super().refused(at, server)

    def measure(self, at: At, server: Server) -> Samples:
        """In turns the fleet and its twin, whose figures begin with `TWIN`."""
        twin = {name: value for name, value in at.items() if name not in ("driver", "pooler")}
        sides = [("", at), (TWIN, twin)] if twin != at else [("", at)]
        found: dict[str, list[float]] = {}
        for turn in range(TURNS):
            for prefix, side in sides if turn % 2 == 0 else sides[::-1]:
                for name, values in super().measure(side, server).items():
                    found.setdefault(prefix + name, []).extend(values)
        return found


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
    """Random fleets: in turn with psycopg, behind PgBouncer, and both, under all strategies that a bill has
    with them. A fleet is drawn from each part of the logarithmic scale of workers."""
    chance = random.Random(seed)
    driver, pooler = {"driver": drivers.PSYCOPG.name}, {"pooler": POOL_MODE}
    turns = [
        (variant, cycle(chance.sample(strategies, len(strategies))))
        for variant, strategies in (
            (driver, [*POOLS, SERVED, BOOTED]),
            (pooler, [*POOLS]),
            ({**driver, **pooler}, [*POOLS]),
        )
    ]
    return [
        {
            "strategy": next(strategies),
            "workers": round(MOST_WORKERS ** ((part + chance.random()) / number)),
            **PLAIN,
            **variant,
        }
        for part, (variant, strategies) in zip(
            chance.sample(range(number), number), cycle(turns), strict=False
        )
    ]


def controls() -> list[At]:
    """Fleets that are on record, one for each strategy."""
    return [
        {"strategy": name, "workers": CONTROL_WORKERS, **PLAIN, "control": 1} for name in fleets.STRATEGIES
    ]
