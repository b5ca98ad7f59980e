"""The table of a comparison: figures from recorded samples, a page that agrees with its data."""

from harness.comparisons import servers
from harness.comparisons import servers_report as table
from harness.comparisons.servers import LAYERS, METRICS, ServerComparison, ServerSamples
from harness.records.provenance import Provenance


def measured(server: str, adds: str, seconds: list[float]) -> ServerSamples:
    return ServerSamples(server, adds, dict.fromkeys(METRICS, seconds))


COMPARISON = ServerComparison(
    provenance=Provenance(date="2026-01-02T03:04:05+00:00", machine="a machine"),
    profile="quick",
    servers=[
        measured("embedded-18.4-tcp-trust", "", [0.001, 0.002, 0.003]),
        measured("container-18.4-tcp-trust", "bridge", [0.0035, 0.0025, 0.0015]),
    ],
)


def test_a_row_is_median_quartiles_and_what_the_server_adds() -> None:
    assert table.rows(COMPARISON) == [
        ["embedded-18.4-tcp-trust", "", *["2.00 (1.50-2.50)"] * 3],
        ["container-18.4-tcp-trust", "bridge", *["2.50 (2.00-3.00), +0.50"] * 3],
    ]


def test_the_record_has_every_layer() -> None:
    committed = servers.load()
    assert [server.adds for server in committed.servers] == [layer.adds for layer in LAYERS]
