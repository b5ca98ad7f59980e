"""The page of programs, and the record that it is generated from."""

from pathlib import Path

from harness.postgres.server import Server
from harness.programs import head, report
from harness.programs.figures import HookRuns, ProgramFigures, ProgramsTable, WithoutHook
from harness.records import store
from harness.records.provenance import Provenance


def test_a_record_is_read_back_as_written_and_its_page_shows_every_figure(
    server: Server, tmp_path: Path
) -> None:
    table = ProgramsTable(
        Provenance.here(server.identity),
        2,
        (
            ProgramFigures(
                "executor",
                (),
                (0.19, 0.2, 0.21),
                (2**20, 3 * 2**20) * 3,
                WithoutHook("shared", 1),
                HookRuns(1, 0, 0, "BrokenProcessPool"),
                HookRuns(3, 3, 3),
            ),
            ProgramFigures(
                "uwsgi_lazy",
                ("pyuwsgi==2",),
                (0.2,),
                (2**20,),
                WithoutHook("own", 2),
                HookRuns(2, 2, 1),
            ),
        ),
    )
    path = tmp_path / "programs.json"
    store.save(path, table)
    assert report.load(path) == table
    page = report.render(table)
    assert "| executor | 200 ±45.9 | 1.0 or 3.0 | **shared connection** | hook ran again | error |" in page
    assert "| uwsgi_lazy | 200 | 1.0 | own connections | n/a | **hook did not run** |" in page
    assert f"```python\n{head.get('executor').hook}\n```" in page


def test_every_program_is_recorded_on_one_host_and_if_it_can_on_two() -> None:
    table = report.load()
    recorded = {(figures.name, figures.hosts) for figures in table.programs}
    spreading = {(name, 2) for name in head.names() if head.get(name).spreads}
    assert recorded == {(name, 1) for name in head.names()} | spreading
