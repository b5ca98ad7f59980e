"""Embedded and containerized PostgreSQL: what each layer between them costs a worker.

Each server adds one layer: the container with its bridge, then password authentication, then TLS. All of them
run at once and are measured in turns, so that other work of the machine slows all of them alike.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.lifecycles.cell import Cell
from harness.lifecycles.parent_handle import ParentHandle
from harness.lifecycles.profile import Profile
from harness.lifecycles.samples import of_parent
from harness.postgres import embedded
from harness.postgres.compose import Compose
from harness.postgres.server import Server, describe
from harness.processes.supervision import Supervision
from harness.records import store
from harness.records.provenance import Provenance
from harness.records.session import Parts

PATH = store.path("servers")
"""The recorded comparison."""

CELL = Cell("fork_dispose", "none")
"""A worker that opens its own connection, and whose own share of the times is the smallest."""

METRICS = ("connect", "first_query", "second_query")


@dataclass(frozen=True)
class Layer:
    """A server, by what it adds to the one before it."""

    adds: str
    variables: dict[str, str] | None
    """Variables of `docker-compose.yml`; None for the embedded server."""


LAYERS = (
    Layer("", None),
    Layer("container, bridge", {"POOLSTART_PG_AUTH": "trust"}),
    Layer("authentication", {"POOLSTART_PG_AUTH": "scram-sha-256"}),
    Layer("TLS", {"POOLSTART_PG_AUTH": "scram-sha-256", "POOLSTART_TLS": "on"}),
)


@dataclass(frozen=True)
class ServerSamples:
    """The samples of one server."""

    server: str
    """Its identity (`harness.postgres.server`)."""
    adds: str
    samples: dict[str, list[float]]
    """Seconds by metric. `connect`: `psycopg2.connect()` called -> returned, in a process that connected
    before. `first_query`, `second_query`: of a `fork_dispose` worker (`harness.lifecycles.metrics`)."""

    def median(self, metric: str) -> float:
        """Seconds."""
        return statistics.median(self.samples[metric])

    def quartiles(self, metric: str) -> tuple[float, float]:
        """The lower and the upper quartile, in seconds."""
        lower, _, upper = statistics.quantiles(self.samples[metric], n=4, method="inclusive")
        return lower, upper


@dataclass(frozen=True)
class ServerComparison:
    """All servers of one run, in the order of `LAYERS`."""

    provenance: Provenance
    profile: str
    servers: list[ServerSamples]


def load(path: Path = PATH) -> ServerComparison | None:
    """The recorded comparison; None if there is none. Raises PoolstartError if the record is damaged."""
    return store.load(ServerComparison, path, "poolstart record servers")


def compare(
    profile: Profile, report: Callable[[str], None], command: str = "", parts: Parts | None = None
) -> ServerComparison:
    """Start all servers, measure them in turns, less the rounds among `parts`, and remove them.

    `command` is recorded.

    Raises `PoolstartError` if a server cannot be started, for example without a container engine.
    """
    parts = parts or Parts()
    with Supervision() as supervision, ExitStack() as stack:
        servers = [stack.enter_context(running(layer, supervision, report)) for layer in LAYERS]
        identities = [server.identity for server in servers]
        for number in range(profile.blocks):
            if str(number) in parts.parts:
                continue
            report(f"measuring, round {number + 1} of {profile.blocks}")
            samples = [dict[str, list[float]]((metric, []) for metric in METRICS) for _ in servers]
            # Each server begins as often as any other: none is always the first after a pause.
            for first in range(len(LAYERS)):
                for turn in range(len(LAYERS)):
                    position = (first + turn) % len(LAYERS)
                    measure(servers[position], profile, supervision, samples[position])
            parts.add(str(number), samples)
    rounds = [parts.parts[str(number)] for number in range(profile.blocks)]
    measured = [
        ServerSamples(
            identity,
            layer.adds,
            {metric: [value for samples in rounds for value in samples[at][metric]] for metric in METRICS},
        )
        for at, (identity, layer) in enumerate(zip(identities, LAYERS, strict=True))
    ]
    return ServerComparison(
        # The servers are the rows.
        provenance=Provenance.here("", command),
        profile=profile.name,
        servers=measured,
    )


@contextmanager
def running(layer: Layer, supervision: Supervision, report: Callable[[str], None]) -> Iterator[Server]:
    """The server of a layer, which is removed at the end of the context."""
    if layer.variables is None:
        report("starting the embedded server")
        yield embedded.start(supervision)
        return
    report(f"adding {layer.adds}")
    # A project of its own: the user's service stays as it is, and the engine chooses a port.
    project = "-".join(["poolstart-compare", *layer.variables.values()])
    compose = Compose(**layer.variables, COMPOSE_PROJECT_NAME=project, POOLSTART_PG_PORT="0")
    with compose.running(lambda _: None) as service:
        yield describe("container", service.url)


def measure(
    server: Server, profile: Profile, supervision: Supervision, samples: dict[str, list[float]]
) -> None:
    """Add a sample of each metric to `samples`: one parent's workers, and as many connects."""
    with ParentHandle(CELL, server, profile, supervision) as parent:
        figures = of_parent(list(parent.lifecycles(profile.forks)))
    for metric in ("first_query", "second_query"):
        samples[metric].append(figures[metric])
    server.connect().close()
    times = []
    for _ in range(profile.forks):
        began = time.monotonic()
        connection = server.connect()
        times.append(time.monotonic() - began)
        connection.close()
    samples["connect"].append(statistics.median(times))
