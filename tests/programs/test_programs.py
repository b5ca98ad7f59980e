"""Programs that start workers: their hooks as they are shown, and what happens without them."""

import pytest

from harness.postgres.server import Server
from harness.programs import measure as programs
from harness.programs.environments import python_of
from harness.programs.measure import Measured
from tests.system.test_hosts import as_root

QUICK = ("executor", "joblib")
"""What needs no large installation."""

WITHOUT = {
    "celery": "shared",
    "dask": "error",
    "executor": "shared",
    "gunicorn": "shared",
    "joblib": "error",
    "rq": "shared",
    "uwsgi": "shared",
    "uwsgi_lazy": "own",
}
"""What workers do without the hook."""

IRREPLACEABLE = ("executor",)
"""What ends with the first of its workers that is killed."""


def chosen(name: str, hosts: int = 1) -> object:
    marks = [] if name in QUICK else [pytest.mark.soak]
    if hosts > 1:
        marks.append(as_root)
    return pytest.param((name, hosts), marks=marks, id=name if hosts == 1 else f"{name} on {hosts} hosts")


@pytest.fixture(scope="module")
def measured(server: Server, request: pytest.FixtureRequest) -> Measured:
    name, hosts = request.param
    program = programs.get(name)
    python = python_of(program)
    if hosts == 1:
        return programs.measure(programs.Setup(program, python, server), runs=1)
    with programs.server(hosts) as its_own:
        return programs.measure(programs.Setup(program, python, its_own, hosts), runs=1)


every_program = pytest.mark.parametrize(
    "measured",
    [
        *map(chosen, programs.known()),
        *(chosen(name, 2) for name in programs.known() if programs.get(name).spreads),
    ],
    indirect=True,
)


@every_program
def test_a_program_with_its_hook(measured: Measured) -> None:
    # That rows are right and every worker has a session of its own, or there would be no figures.
    assert len(measured.first_row) == 1
    assert len(measured.uss) == programs.WORKERS
    assert all(figure > 0 for figure in (*measured.first_row, *measured.uss))


@every_program
def test_a_program_without_its_hook(measured: Measured) -> None:
    assert measured.without.outcome == WITHOUT[measured.name]


@every_program
def test_a_program_whose_worker_is_replaced_runs_its_hook_again(measured: Measured) -> None:
    replaced = measured.replaced
    if replaced is None:
        pytest.skip("it replaces no worker that did nothing wrong")
    assert replaced.said == ""
    assert replaced.workers == replaced.own == replaced.tasks == programs.TASKS


@pytest.mark.parametrize(
    "measured", [chosen(name) for name in programs.known() if programs.get(name).sparing], indirect=True
)
def test_lines_that_spare_memory_halve_that_of_the_worst_worker(measured: Measured) -> None:
    assert 2 * max(measured.spared) < max(measured.uss)


@every_program
def test_a_program_whose_worker_is_killed(measured: Measured) -> None:
    if measured.name in IRREPLACEABLE:
        assert "terminated abruptly" in measured.killed.said
    else:
        assert measured.killed.said == ""
        assert measured.killed.workers == measured.killed.own == programs.WORKERS
