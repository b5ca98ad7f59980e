"""A stampede: workers that connect at the same moment to a server that is too small for them.

A client takes one of the server's connections before it is authenticated, and whether ordinary roles may
have it is decided afterwards. Clients that come together can therefore all be refused although some would
have been served one by one; the more the server has to do, the likelier.
"""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from itertools import product
from typing import cast

from harness.curves.curve import At, CurvePlan, Samples
from harness.curves.inside.stampede import Attempts, StampedeOrder
from harness.postgres import sessions
from harness.postgres.relay import Relay
from harness.postgres.server import Server
from harness.processes.child import run_program

PROGRAM = "harness.curves.inside.stampede"

APPLICATION = "poolstart-stampede"

WORKERS = (8, 32)

DISTANCES = (0.0, 0.01)
"""Seconds of a round trip, beyond that on loopback."""

POOLS = ("pool", "nullpool")

RETRIES = ("none", "fixed", "backoff")

PATIENCE = 2.0
"""Seconds for which a worker tries."""

DEADLINE = 120.0

LOOKS, PAUSE_S = 5, 0.05
"""How often free connections are looked for and taken, and how long to wait in between."""


class StampedeCurve(CurvePlan):
    name = "stampede"
    seconds = 2.5

    def points(self) -> Sequence[At]:
        found: list[At] = []
        for workers, distance, pool in product(WORKERS, DISTANCES, POOLS):
            at: At = {"workers": workers, "distance": distance, "pool": pool}
            found.append({**at, "free": workers, "retry": "none"})
            found += [{**at, "free": workers // 2, "retry": retry} for retry in RETRIES]
        return found

    def refused(self, at: At, server: Server) -> str:
        free = sessions.free(server)
        if free < int(at["free"]):
            return f"the server has {free} connections left"
        return ""

    def measure(self, at: At, server: Server) -> Samples:
        with ExitStack() as stack:
            between = stack.enter_context(Relay(server, float(at["distance"])))
            # All but `free` connections are taken, those too that sessions about to end leave in a moment.
            for _ in range(LOOKS):
                for _ in range(sessions.free(server) - int(at["free"])):
                    stack.enter_context(closing(server.connect()))
                time.sleep(PAUSE_S)
            order: StampedeOrder = {
                "url": between.sqlalchemy_url(APPLICATION),
                "workers": int(at["workers"]),
                "pool": str(at["pool"]),
                "retry": str(at["retry"]),
                "patience": PATIENCE,
            }
            (reports,) = cast(
                "list[list[Attempts]]",
                run_program(f"{at['workers']} workers at once", PROGRAM, [json.dumps(order)], DEADLINE),
            )
            sessions.remaining(server, APPLICATION)
        times = [report["row"] for report in reports if report["row"] is not None]
        return {
            "rows": [len(times)],
            "refused": [sum(report["refused"] for report in reports)],
            "last": [max(times, default=PATIENCE)],
        }
