"""`poolstart record sensitivity --injected`: known changes in turns, behind what is on record."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.console.progress import Progress
from harness.history.sensitivity import injected, recorder
from harness.history.sensitivity.injected import InjectedChange
from harness.history.sensitivity.record import (
    LOADED,
    RECORD,
    InjectionResult,
    RepeatedFigure,
    SensitivityRecord,
)
from harness.lifecycles import profile
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes import load
from harness.records.provenance import Provenance
from harness.releases import interpreters, venvs

SERVER = Server("embedded", "", "18.4", "tcp", "trust")

CHANGES = [change.id for change in injected.INJECTED_CHANGES]


def recorded(*seeds: str, pairs: int = 0) -> SensitivityRecord:
    figures = [
        RepeatedFigure("startup", "spawn", "none", [[0.1]]),
        RepeatedFigure("first_query", "fork_dispose", "none", [[0.01]]),
    ]
    repetitions = [InjectionResult(seed, [], [], [], {}) for seed in seeds]
    return SensitivityRecord(Provenance(release="2.1.9"), "", {}, 0, [0], figures, repetitions, pairs=pairs)


@pytest.fixture
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(injected, "ENVIRONMENTS", tmp_path / "injected")
    monkeypatch.setattr(venvs, "python_with", lambda packages, home: tmp_path)
    monkeypatch.setattr(interpreters, "of_release", lambda release: tmp_path)
    monkeypatch.setattr(injected, "inject", lambda seed, python, seconds: None)
    monkeypatch.setattr(injected, "measure", lambda seed, *_: InjectionResult(seed.id, [], [], [], {}))
    monkeypatch.setattr(locate, "server", lambda: nullcontext(SERVER))
    monkeypatch.setattr(recorder.SensitivityRecorder, "lock", tmp_path / "record.lock")


def ids(found: SensitivityRecord, repetitions: int) -> list[str]:
    made = injected.measure_all(found, SERVER, profile.current(), repetitions, 10, Progress(lambda _: None))
    return [one.seed for one in made]


@pytest.mark.usefixtures("nothing_is_measured")
def test_known_differences_take_turns() -> None:
    assert ids(recorded(), 2) == CHANGES * 2


@pytest.mark.usefixtures("nothing_is_measured")
def test_they_cost_a_part_of_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {}
    monkeypatch.setattr(injected, "inject", lambda seed, python, seconds: costs.update({seed.id: seconds}))
    ids(recorded(), 1)
    # 5 % of 100 ms, 10 % of 10 ms.
    free = dict.fromkeys(CHANGES, 0)
    assert costs == pytest.approx({**free, "start": 5e-3, "query": 1e-3})


@pytest.mark.usefixtures("nothing_is_measured")
def test_what_is_on_record_is_not_measured_again() -> None:
    assert ids(recorded(*CHANGES, CHANGES[0]), 2) == CHANGES[1:]


@pytest.mark.usefixtures("nothing_is_measured")
def test_fresh_discards_the_repetitions_on_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "sensitivity.json"
    monkeypatch.setattr(recorder, "RECORD", path)
    recorded(*CHANGES, *CHANGES, pairs=10).save(path)
    done = CliRunner().invoke(app, ["record", "sensitivity", "--injected", "--fresh", "--repeat", "1"])
    assert done.exit_code == 0, done.output or done.exception
    record = SensitivityRecord.load(path)
    assert ([result.seed for result in record.repetitions], record.pairs) == (CHANGES, 8)
    assert record.figures == recorded().figures


@pytest.mark.usefixtures("nothing_is_measured")
def test_each_is_on_record_as_soon_as_it_is_measured_and_load_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded = []
    monkeypatch.setattr(load, "at_random", lambda wanted: nullcontext(loaded.append(wanted)))
    path = tmp_path / "sensitivity.json"
    recorded().save(path)
    numbers = []

    def interrupted(change: InjectedChange, *_: object) -> InjectionResult:
        numbers.append(len(SensitivityRecord.load(path).repetitions))
        if len(numbers) == 3:
            raise KeyboardInterrupt
        return InjectionResult(change.id, [], [], [], {})

    monkeypatch.setattr(injected, "measure", interrupted)
    monkeypatch.setattr(recorder, "LOADED", path)
    CliRunner().invoke(app, ["record", "sensitivity", "--injected", "--load"])
    assert numbers == [0, 1, 2]
    record = SensitivityRecord.load(path)
    assert [result.seed for result in record.repetitions] == CHANGES[:2]
    assert (record.pairs, loaded) == (8, [True])
    assert record.injected.command == "poolstart record sensitivity --injected --load"


def test_the_instructions_on_record_are_more_by_the_injected_three_per_cent() -> None:
    for path in (RECORD, LOADED):
        results = [each for each in SensitivityRecord.load(path).repetitions if each.seed == "instructions"]
        assert results
        assert all(
            each.sizes["instructions_total spawn"] == pytest.approx(1.03, abs=0.003) for each in results
        )
