"""What is measured again, in which order, and how it is kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.comparisons import compare as versus
from harness.comparisons.compare import Comparison, Row
from harness.history import retest
from harness.history.change_point import ReleasePair
from harness.history.retest import Retest
from harness.lifecycles import profile
from harness.lifecycles.cell import DATAFRAMES, Cell
from harness.postgres.server import Server
from harness.system.errors import PoolstartError

SERVER = Server("embedded", "", "18.4", "tcp", "trust")


def row(metric, strategy="spawn", dataframe="none"):
    return Row(metric, strategy, dataframe, 10, 1.0, 1.1, 1.1, 1.05, 1.15, 1e-6, "slower")


@pytest.fixture
def compared(monkeypatch):
    """What was compared with what, with comparisons that take no time."""
    calls = []

    def compare(first, second, server, profile, **options):
        calls.append((first.name, second.name, options))
        rows = tuple(row(metric, strategy) for metric in options["metrics"] for strategy in first.strategies)
        return Comparison(first, second, rows, 0, 1.0, [], [], ())

    monkeypatch.setattr(retest.comparison, "compare", compare)
    return calls


def measure(suspects, keep, budget=60.0):
    return retest.measure(
        suspects, Path, SERVER, profile.PROFILES["quick"], machine="m", command="c",
        pairs=6, budget=budget, report=lambda told: None, keep=keep,
    )  # fmt: skip


SUSPECTS = [
    ReleasePair("2.0.8", "2.0.9", "uss", "spawn", "none"),
    ReleasePair("2.0.9", "2.0.10", "startup", "spawn", "none"),
    ReleasePair("2.0.9", "2.0.10", "uss", "nullpool", "large"),
]


def test_two_releases_are_compared_once_those_with_most_suspects_first(compared):
    assert measure(SUSPECTS, lambda found: None) == 0
    assert [(first, second) for first, second, _ in compared] == [("2.0.9", "2.0.10"), ("2.0.8", "2.0.9")]
    assert set(compared[0][2]["metrics"]) == {"startup", "uss"}
    assert set(compared[0][2]["dataframes"]) == {"none", "large"}


def test_no_cell_is_measured_in_which_nothing_is_suspected(compared):
    measure(SUSPECTS, lambda found: None)
    assert compared[0][2]["only"] == {Cell("spawn", "none"), Cell("nullpool", "large")}


def test_memory_takes_few_workers(compared):
    measure(SUSPECTS, lambda found: None)
    assert [options["times"] for *_, options in compared] == [versus.TIMES, 1]


def test_only_what_was_asked_is_kept(compared):
    kept = []
    measure(SUSPECTS, kept.extend)
    assert {one.release_pair for one in kept} == {SUSPECTS[0], SUSPECTS[1]}


def test_what_the_time_does_not_suffice_for_is_told(compared):
    assert measure(SUSPECTS, lambda found: None, budget=-1.0) == 2
    assert compared == []


@pytest.mark.parametrize(("metric", "mib", "said"), [
    ("uss", 3, "refuted"), ("uss", 30, "confirmed"), ("page_tables", 0.3, "confirmed"),
])  # fmt: skip
def test_a_few_pages_of_a_small_worker_are_no_step(metric, mib, said):
    before, ratio = mib * 2**20, 1.015
    one = Retest(
        "2.0.9", "2.0.10", metric, "spawn", "none", before, before * ratio, ratio, ratio - 0.001,
        ratio + 0.001, "slower", 10, "m", "d", "c",
    )  # fmt: skip
    assert one.judge(ratio) == said


@pytest.mark.parametrize(("microseconds", "said"), [(30, "refuted"), (3000, "confirmed")])
def test_a_few_microseconds_are_no_step(microseconds, said):
    before, ratio = microseconds * 1e-6, 1.1
    one = Retest(
        "2.0.1", "2.0.2", "engine", "nullpool", "none", before, before * ratio, ratio, ratio - 0.001,
        ratio + 0.001, "slower", 10, "m", "d", "c",
    )  # fmt: skip
    assert one.judge(ratio) == said


def test_a_record_comes_back_as_it_was_saved(tmp_path):
    path = tmp_path / "steps.json"
    one = Retest(
        "2.0.9", "2.0.10", "uss", "spawn", "none", 1e6, 2e6, 2.0, 1.9, 2.1, "slower", 10, "m", "d", "c"
    )
    assert retest.load(path) == []
    retest.save([one, one], path)
    assert retest.load(path) == [one, one]


def test_what_is_measured_once_more_takes_the_place_of_what_was_said_before(tmp_path):
    path = tmp_path / "steps.json"
    begun, twice = ("2.0.9", "2.0.10", "uss", "spawn"), (1e6, 2e6, 2.0, 1.9, 2.1)
    there, other = (Retest(*begun, of, *twice, "cannot tell", 10, "m", "d", "c") for of in DATAFRAMES)
    elsewhere = replace(there, machine="another")
    retest.add([elsewhere, there, other], path)
    decided = replace(there, verdict="slower")
    retest.add([decided], path)
    assert retest.load(path) == [elsewhere, other, decided]


def test_a_damaged_record_is_told_in_a_line(tmp_path):
    path = tmp_path / "steps.json"
    path.write_text('[{"previous": "2.0.9"}]')
    with pytest.raises(PoolstartError, match="cannot be read"):
        retest.load(path)
