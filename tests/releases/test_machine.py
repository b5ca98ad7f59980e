"""The name of a machine describes its hardware, and only its own results are stored under that name."""

import json
from pathlib import Path

import pytest
from asv.machine import Machine

from harness.releases import machine
from tests.support.suite import Suite

EPYC = {"arch": "x86_64", "cpu": "AMD EPYC", "num_cpu": "2", "ram": str(24 * 2**30), "os": "Linux"}


@pytest.mark.parametrize(
    ("cpu", "name"),
    [
        ("AMD EPYC", "amd-epyc-2c-24g"),
        ("Intel(R) Xeon(R) Platinum 8488C", "intel-xeon-platinum-8488c-2c-24g"),
        ("Intel(R) Core(TM) i5-2520M CPU @ 2.50GHz", "intel-core-i5-2520m-2c-24g"),
        ("AMD Ryzen 7 5800X 8-Core Processor", "amd-ryzen-7-5800x-2c-24g"),
        ("", "x86-64-2c-24g"),
    ],
)
def test_the_name_is_made_of_the_hardware(cpu: str, name: str) -> None:
    assert machine.describing_name({**EPYC, "cpu": cpu}).replace("_", "-") == name


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    suite = Suite(tmp_path)
    monkeypatch.setenv("HOME", str(suite.home))
    return suite


def test_the_first_run_names_the_machine_and_a_stored_name_is_kept(suite: Suite) -> None:
    assert machine.name() == machine.describing_name(Machine.get_defaults())
    (suite.home / ".asv-machine.json").write_text(
        json.dumps({"version": 1, "mine": {**Machine.get_defaults(), "machine": "mine"}})
    )
    machine.ensure()
    assert machine.name(None) == "mine"


ANOTHER = {"arch": "x86_64", "cpu": "Another Make", "num_cpu": "96", "ram": str(2**40), "os": "Linux"}


@pytest.mark.parametrize("ours", ["mine", None])
def test_of_several_machines_this_one_is_found_by_its_hardware(suite: Suite, ours: str | None) -> None:
    names = ["another", "a third", *([ours] if ours else [])]
    on_file = {
        name: {**(Machine.get_defaults() if name == ours else ANOTHER), "machine": name} for name in names
    }
    (suite.home / ".asv-machine.json").write_text(json.dumps({"version": 1, **on_file}))
    expected = ours or machine.describing_name(Machine.get_defaults())
    assert machine.name() == expected
    if ours:
        assert suite.run_here("2.1.9", "patch_level").returncode == 0
        (path,) = suite.results
        assert path.parent.name == expected


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"cpu": "Another Make"}, ["cpu Another Make there, AMD EPYC here"]),
        ({"num_cpu": "96"}, ["num_cpu 96 there, 2 here"]),
        ({"ram": str(2**40)}, ["1024 GiB there, 24 GiB here"]),
        # Kernels reserve different amounts.
        ({"ram": str(24 * 2**30 + 10**6)}, []),
    ],
)
def test_hardware_differs_in_make_number_and_memory(change: dict[str, str], difference: list[str]) -> None:
    assert machine.differences({**EPYC, **change}, EPYC) == difference


def test_results_are_not_stored_under_the_name_of_another_machine(suite: Suite) -> None:
    machine.ensure()
    folder = suite.directory / "results" / machine.name(None)
    folder.mkdir(parents=True)
    recorded = {"version": 1, **Machine.get_defaults(), "machine": folder.name, "num_cpu": "96"}
    (folder / "machine.json").write_text(json.dumps(recorded))
    # With options before the command, too.
    run = ("run", "-E", "existing", "--set-commit-hash", "2.1.9", "-b", "patch_level")
    done = suite.asv("--config", "asv.conf.json", *run)
    (line,) = done.stdout.splitlines()
    assert "num_cpu 96 there" in line
    assert "name this one with `asv machine --machine" in line
    assert done.returncode == 1
    # The stored data of the other machine is unchanged.
    assert json.loads((folder / "machine.json").read_text()) == recorded
    assert "num_cpu 96 there" not in suite.asv("publish").stdout


def test_the_machine_can_be_named_on_the_command_line() -> None:
    assert machine.named(["asv", "run", "--machine", "mine"]) == "mine"
    assert machine.named(["asv", "run", "--machine=mine"]) == "mine"
    assert machine.named(["asv", "run"]) is None
