"""A run on a machine that is busy all the time is recognized, by absolute limits and by earlier runs."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.lifecycles import plan
from harness.lifecycles.cell import Cell
from harness.lifecycles.profile import PROFILES
from harness.postgres.server import Server
from harness.system import busy, conditions
from harness.system.busy import Usual, reason
from harness.system.conditions import Conditions
from tests.support.load import every_core_busy
from tests.support.results import MACHINE

ALONE = Conditions(seconds=12, pressure=0.1, steal=0.0, load=1.4)
STARTS = {"fork": 0.0012, "forkserver": 0.0066, "spawn": 0.032}
USUAL = Usual(STARTS, 0.1)

ROWS = [json.loads(line) for line in (MACHINE / conditions.FILE).read_text().splitlines()]
EMBEDDED = [row for row in ROWS if row["server"].startswith("embedded")]


def of_row(row: dict[str, Any], usual: Usual = USUAL) -> str:
    """The judgement on a run on record."""
    blocks = [block for block in row["blocks"] if not block["disturbed"]]
    return reason(
        [Conditions(**{name: block[name] for name in Conditions.__annotations__}) for block in blocks],
        [block["controls"] for block in blocks],
        0.1,
        usual,
        2,
    )


def slowed(factor: float) -> list[dict[str, float]]:
    return [{method: factor * value for method, value in STARTS.items()}] * 3


def test_no_run_of_the_committed_history_was_busy() -> None:
    usual = busy.usual_of(ROWS)
    assert len(EMBEDDED) > 50
    assert [row["release"] for row in EMBEDDED if of_row(row, usual)] == []


@pytest.mark.parametrize(
    ("blocks", "controls", "running", "usual", "expected"),
    [
        ([replace(ALONE, pressure=0.99)] * 3, [STARTS] * 3, 0.0, Usual(), "tasks waited for a processor in"),
        ([replace(ALONE, pressure=0.3)] * 3, [], 0.0, USUAL, "in 30% of the time, 10% in earlier runs"),
        ([replace(ALONE, steal=0.1)] * 3, [], 0.0, Usual(), "the hypervisor took 10%"),
        ([ALONE] * 3, [], 1.0, Usual(), "1.0 tasks ran for each processor before"),
        ([ALONE] * 3, slowed(2), 0.0, USUAL, "a bare fork took 2.0 times as long as in earlier runs"),
    ],
)  # fmt: skip
def test_each_kind_of_evidence_is_enough(
    blocks: Sequence[Conditions],
    controls: Sequence[dict[str, float]],
    running: float,
    usual: Usual,
    expected: str,
) -> None:
    assert expected in reason(blocks, controls, running, usual, 2)


def test_one_busy_block_of_three_is_no_busy_run() -> None:
    blocks = [ALONE, replace(ALONE, pressure=0.99, steal=0.5), ALONE]
    assert reason(blocks, [STARTS, *slowed(9)[:1], STARTS], 0.0, USUAL, 2) == ""


def test_what_the_kernel_does_not_report_is_left_out() -> None:
    silent = [Conditions(seconds=12, pressure=None, steal=None, load=0.0)] * 3
    assert reason(silent, [STARTS] * 3, None, USUAL, 2) == ""
    assert "a bare fork" in reason(silent, slowed(3), None, USUAL, 2)
    assert reason([], [], None, Usual(), 2) == ""


def test_the_processes_of_a_run_may_wait_for_one_another_on_a_single_processor() -> None:
    assert reason([replace(ALONE, pressure=0.9)], [], 0.0, Usual(), 1) == ""


def test_without_pressure_and_the_run_queue_a_machine_is_not_called_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a kernel without PSI, and in a container without /proc/stat."""
    monkeypatch.setattr(conditions, "PRESSURE", tmp_path / "pressure")
    monkeypatch.setattr(conditions, "STAT", tmp_path / "stat")
    measured = conditions.ConditionsMeter().conditions()
    assert (measured.pressure, measured.steal, busy.running_tasks()) == (None, None, None)


def on_file(directory: Path, cpu: str, blocks: list[dict[str, Any]], **fields: Any) -> None:
    directory.mkdir(parents=True)
    machine = {"machine": directory.name, "cpu": cpu, "num_cpu": str(busy.os.cpu_count()), "version": 1}
    (directory / "machine.json").write_text(json.dumps(machine))
    row = {"release": "2.1.9", "environment": "e", "facts": {"python": "3.11.7 (main)"}, "blocks": blocks}
    (directory / conditions.FILE).write_text(json.dumps({**row, **fields}) + "\n")


def test_usual_is_what_quiet_blocks_of_this_processor_and_python_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "cpu", lambda: "Mine")
    quiet = {"controls": {"spawn": 0.03}, "pressure": 0.1, "disturbed": ""}
    slow = {"controls": {"spawn": 0.3}, "pressure": 0.9, "disturbed": "a bare spawn"}
    on_file(tmp_path / "mine", "Mine", [quiet, slow])
    on_file(tmp_path / "other", "Other", [{**quiet, "controls": {"spawn": 9.0}}])
    on_file(tmp_path / "busy", "Mine", [{**quiet, "pressure": 0.9}], busy="tasks waited")
    assert busy.on_record("3.11", tmp_path) == Usual({"spawn": 0.03}, 0.1)
    assert busy.on_record("3.12", tmp_path) == Usual()


def test_nothing_is_usual_where_nothing_is_on_file(tmp_path: Path) -> None:
    assert busy.on_record("3.11", tmp_path) == Usual()


def test_a_process_on_every_core_makes_a_run_busy(server: Server) -> None:
    profile = replace(PROFILES["quick"], dataframe_mib=16, strategies=("fork_dispose",))
    with every_core_busy():
        measured = plan.measure([Cell("fork_dispose", "none")], server, profile, release=release())
    assert "tasks ran for each processor before the first measurement" in measured.busy
    # Also if the load had begun after the first look. A hypervisor that takes time would be named first.
    measured.running = 0.0
    measured.blocks = [
        replace(block, conditions=replace(block.conditions, steal=None)) for block in measured.blocks
    ]
    if measured.blocks[0].conditions.pressure is not None and (busy.os.cpu_count() or 1) > 1:
        assert "tasks waited for a processor" in measured.busy
    assert measured.metadata()["busy"] == measured.busy


def release() -> str:
    import sqlalchemy

    return sqlalchemy.__version__
