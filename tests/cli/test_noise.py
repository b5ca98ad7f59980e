"""`poolstart noise --seeded`: known differences in turns, behind what is on record."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app, noise
from harness.history.sensitivity import injected, record
from harness.history.sensitivity.injected import InjectedChange
from harness.history.sensitivity.record import InjectionResult, RepeatedFigure, SensitivityRecord
from harness.postgres import locate
from harness.processes import load
from harness.releases import interpreters, venvs
from harness.system.errors import PoolstartError

CHANGES = [change.id for change in injected.INJECTED_CHANGES]


def recorded(*seeds: str, pairs: int = 0) -> SensitivityRecord:
    figures = [
        RepeatedFigure("startup", "spawn", "none", [[0.1]]),
        RepeatedFigure("first_query", "fork_dispose", "none", [[0.01]]),
    ]
    repetitions = [InjectionResult(seed, [], [], [], {}) for seed in seeds]
    return SensitivityRecord("", "", "2.1.9", "", "", {}, 0, [0], figures, {}, repetitions, pairs=pairs)


@pytest.fixture
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(venvs, "python_with", lambda packages, home: tmp_path)
    monkeypatch.setattr(interpreters, "of_release", lambda release: tmp_path)
    monkeypatch.setattr(injected, "inject", lambda seed, python, seconds: None)
    monkeypatch.setattr(injected, "measure", lambda seed, *_: InjectionResult(seed.id, [], [], [], {}))
    monkeypatch.setattr(locate, "server", lambda: nullcontext())


def told(found: SensitivityRecord, repetitions: int) -> list[str]:
    made = noise.add_seeded(found, None, None, repetitions, 10, lambda what: None)  # type: ignore[arg-type]
    return [one.seed for one in made]


@pytest.mark.usefixtures("nothing_is_measured")
def test_known_differences_take_turns() -> None:
    assert told(recorded(), 2) == CHANGES * 2


@pytest.mark.usefixtures("nothing_is_measured")
def test_they_cost_a_part_of_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {}
    monkeypatch.setattr(injected, "inject", lambda seed, python, seconds: costs.update({seed.id: seconds}))
    told(recorded(), 1)
    # 5 % of 100 ms, 10 % of 10 ms.
    assert costs == pytest.approx({"start": 5e-3, "query": 1e-3, "memory": 0, "closes": 0, "statement": 0})


@pytest.mark.usefixtures("nothing_is_measured")
def test_what_is_on_record_is_not_measured_again() -> None:
    assert told(recorded(*CHANGES, CHANGES[0]), 2) == CHANGES[1:]


@pytest.mark.usefixtures("nothing_is_measured")
def test_those_of_another_number_of_pairs_are_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "noise.json"
    recorded(pairs=10).save(path)
    with pytest.raises(PoolstartError, match="were begun with --pairs 10"):
        CliRunner().invoke(
            app, ["noise", "--seeded", "--pairs", "8", "--record", str(path)], catch_exceptions=False
        )


@pytest.mark.usefixtures("nothing_is_measured")
def test_anew_forgets_those_on_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "noise.json"
    recorded(*CHANGES, *CHANGES, pairs=10).save(path)
    command = ["noise", "--seeded", "--anew", "--repetitions", "1", "--record", str(path)]
    CliRunner().invoke(app, command, catch_exceptions=False)
    found = SensitivityRecord.load(path)
    assert ([one.seed for one in found.repetitions], found.pairs) == (CHANGES, 8)
    assert found.figures == recorded().figures


@pytest.mark.usefixtures("nothing_is_measured")
def test_each_is_on_record_as_soon_as_it_is_measured_and_load_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded = []
    monkeypatch.setattr(load, "at_random", lambda wanted: nullcontext(loaded.append(wanted)))
    path = tmp_path / "noise.json"
    recorded().save(path)
    numbers = []

    def interrupted(seed: InjectedChange, *_: object) -> InjectionResult:
        numbers.append(len(SensitivityRecord.load(path).repetitions))
        if len(numbers) == 3:
            raise KeyboardInterrupt
        return InjectionResult(seed.id, [], [], [], {})

    monkeypatch.setattr(injected, "measure", interrupted)
    monkeypatch.setattr(record, "LOADED", path)
    CliRunner().invoke(app, ["noise", "--seeded", "--load"])
    assert numbers == [0, 1, 2]
    found = SensitivityRecord.load(path)
    assert [one.seed for one in found.repetitions] == CHANGES[:2]
    assert (found.pairs, loaded) == (8, [True])
    assert found.seeded.startswith("`poolstart noise --seeded --load --pairs 8`, 20")
