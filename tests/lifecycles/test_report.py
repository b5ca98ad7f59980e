"""What `poolstart measure` reports, first about the machine, and then about the figures."""

import json

import pytest

from harness import strategies
from harness.lifecycles import report
from harness.lifecycles.profile import PROFILES
from tests.support.measured import measured_run

FIRST = "busy: the hypervisor took 50% of the time. Nothing can be concluded"


def show(form: str, steal: float) -> None:
    report.write(measured_run(steal), strategies.IDS, ["none"], PROFILES["quick"], form)


def test_on_a_busy_machine_it_says_so_before_any_figure(capsys: pytest.CaptureFixture[str]) -> None:
    show("table", 0.5)
    assert capsys.readouterr().out.startswith(FIRST)
    show("csv", 0.5)
    assert capsys.readouterr().err.startswith(f"poolstart: {FIRST}")
    show("json", 0.5)
    found = json.loads(capsys.readouterr().out)
    assert next(iter(found)) == "busy"
    assert "50%" in found["busy"]


@pytest.mark.parametrize("form", ["table", "csv"])
def test_on_an_idle_machine_it_says_nothing_of_it(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    show(form, 0.0)
    output = capsys.readouterr()
    assert "busy" not in output.out + output.err


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_it_names_the_python_that_was_measured(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    show(form, 0.0)
    assert "3.12.4" in capsys.readouterr().out
