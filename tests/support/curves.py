"""Records of curves whose figures lie on lines."""

from typing import Any

from harness.curves import distance, factors, sizes
from harness.curves.curve import CurveRecord, Point
from harness.poolers.figures import PoolersRecord, PoolerTimes, RouteFigures
from harness.records.provenance import Provenance
from harness.system.memory import MIB

PROVENANCE = Provenance(release="2.1.9", command="poolstart record curves")

LIBRARY_MIB = 30


def sizes_point(kind: str, mib: int, strategy: str = sizes.FORKED) -> Point:
    """A worker takes 10 ms, 1 ms more with a library, and 20 ms more for each GiB, the first one 25 ms."""
    library, gib = kind != "none", mib / 1024
    data = LIBRARY_MIB * library + mib
    seconds = [0.010 + 0.001 * library + 0.020 * gib]
    return Point(
        {"strategy": strategy, "kind": kind, "mib": mib},
        {
            **dict.fromkeys(("blocked", "startup", "first", "each"), seconds),
            "first_fork": [seconds[0] + 0.001 + 0.005 * gib],
            "rss": [data * MIB],
            "huge": [0.0],
            "pss_first_row": [(40 + data) * MIB],
            "pss_collect": [(50 + 10 * library + data) * MIB],
            "page_tables_first_row": [(1 + 4 * gib) * MIB],
            "page_tables_collect": [(1 + 4 * gib) * MIB],
            **({"write_before": [0.1], "write_after": [0.5]} if mib else {}),
        },
    )


SIZES = CurveRecord(
    PROVENANCE,
    [
        sizes_point("none", 0),
        *(sizes_point(kind, mib) for kind in ("dataframe", "numbers", "objects") for mib in (0, 1024, 4096)),
    ],
)


def distance_point(strategy: str, setting: str, seconds: float, trips: tuple[int, int]) -> Point:
    """A checkout takes 10 ms on loopback, and its round trips."""
    values = {"round_trip": [0.0002 + seconds]}
    for name, number in zip(("first", "further"), trips, strict=True):
        values[name] = [0.01 + number * seconds] * 3
        values[f"{name}_trips"] = [float(number)] * 3
    return Point({"strategy": strategy, "setting": setting, "distance": seconds}, values)


DISTANCE = CurveRecord(
    PROVENANCE,
    [
        distance_point(strategy, setting, seconds, trips)
        for seconds in (0.0, 0.001, 0.01, 0.05)
        for strategy, setting, trips in (
            ("fork_dispose", "default", (5, 3)),
            (distance.VARIED, "default", (14, 3)),
            (distance.VARIED, "lean", (7, 1)),
        )
    ],
)


def stampede_point(pool: str, retry: str, rows: int, free: int = 4) -> Point:
    """Eight workers, and by default four connections."""
    return Point(
        {"workers": 8, "distance": 0.0, "pool": pool, "free": free, "retry": retry},
        {"rows": [float(rows)], "refused": [4.0], "last": [0.1]},
    )


def compared(metric: str, strategy: str, first: float, second: float) -> dict[str, Any]:
    """A figure of a driver next to that of the reference."""
    return {"metric": metric, "strategy": strategy, "first": first, "second": second, "ratio": second / first}


DRIVER_ROWS: dict[str, Any] = {
    "asyncpg": {
        "counts": {
            "fork_dispose": {"round_trips_first_query": 6},
            "spawn": {"round_trips_first_query": 16},
        },
        "rows": [
            compared("time_to_first_row", "fork_dispose", 0.010, 0.020),
            compared("cpu_first_row", "fork_dispose", 0.004, 0.012),
            compared("uss", "fork_dispose", 5.0 * MIB, 8.0 * MIB),
            compared("time_to_first_row", "spawn", 0.2, 0.3),
            compared("cpu_first_row", "spawn", 0.18, 0.28),
        ],
    }
}
"""Under fork_dispose asyncpg takes twice as long, three times the processor time, and 3 MiB more; of spawn
the memory was not measured."""

DRIVERS = factors.of_drivers(DRIVER_ROWS)


def through(driver: str, pool: str, route: str, trips: int, *ratios: float) -> RouteFigures:
    return RouteFigures(
        driver,
        pool,
        route,
        first_row=tuple(0.008 * each for each in ratios),
        first_ratio=ratios,
        trips=(trips, 3),
    )


POOLERS = factors.of_poolers(
    PoolersRecord(
        times={
            "1.18": PoolerTimes(
                PROVENANCE,
                drivers={},
                parents=3,
                workers=12,
                rows=(
                    through("psycopg2", "NullPool", "transaction", 4, 0.8, 0.5, 0.4),
                    through("psycopg2", "QueuePool", "transaction", 4, 0.7, 0.7, 0.7),
                    through("asyncpg", "QueuePool", "transaction", 5, 0.5, 0.5, 0.5),
                    through("psycopg2", "QueuePool", "direct", 5, 1.0, 1.0, 1.0),
                    through("psycopg2", "NullPool", "session", 4, 0.9, 0.9, 0.9),
                ),
            )
        }
    )
)
"""Behind PgBouncer a worker without a pool takes 4 ms instead of 8."""
