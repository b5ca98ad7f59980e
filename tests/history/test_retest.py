"""What is measured again, in which order, and how it is kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.comparisons.compare import WORKER_FACTOR, Comparison
from harness.comparisons.judge import ComparisonRow
from harness.console.progress import Progress
from harness.history import retest
from harness.history.change_point import ReleasePair
from harness.history.retest import Retest
from harness.lifecycles import profile
from harness.lifecycles.cell import DATAFRAMES, Cell
from harness.postgres.server import Server
from harness.records.provenance import Provenance
from harness.system.errors import PoolstartError

PROVENANCE = Provenance(machine="m", date="d", command="c")

SERVER = Server("embedded", "", "18.4", "tcp", "trust")


def row(metric, strategy="spawn", dataframe="none"):
    return ComparisonRow(
        metric, strategy, dataframe, 10, 1.0, 1.1, 1.1, 1.05, 1.15, 1e-6, "slower", 0.03, 0.04
    )


class Comparisons:
    """Stands in for `compare`: answers at once, and remembers what was compared."""

    def __init__(self):
        self.made = []

    def compare(self, first, second, server, profile, settings, report):
        self.made.append((first.name, second.name, settings))
        rows = tuple(row(metric, strategy) for metric in settings.metrics for strategy in first.strategies)
        return Comparison(first, second, rows, 0, 1.0, [], [], ())


@pytest.fixture
def compared():
    return Comparisons()


def measure(release_pairs, compared, keep=lambda retests: None, budget=60.0):
    return retest.measure(
        release_pairs, Path, SERVER, profile.PROFILES["quick"], provenance=lambda: PROVENANCE,
        pairs=6, budget=budget, report=Progress(lambda _: None), keep=keep, compare=compared.compare,
    )  # fmt: skip


DOUBTFUL = [
    ReleasePair("2.0.8", "2.0.9", "uss", "spawn", "none"),
    ReleasePair("2.0.9", "2.0.10", "startup", "spawn", "none"),
    ReleasePair("2.0.9", "2.0.10", "uss", "nullpool", "large"),
]


def test_two_releases_are_compared_once_in_the_order_of_their_pairs(compared):
    assert measure(DOUBTFUL, compared) == 0
    assert [names for *names, _ in compared.made] == [["2.0.8", "2.0.9"], ["2.0.9", "2.0.10"]]
    settings = compared.made[1][2]
    assert set(settings.metrics) == {"startup", "uss"}
    assert set(settings.dataframes) == {"none", "large"}


def test_no_cell_is_measured_in_which_nothing_is_doubtful(compared):
    measure(DOUBTFUL, compared)
    assert compared.made[1][2].cells == {Cell("spawn", "none"), Cell("nullpool", "large")}


def test_memory_takes_few_workers(compared):
    measure(DOUBTFUL, compared)
    assert [settings.worker_factor for *_, settings in compared.made] == [1, WORKER_FACTOR]


def test_only_what_was_asked_for_is_kept(compared):
    kept = []
    measure(DOUBTFUL, compared, kept.extend)
    assert {retest.release_pair for retest in kept} == {DOUBTFUL[0], DOUBTFUL[1]}


def test_no_comparison_begins_after_the_budget(compared):
    assert measure(DOUBTFUL, compared, budget=-1.0) == 2
    assert compared.made == []


@pytest.mark.parametrize(("metric", "mib", "said"), [
    ("uss", 3, "refuted"), ("uss", 30, "confirmed"), ("page_tables", 0.3, "confirmed"),
])  # fmt: skip
def test_a_few_pages_of_a_small_worker_are_no_step(metric, mib, said):
    before, ratio = mib * 2**20, 1.015
    one = Retest(
        "2.0.9", "2.0.10", metric, "spawn", "none", before, before * ratio, ratio, ratio - 0.001,
        ratio + 0.001, "slower", 10, PROVENANCE,
    )  # fmt: skip
    assert one.judge(ratio) == said


@pytest.mark.parametrize(("microseconds", "said"), [(30, "refuted"), (3000, "confirmed")])
def test_a_few_microseconds_are_no_step(microseconds, said):
    before, ratio = microseconds * 1e-6, 1.1
    one = Retest(
        "2.0.1", "2.0.2", "engine", "nullpool", "none", before, before * ratio, ratio, ratio - 0.001,
        ratio + 0.001, "slower", 10, PROVENANCE,
    )  # fmt: skip
    assert one.judge(ratio) == said


def test_a_record_comes_back_as_it_was_saved(tmp_path):
    path = tmp_path / "steps.json"
    one = Retest("2.0.9", "2.0.10", "uss", "spawn", "none", 1e6, 2e6, 2.0, 1.9, 2.1, "slower", 10, PROVENANCE)
    assert retest.load(path) == []
    retest.save([one, one], path)
    assert retest.load(path) == [one, one]


def test_what_is_measured_once_more_takes_the_place_of_what_was_said_before(tmp_path):
    path = tmp_path / "steps.json"
    begun, twice = ("2.0.9", "2.0.10", "uss", "spawn"), (1e6, 2e6, 2.0, 1.9, 2.1)
    there, other = (Retest(*begun, of, *twice, "cannot tell", 10, PROVENANCE) for of in DATAFRAMES)
    elsewhere = replace(there, provenance=replace(PROVENANCE, machine="another"))
    retest.add([elsewhere, there, other], path)
    decided = replace(there, verdict="slower")
    retest.add([decided], path)
    assert retest.load(path) == [elsewhere, other, decided]


def test_a_damaged_record_is_told_in_a_line(tmp_path):
    path = tmp_path / "steps.json"
    path.write_text('[{"previous": "2.0.9"}]')
    with pytest.raises(PoolstartError, match="cannot be read"):
        retest.load(path)
