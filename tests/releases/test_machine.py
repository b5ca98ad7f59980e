"""A machine has a name that tells it apart, and nobody else's results are filed under it."""

import json
from pathlib import Path

import pytest
from asv.machine import Machine
from asv.util import UserError

from harness.releases import machine
from tests.support.suite import Suite

EPYC = {"arch": "x86_64", "cpu": "AMD EPYC", "num_cpu": "2", "ram": str(24 * 2**30), "os": "Linux"}


@pytest.mark.parametrize(
    ("cpu", "called"),
    [
        ("AMD EPYC", "amd-epyc-2c-24g"),
        ("Intel(R) Xeon(R) Platinum 8488C", "intel-xeon-platinum-8488c-2c-24g"),
        ("Intel(R) Core(TM) i5-2520M CPU @ 2.50GHz", "intel-core-i5-2520m-2c-24g"),
        ("AMD Ryzen 7 5800X 8-Core Processor", "amd-ryzen-7-5800x-2c-24g"),
        ("", "x86-64-2c-24g"),
    ],
)
def test_a_machine_is_called_after_what_decides_its_figures(cpu: str, called: str) -> None:
    assert machine.describing_name({**EPYC, "cpu": cpu}).replace("_", "-") == called


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    made = Suite(tmp_path)
    monkeypatch.setenv("HOME", str(made.home))
    return made


def test_the_first_run_names_the_machine_and_a_name_that_is_there_stays(suite: Suite) -> None:
    assert machine.name() == machine.describing_name(Machine.get_defaults())
    (suite.home / ".asv-machine.json").write_text(
        json.dumps({"version": 1, "mine": {**Machine.get_defaults(), "machine": "mine"}})
    )
    machine.ensure()
    assert machine.name(None) == "mine"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cpu": "Another Make"}, "cpu Another Make there"),
        ({"num_cpu": "96"}, "num_cpu 96 there"),
        ({"ram": str(2**40)}, "1024 GiB there"),
    ],
)
def test_results_are_not_filed_under_the_name_of_another_machine(
    suite: Suite, change: dict[str, str], told: str
) -> None:
    machine.ensure()
    folder = suite.directory / "results" / machine.name(None)
    folder.mkdir(parents=True)
    recorded = {"version": 1, **Machine.get_defaults(), "machine": folder.name, **change}
    (folder / "machine.json").write_text(json.dumps(recorded))
    with pytest.raises(UserError, match=told):
        machine.refuse_another(suite.directory / "results", None)
    done = suite.asv("run", "-E", "existing", "--set-commit-hash", "2.1.9", "-b", "patch_level")
    (line,) = done.stdout.splitlines()
    assert told in line
    assert "name this one with `asv machine --machine" in line
    assert done.returncode == 1
    # What was recorded of the other one is as it was.
    assert json.loads((folder / "machine.json").read_text()) == recorded
    assert told not in suite.asv("publish").stdout


def test_options_before_the_command_change_nothing(suite: Suite) -> None:
    machine.ensure()
    folder = suite.directory / "results" / machine.name(None)
    folder.mkdir(parents=True)
    recorded = {"version": 1, **Machine.get_defaults(), "machine": folder.name, "num_cpu": "96"}
    (folder / "machine.json").write_text(json.dumps(recorded))
    done = suite.asv("--config", "asv.conf.json", "run", "-E", "existing", "--set-commit-hash", "2.1.9")
    (line,) = done.stdout.splitlines()
    assert "num_cpu 96 there" in line


def test_the_same_machine_goes_on(suite: Suite) -> None:
    machine.ensure()
    folder = suite.directory / "results" / machine.name(None)
    folder.mkdir(parents=True)
    slightly = str(int(Machine.get_defaults()["ram"]) + 10**6)
    recorded = {"version": 1, **Machine.get_defaults(), "machine": folder.name, "ram": slightly}
    (folder / "machine.json").write_text(json.dumps(recorded))
    machine.refuse_another(suite.directory / "results", None)


def test_the_machine_named_on_the_command_line_counts() -> None:
    assert machine.named(["asv", "run", "--machine", "mine"]) == "mine"
    assert machine.named(["asv", "run", "--machine=mine"]) == "mine"
    assert machine.named(["asv", "run"]) is None
