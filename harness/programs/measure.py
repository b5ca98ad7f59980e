"""Measures programs that start workers: the time to the first row, memory, and whether the hook runs.

Each program is one file in `harness/programs/inside`. It is run as its users run it, with two workers, in an
environment of its own:

- with its hook, several times: *first row* is the time from the moment named by `Program.clock` until the
  first worker has its row, read from that worker's clock; *unique memory* is read from both workers while
  each holds a row that it has not returned yet;
- without its hook, once: the server's pids show through which sessions the rows came;
- with its hook and a new worker for each task, if the program can do that;
- with its hook, and one worker killed while it holds a row;
- with its hook and the lines that save memory, if its file has any: *unique memory* again.

Programs that can spread their workers are measured on several hosts as well, with one worker on each.
"""

import os
import signal
from collections.abc import Callable, Sequence

from harness.postgres import sessions
from harness.processes.errors import ChecksFailed
from harness.programs.checks import RowReport, findings, has_own_session
from harness.programs.figures import HookRuns, ProgramFigures, ProgramsTable, WithoutHook
from harness.programs.run import WORKERS, RunningProgram
from harness.programs.setup import ProgramSetup, interpreter, select, server
from harness.records.provenance import Provenance
from harness.system import memory

RUNS = 3
"""Starts of each program with its hook."""

TASKS = 3
"""Tasks of a program that runs each in a new worker."""


def measure(
    setup: ProgramSetup, runs: int = RUNS, progress: Callable[[str], None] = lambda step: None
) -> ProgramFigures:
    """Measure all figures of a program; `progress` gets a description of each step as it begins.

    Raises `Rejected` if the program hangs, fails, or does not pass its checks.
    """
    program = setup.program
    name = f"{program.name} on {setup.hosts} hosts" if setup.hosts > 1 else program.name
    starts = []
    for number in range(runs):
        progress(f"{name}, start {number + 1} of {runs}")
        starts.append(first_rows(setup))
    progress(f"{name}, without its hook")
    bare = without_hook(setup)
    replaced = None
    if program.replaced:
        progress(f"{name}, {program.replaced}")
        replaced = replace_workers(setup)
    spared: list[int] = []
    if program.sparing:
        progress(f"{name}, with the lines that save memory")
        for _ in range(runs):
            spared += first_rows(setup, sparing=True)[1]
    progress(f"{name}, a worker killed")
    return ProgramFigures(
        program.name,
        program.packages,
        first_row=tuple(seconds for seconds, _ in starts),
        uss=tuple(uss for _, memories in starts for uss in memories),
        without=bare,
        killed=kill_worker(setup),
        replaced=replaced,
        spared=tuple(spared),
        hosts=setup.hosts,
    )


def measure_here(names: Sequence[str], hosts: int, progress: Callable[[str], None]) -> ProgramsTable:
    """Measure these programs, or all that can run on so many hosts, in one session.

    Raises `PoolstartError` if a name is unknown or the hosts cannot be created, and `Rejected` if a program
    fails a check.
    """
    programs = select(names, hosts)
    for program in programs:
        progress(f"{program.name}: its packages")
        interpreter(program)
    with server(hosts) as located:
        figures = [
            measure(ProgramSetup(program, interpreter(program), located, hosts), progress=progress)
            for program in programs
        ]
        return ProgramsTable(Provenance.here(located.identity), RUNS, tuple(figures))


def first_rows(setup: ProgramSetup, *, sparing: bool = False) -> tuple[float, list[int]]:
    """Start a program with its hook, and check it.

    Returns the seconds to the first row, and the unique memory of each worker in bytes. Raises `Rejected` if
    the program hangs, fails, or does not pass its checks.
    """
    program = setup.program
    with RunningProgram(setup, sparing=sparing) as run:
        reports = [run.hold() for _ in range(WORKERS)]
        if failed := findings(program, run.loaded(), reports):
            raise ChecksFailed(f"{program.name}: the measurement does not count: {'; '.join(failed)}")
        memories = [memory.read(report["pid"])["uss"] for report in reports]
        run.open_gate()
        answers = [run.answer(report["token"]) for report in reports]
        for report, answer in zip(reports, answers, strict=True):
            if answer.get("row") != [report["token"], report["backend"]]:
                raise ChecksFailed(f"{program.name}: a row was lost on its way back: {answer}")
        called = run.started or answers[0]["asked"]
        application_name = run.application_name
    if left := sessions.remaining(setup.server, application_name):
        raise ChecksFailed(f"{program.name}: {left} sessions are left after all processes have ended")
    return (reports[0]["first_row"] - called) * 1e-9, memories


def hold_each(
    run: RunningProgram, count: int, *, until_answered: bool = False
) -> tuple[list[RowReport], str]:
    """Ask for so many rows, one after another; the reports, and the error that ended them, if any.

    As each worker holds its row, the next comes from another worker, unless it is `until_answered`.
    """
    reports: list[RowReport] = []
    for _ in range(count):
        report = run.hold()
        error = report.get("error", "")
        if until_answered and not error:
            error = run.answer(report["token"]).get("error", "")
        if error:
            return reports, error
        reports.append(report)
    return reports, ""


def without_hook(setup: ProgramSetup) -> WithoutHook:
    """Ask two workers for a row each, without the hook, and compare their sessions."""
    with RunningProgram(setup, hook=False) as run:
        reports, error = hold_each(run, WORKERS)
        backends = {report["backend"] for report in reports}
        if error:
            return WithoutHook("error", len(backends), error)
        loaded = run.loaded()
        if len(backends) == WORKERS and all(has_own_session(report, loaded) for report in reports):
            return WithoutHook("own", len(backends))
        return WithoutHook("shared", len({*backends, *loaded.values()}))


def replace_workers(setup: ProgramSetup) -> HookRuns:
    """Run several tasks one after another, each in a new worker."""
    with RunningProgram(setup, tasks=1) as run:
        run.open_gate()
        return hook_runs(run, *hold_each(run, TASKS, until_answered=True))


def kill_worker(setup: ProgramSetup) -> HookRuns:
    """Kill one of two workers while both hold a row, and ask for two more rows."""
    with RunningProgram(setup) as run:
        before = [run.hold() for _ in range(WORKERS)]
        os.kill(before[0]["pid"], signal.SIGKILL)
        run.open_gate()
        for report in before:
            run.answer(report["token"])
        run.shut_gate()
        return hook_runs(run, *hold_each(run, WORKERS))


def hook_runs(run: RunningProgram, reports: Sequence[RowReport], error: str) -> HookRuns:
    """Count the workers behind these reports, and those with a session of their own."""
    loaded = run.loaded()
    return HookRuns(
        tasks=len(reports) + bool(error),
        workers=len({report["pid"] for report in reports}),
        own=len({report["pid"] for report in reports if has_own_session(report, loaded)}),
        error=error,
    )
