"""Fleets drawn at random, to which nothing was fitted, to be compared with the bill."""

import random
from collections.abc import Sequence
from contextlib import ExitStack

from harness import drivers
from harness.curves import distance, sizes
from harness.curves.curve import At, CurvePlan, Samples
from harness.curves.factors import BOOTED, POOLS, SERVED
from harness.curves.outcomes import NAME, SEED, TWIN, VARIED, VARIED_SEED
from harness.curves.work import POOL_MODE, no_pooler
from harness.fleets import measure as fleets
from harness.fleets.inside.data import ARROW, DATAFRAME
from harness.poolers import pgbouncer
from harness.poolers.inside.world import engine_arguments
from harness.postgres import sessions
from harness.postgres.relay import Relay
from harness.postgres.server import Server
from harness.records.provenance import installed
from harness.system.memory import MIB, available

NUMBER = 20
"""Drawn fleets."""

VARIED_DRIVERS = (drivers.PSYCOPG.name, drivers.ASYNCPG.name)

TURNS = 5
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
            driver, options = drivers.get(str(at.get("driver", drivers.MEASURED.name))), {}
            if at.get("pooler"):
                server = stack.enter_context(pgbouncer.started(server, POOL_MODE))
                options = engine_arguments([driver.behind_pooler])
            _, (report,) = fleets.run(
                str(at["strategy"]),
                server,
                workers=(int(at["workers"]),),
                data=sizes.KINDS[kind] if mib else "",
                mib=mib,
                variables=sizes.VARIABLES.get(kind, {}),
                options=options,
                driver=driver,
            )
        rows, memory = [worker["first_row"] for worker in report["workers"]], report["memory"]["first_row"]
        return {
            "ready": [(max(rows) - report["called"]) * 1e-9],
            "memory": [memory["pss"] + memory["page_tables"]],
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
        packages = drivers.get(str(at.get("driver", drivers.MEASURED.name))).packages
        for package, _ in packages:
            if not installed(package):
                return f"the package {package} is not installed"
        missing = no_pooler() if "pooler" in at else ""
        return missing or super().refused(at, server)

    def used(self) -> list[str]:
        found = [f"{name} {version}" for name in VARIED_DRIVERS if (version := installed(name))]
        return found if no_pooler() else [*found, f"PgBouncer {pgbouncer.version()}"]

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


def drawn_varied(seed: int = VARIED_SEED) -> list[At]:
    """Random fleets: four each with another driver, behind PgBouncer, and with both, under the strategies
    that a bill has with them, and one in each part of the logarithmic scale of workers."""
    chance = random.Random(seed)
    halves = [{"driver": name} for name in VARIED_DRIVERS] * 2
    direct, behind = [*POOLS, SERVED, BOOTED], [*POOLS] * 2
    pooler = {"pooler": POOL_MODE}
    drawn = [
        *({"strategy": name, **half} for name, half in zip(direct, chance.sample(halves, 4), strict=True)),
        *({"strategy": name, **pooler} for name in behind),
        *({"strategy": name, **half, **pooler} for name, half in zip(sorted(behind), halves, strict=True)),
    ]
    parts = chance.sample(range(len(drawn)), len(drawn))
    return [
        {**each, "workers": round(MOST_WORKERS ** ((part + chance.random()) / len(drawn))), **PLAIN}
        for each, part in zip(drawn, parts, strict=True)
    ]


def controls() -> list[At]:
    """Fleets that are on record, one for each strategy."""
    return [
        {"strategy": name, "workers": CONTROL_WORKERS, **PLAIN, "control": 1} for name in fleets.STRATEGIES
    ]
