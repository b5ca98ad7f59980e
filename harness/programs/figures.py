"""The figures of programs, and the record of them."""

from dataclasses import dataclass, field

from harness.records.provenance import Provenance


@dataclass(frozen=True)
class WithoutHook:
    """What happened to two workers of a program without its hook."""

    outcome: str
    """`shared`: one connection served two workers, or a worker and the process that loaded the application;
    `own`: each worker had its own; `error`: a worker could not fetch a row."""
    sessions: int
    """Server sessions that the rows came through."""
    error: str = ""


@dataclass(frozen=True)
class HookRuns:
    """Whether the hook ran in workers that replaced others."""

    tasks: int
    workers: int
    """Processes that ran the tasks."""
    own: int
    """How many of these had a session of their own, that is, in how many the hook had run."""
    error: str = ""
    """The error that ended the tasks."""


@dataclass(frozen=True)
class ProgramFigures:
    """The figures of one program, on one host or on several."""

    name: str
    versions: tuple[str, ...]
    first_row: tuple[float, ...]
    """In seconds, one for each start."""
    uss: tuple[int, ...]
    """Unique memory in bytes, one for each worker of each start."""
    without: WithoutHook
    killed: HookRuns
    """Two more tasks, after one of two workers was killed."""
    replaced: HookRuns | None = None
    """A new worker for each task; None if the program cannot replace its workers."""
    spared: tuple[int, ...] = ()
    """Unique memory in bytes with the lines that save memory; empty if there are none."""
    hosts: int = 1

    @property
    def title(self) -> str:
        return f"{self.name}, {self.hosts} hosts" if self.hosts > 1 else self.name


@dataclass(frozen=True)
class ProgramsTable:
    """The figures of all programs, and where and when they were measured."""

    provenance: Provenance
    runs: int
    """Starts of each program."""
    programs: tuple[ProgramFigures, ...]
    later: dict[str, Provenance] = field(default_factory=dict)
    """The provenance of rows that were measured after the rest of the table, by title."""
