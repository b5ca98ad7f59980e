"""What the quick answer says, first about the machine, and then about the figures."""

import pytest

from harness import strategies
from harness.answer import quick_report
from harness.lifecycles.profile import PROFILES
from tests.support.measured import measured_run


def printed(capsys: pytest.CaptureFixture[str], steal: float) -> str:
    quick_report.print_answer(measured_run(steal), PROFILES["quick"])
    return capsys.readouterr().out


def test_on_a_busy_machine_it_says_so_first_and_recommends_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(capsys, 0.5)
    assert text.startswith("busy: the hypervisor took 50% of the time. Nothing can be concluded")
    assert "What to choose" not in text
    assert "costs less than NullPool" not in text
    # Verdicts do not depend on the machine.
    assert "silent loss (lost_transaction" in text


def test_on_a_busy_machine_the_rows_are_in_no_order_of_speed() -> None:
    profile = PROFILES["quick"]
    measured = measured_run(0.5)
    for block in measured.blocks:
        for sample in block.samples.values():
            sample["time_to_first_row"] = 1 / sample["time_to_first_row"]
    safe = [name for name in profile.strategies if strategies.get(name).safe]
    assert quick_report.order(measured, profile)[: len(safe)] == safe


def test_on_an_idle_machine_it_recommends(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, 0.0)
    assert "busy:" not in text
    assert "What to choose\nThe first of these that matches decides; " in text


def test_it_names_the_python_that_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Python 3.12.4, SQLAlchemy 2.1.9, PostgreSQL embedded-18.4-tcp-trust" in printed(capsys, 0.0)
