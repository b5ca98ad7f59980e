"""The page shows the figures of the fleets, and further ones are added to those on record."""

from dataclasses import replace

from harness.fleets import report
from harness.fleets.recorder import merge
from harness.records.provenance import Provenance
from tests.support.fleets import TABLE


def test_the_page_has_every_size_with_and_without_a_dataframe() -> None:
    page = report.render(TABLE)
    assert "| strategy | 1 worker | 4 workers | 16 workers |" in page
    assert page.count("| fork_dispose | 120 | 180 | 420 |") == 3  # time, of the parent too, and CPU
    assert "with a DataFrame of 512 MiB in the parent" in page
    assert "after each worker has read the texts" not in page.split("##", 1)[1]


def test_it_has_what_a_newer_record_has() -> None:
    page = report.render(TABLE)
    assert "## Processor time of the server" not in page
    assert "until the last worker has its row, which the initializer fetches" not in page
    cells = tuple(replace(cell, server_cpu=(0.07,) * 3) for cell in TABLE.cells)
    pool = replace(TABLE.of("fork_dispose", 0)[0], last=(0.5,) * 3, starter="pool")
    executor = replace(pool, starter="executor")
    page = report.render(replace(TABLE, cells=(*cells, pool, executor)))
    assert "## Processor time of the server until the last row, without a DataFrame, ms" in page
    times, _, memory = page.partition("which the initializer fetches")[2].partition("Memory of the tree")
    assert "Celery" not in times
    assert "| fork_dispose, `multiprocessing.Pool` | 54.0 |" in memory
    assert [line for line in times.splitlines() if line.startswith("| ")][2:] == [
        "| fork_dispose | 120 | 180 | 420 |",
        "| fork_dispose, `multiprocessing.Pool` | 500 |  |  |",
        "| fork_dispose, `ProcessPoolExecutor` | 500 |  |  |",
    ]


AGAIN = replace(
    TABLE,
    provenance=Provenance(release="2.1.9", date="2026-12-01T10:00:00"),
    cells=tuple(replace(cell, last=(9.0,)) for cell in TABLE.of("nullpool", 0)),
)


def test_parents_are_added_to_those_on_record_under_the_same_conditions() -> None:
    merged = merge(TABLE, AGAIN)
    assert [cell.last for cell in merged.of("nullpool", 0)] == [
        (*cell.last, 9.0) for cell in TABLE.of("nullpool", 0)
    ]
    assert merged.of("spawn", 0) == TABLE.of("spawn", 0)
    assert (merged.provenance, merged.further) == (TABLE.provenance, (AGAIN.provenance,))
    assert "; 2026-12-01 10:00: medians of 3 to 4 parents" in report.render(merged)


def test_fleets_that_celery_started_are_added_and_leave_all_others_alone() -> None:
    celery = replace(TABLE.of("fork_dispose", 0)[0], last=(0.7,), starter="celery")
    provenance = replace(AGAIN.provenance, frames="celery 5.7.0", command="poolstart record fleets")
    measured = replace(TABLE, provenance=provenance, cells=(celery,), round_trips={})
    newer = replace(measured, provenance=replace(provenance, release="2.1.10"))
    for merged in (merge(TABLE, measured), merge(TABLE, newer)):
        assert merged.of("fork_dispose", 0, "celery") == [celery]
        assert merged.of("fork_dispose", 0) == TABLE.of("fork_dispose", 0)
        assert merged.round_trips == TABLE.round_trips
        assert "| fork_dispose, Celery's prefork pool | 700 |" in report.render(merged)
    assert merged.later == {"celery": newer.provenance}
    page = report.render(merge(TABLE, measured))
    assert "; 2026-12-01 10:00 with celery 5.7.0, by `poolstart record fleets`:" in page
    assert "Before each fork the pool collects garbage" in page


def test_under_others_or_afresh_strategies_take_the_place_of_those_on_record() -> None:
    newer = replace(AGAIN, provenance=replace(AGAIN.provenance, release="2.1.10"))
    for merged in (merge(TABLE, newer), merge(TABLE, newer, add=False)):
        assert merged.later == {"nullpool": newer.provenance}
        assert merged.of("nullpool", 0) == newer.of("nullpool", 0)
        assert merged.of("spawn", 0) == TABLE.of("spawn", 0)
    assert merge(TABLE, AGAIN, add=False).of("nullpool", 0) == AGAIN.of("nullpool", 0)
    assert merge(None, AGAIN) == AGAIN
