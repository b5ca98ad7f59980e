"""`poolstart noise --seeded`: known differences in turns, behind what is on record."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app, noise
from harness.history import sensitivity as measured
from harness.history import sensitivity_report as shown
from harness.history.sensitivity import Figure, Noise, Repetition
from harness.postgres import locate
from harness.processes import load
from harness.releases import interpreters, venvs
from harness.system.errors import PoolstartError

SEEDS = [seed.id for seed in measured.SEEDS]


def recorded(*seeds: str, pairs: int = 0) -> Noise:
    figures = [
        Figure("startup", "spawn", "none", [[0.1]]),
        Figure("first_query", "fork_dispose", "none", [[0.01]]),
    ]
    repetitions = [Repetition(seed, [], [], [], {}) for seed in seeds]
    return Noise("", "", "2.1.9", "", "", {}, 0, [0], figures, {}, repetitions, pairs=pairs)


@pytest.fixture
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(venvs, "python_with", lambda packages, home: tmp_path)
    monkeypatch.setattr(interpreters, "of_release", lambda release: tmp_path)
    monkeypatch.setattr(measured, "plant", lambda seed, python, seconds: None)
    monkeypatch.setattr(measured, "repeat", lambda seed, *_: Repetition(seed.id, [], [], [], {}))
    monkeypatch.setattr(locate, "server", lambda: nullcontext())


def told(found: Noise, repetitions: int) -> list[str]:
    made = noise.add_seeded(found, None, None, repetitions, 10, lambda what: None)  # type: ignore[arg-type]
    return [one.seed for one in made]


@pytest.mark.usefixtures("nothing_is_measured")
def test_known_differences_take_turns() -> None:
    assert told(recorded(), 2) == SEEDS * 2


@pytest.mark.usefixtures("nothing_is_measured")
def test_they_cost_a_part_of_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {}
    monkeypatch.setattr(measured, "plant", lambda seed, python, seconds: costs.update({seed.id: seconds}))
    told(recorded(), 1)
    # 5 % of 100 ms, 10 % of 10 ms.
    assert costs == pytest.approx({"start": 5e-3, "query": 1e-3, "memory": 0, "closes": 0, "statement": 0})


@pytest.mark.usefixtures("nothing_is_measured")
def test_what_is_on_record_is_not_measured_again() -> None:
    assert told(recorded(*SEEDS, SEEDS[0]), 2) == SEEDS[1:]


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
    recorded(*SEEDS, *SEEDS, pairs=10).save(path)
    command = ["noise", "--seeded", "--anew", "--repetitions", "1", "--record", str(path)]
    CliRunner().invoke(app, command, catch_exceptions=False)
    found = Noise.load(path)
    assert ([one.seed for one in found.repetitions], found.pairs) == (SEEDS, 8)
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

    def interrupted(seed: measured.Seed, *_: object) -> Repetition:
        numbers.append(len(Noise.load(path).repetitions))
        if len(numbers) == 3:
            raise KeyboardInterrupt
        return Repetition(seed.id, [], [], [], {})

    monkeypatch.setattr(measured, "repeat", interrupted)
    monkeypatch.setattr(shown, "LOADED", path)
    CliRunner().invoke(app, ["noise", "--seeded", "--load"])
    assert numbers == [0, 1, 2]
    found = Noise.load(path)
    assert [one.seed for one in found.repetitions] == SEEDS[:2]
    assert (found.pairs, loaded) == (8, [True])
    assert found.seeded.startswith("`poolstart noise --seeded --load --pairs 8`, 20")
