"""The page of pools, and the record that it is generated from."""

import json
from pathlib import Path

from harness.pools import report
from harness.pools.figures import (
    PoolBehaviour,
    PoolFigures,
    PoolsTable,
    RaisingInitializer,
    TaskWorkers,
)
from harness.postgres.server import Server
from harness.records import store
from harness.records.provenance import Provenance
from harness.records.rows import combine


def test_a_record_is_read_back_as_written_and_its_page_shows_every_figure(
    server: Server, tmp_path: Path
) -> None:
    table = PoolsTable(
        Provenance.here(server.identity),
        parents=1,
        pools=3,
        cells=(
            PoolFigures("fork_nodispose", 2, reason="no"),
            PoolFigures("spawn", 2, (0.2, 0.21, 0.22), (0.3,) * 3, (0.01,) * 3, (2**20, 3 * 2**20) * 3),
        ),
        behaviours=(PoolBehaviour("fork", RaisingInitializer(20, ran=False), TaskWorkers(6, 6, 6, 2, 4)),),
    )
    path = tmp_path / "pools.json"
    store.save(path, table)
    assert report.load(path) == table
    assert json.loads(path.read_text())["parents"] == 1
    page = report.render(table)
    assert "| spawn | 2 | 210 ±45.9 | 300 ±0 | 10.0 ±0 | 2.0 ±0 |" in page
    assert "| fork_nodispose (shares a connection) | 2 | n/a |" in page
    assert "| fork | 20 | never |" in page
    assert "| fork | 6 | 6 | 6 | main thread 2, the pool's thread 4 or more |" in page


def test_the_figures_of_several_parents_are_combined_sample_by_sample() -> None:
    one = PoolFigures("spawn", 2, (0.1,), (0.2,), (0.01,), (1, 2))
    two = PoolFigures("spawn", 2, (0.3,), (0.4,), (0.02,), (3, 4))
    assert combine([one, two]) == PoolFigures("spawn", 2, (0.1, 0.3), (0.2, 0.4), (0.01, 0.02), (1, 2, 3, 4))
