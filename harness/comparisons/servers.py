"""Embedded and containerized PostgreSQL side by side: what each layer between them costs a worker.

The servers differ by one layer each: the container with its bridge, then its password authentication, then
TLS. All of them run at once, and parents of all of them take turns, so that whatever else the machine does
meets all alike.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from asv.machine import Machine

from harness.lifecycles.cell import Cell
from harness.lifecycles.parent_handle import ParentHandle
from harness.lifecycles.profile import Profile
from harness.lifecycles.samples import of_parent
from harness.postgres import embedded
from harness.postgres.compose import Compose
from harness.postgres.server import Server, describe
from harness.processes.supervision import Supervision
from harness.records import store
from harness.system.structure import structure

PATH = store.path("servers")
"""The recorded comparison."""

CELL = Cell("fork_dispose", "none")
"""A worker that connects for itself, and brings the least of its own to the figures."""

METRICS = ("connect", "first_query", "second_query")


@dataclass(frozen=True)
class Layer:
    """A server, and what it adds to the one before it."""

    adds: str
    variables: dict[str, str] | None
    """Of `docker-compose.yml`; None is the embedded server."""


LAYERS = (
    Layer("", None),
    Layer("container, bridge", {"POOLSTART_PG_AUTH": "trust"}),
    Layer("authentication", {"POOLSTART_PG_AUTH": "scram-sha-256"}),
    Layer("TLS", {"POOLSTART_PG_AUTH": "scram-sha-256", "POOLSTART_TLS": "on"}),
)


@dataclass(frozen=True)
class Measured:
    """One server's samples, in seconds."""

    server: str
    """Its identity (`harness.postgres.server`)."""
    adds: str
    samples: dict[str, list[float]]
    """`connect`: `psycopg2.connect()` called -> returned, in a process that connected to it before.
    `first_query`, `second_query`: of a `fork_dispose` worker (`harness.lifecycles.samples`).
    """

    def median(self, metric: str) -> float:
        return statistics.median(self.samples[metric])

    def quartiles(self, metric: str) -> tuple[float, float]:
        lower, _, upper = statistics.quantiles(self.samples[metric], n=4, method="inclusive")
        return lower, upper


@dataclass(frozen=True)
class Comparison:
    """All servers of one run, in the order of `LAYERS`."""

    date: str
    machine: dict[str, str]
    profile: str
    servers: list[Measured]

    def save(self, path: Path) -> None:
        store.write(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> "Comparison":
        with store.reading(path, "poolstart postgres compare --save FILE") as written:
            return structure(cls, written)


def load(path: Path) -> Comparison | None:
    """The recorded comparison; None if there is none. Raises PoolstartError if the record is damaged."""
    return Comparison.load(path) if path.exists() else None


def compare(profile: Profile, report: Callable[[str], None]) -> Comparison:
    """Start all servers, measure them in turns, remove them."""
    with Supervision() as supervision, ExitStack() as stack:
        servers = [stack.enter_context(started(layer, supervision, report)) for layer in LAYERS]
        measured = [
            Measured(server.identity, layer.adds, {metric: [] for metric in METRICS})
            for server, layer in zip(servers, LAYERS, strict=True)
        ]
        for round_ in range(profile.blocks):
            report(f"measuring, round {round_ + 1} of {profile.blocks}")
            # Each server begins as often as any other: none is always the first after a pause.
            for first in range(len(LAYERS)):
                for turn in range(len(LAYERS)):
                    position = (first + turn) % len(LAYERS)
                    measure(servers[position], profile, supervision, measured[position])
    machine = Machine.get_defaults()
    return Comparison(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        machine={name: machine[name] for name in ("arch", "cpu", "num_cpu", "os", "ram")},
        profile=profile.name,
        servers=measured,
    )


@contextmanager
def started(layer: Layer, supervision: Supervision, report: Callable[[str], None]) -> Iterator[Server]:
    """The layer's server, for as long as the context lasts."""
    if layer.variables is None:
        report("starting the embedded server")
        yield embedded.start(supervision)
        return
    report(f"adding {layer.adds}")
    # A project of its own: the user's service stays as it is, and the engine chooses a port.
    project = "-".join(["poolstart-compare", *layer.variables.values()])
    compose = Compose(**layer.variables, COMPOSE_PROJECT_NAME=project, POOLSTART_PG_PORT="0")
    with compose.lent(lambda _: None) as service:
        yield describe("container", service.url)


def measure(server: Server, profile: Profile, supervision: Supervision, into: Measured) -> None:
    """One parent's workers, and as many connects."""
    with ParentHandle(CELL, server, profile, supervision) as parent:
        found = of_parent(list(parent.lifecycles(profile.forks)))
    for metric in ("first_query", "second_query"):
        into.samples[metric].append(found[metric])
    server.connect().close()
    times = []
    for _ in range(profile.forks):
        began = time.monotonic()
        connection = server.connect()
        times.append(time.monotonic() - began)
        connection.close()
    into.samples["connect"].append(statistics.median(times))
