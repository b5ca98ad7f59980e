"""Every program, run with and without its hook, behaves as the page docs/programs.md says."""

import pytest

from harness.postgres.server import Server
from harness.programs import head, report
from harness.programs.figures import ProgramFigures
from harness.programs.measure import TASKS, measure
from harness.programs.run import WORKERS
from harness.programs.setup import ProgramSetup, interpreter
from harness.programs.setup import server as server_for
from tests.support.marks import as_root


def case(name: str, hosts: int = 1) -> object:
    marks = [pytest.mark.soak] if head.get(name).packages else []
    if hosts > 1:
        marks.append(as_root)
    return pytest.param((name, hosts), marks=marks, id=name if hosts == 1 else f"{name} on {hosts} hosts")


@pytest.fixture(scope="module")
def measured(server: Server, request: pytest.FixtureRequest) -> ProgramFigures:
    name, hosts = request.param
    program = head.get(name)
    python = interpreter(program)
    if hosts == 1:
        return measure(ProgramSetup(program, python, server), runs=1)
    with server_for(hosts) as private:
        return measure(ProgramSetup(program, python, private, hosts), runs=1)


every_program = pytest.mark.parametrize(
    "measured",
    [*map(case, head.names()), *(case(name, 2) for name in head.names() if head.get(name).spreads)],
    indirect=True,
)


def recorded(measured: ProgramFigures) -> ProgramFigures:
    """The figures on the page for the same program and number of hosts."""
    table = report.load()
    for figures in table.programs:
        if figures.title == measured.title:
            return figures
    pytest.fail(f"{measured.title} is not in {report.PATH.name}: record it")


@every_program
def test_with_its_hook_every_worker_has_a_row_and_a_session_of_its_own(measured: ProgramFigures) -> None:
    # `measure` raises ChecksFailed otherwise.
    assert len(measured.first_row) == 1
    assert len(measured.uss) == WORKERS
    assert all(figure > 0 for figure in (*measured.first_row, *measured.uss))


@every_program
def test_without_its_hook_a_program_behaves_as_recorded(measured: ProgramFigures) -> None:
    assert measured.without.outcome == recorded(measured).without.outcome


@every_program
def test_the_hook_runs_again_in_a_worker_that_replaces_another(measured: ProgramFigures) -> None:
    replaced = measured.replaced
    if replaced is None:
        pytest.skip("the program cannot replace its workers")
    assert replaced.error == ""
    assert replaced.workers == replaced.own == replaced.tasks == TASKS


@pytest.mark.parametrize(
    "measured", [case(name) for name in head.names() if head.get(name).sparing], indirect=True
)
def test_the_lines_that_save_memory_halve_that_of_the_largest_worker(measured: ProgramFigures) -> None:
    assert 2 * max(measured.spared) < max(measured.uss)


@every_program
def test_after_a_worker_is_killed_a_program_behaves_as_recorded(measured: ProgramFigures) -> None:
    assert measured.killed.error.partition(":")[0] == recorded(measured).killed.error.partition(":")[0]
    if not measured.killed.error:
        assert measured.killed.workers == measured.killed.own == WORKERS
