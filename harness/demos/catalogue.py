"""The six demos in their order, and how each must end."""

from dataclasses import dataclass, field
from enum import StrEnum

from harness.system.errors import PoolstartError

START_METHODS = ("fork", "forkserver", "spawn")


class End(StrEnum):
    """How a program ended."""

    DONE = "done"
    """By itself, with exit status 0."""
    FAILED = "failed"
    """By itself, with another exit status."""
    HUNG = "hung"
    """Killed: it had not ended, and none of its processes ran any more."""
    LOOPED = "looped"
    """Killed: it printed the same line again and again."""
    TIMED_OUT = "timed out"
    """Killed at its deadline, which no demo should reach."""


@dataclass(frozen=True)
class Demo:
    """One program, which can run as written or cured."""

    number: int
    name: str
    """Its file is `harness/demos/all/NAME.py`."""
    title: str
    shows: str
    """What it shows, in one or two sentences."""
    cure: str
    """What the cured program does differently."""
    ends: dict[str, End] = field(default_factory=dict)
    """How the program ends as written, by start method, if not `done`; cured it always ends `done`."""
    deadline: float = 60.0
    """Seconds after which it is killed; a healthy program takes a small fraction of that."""

    @property
    def module(self) -> str:
        return f"harness.demos.all.{self.name}"

    def expected(self, start_method: str, cured: bool) -> End:
        """How it must end."""
        return End.DONE if cured else self.ends.get(start_method, End.DONE)


CATALOGUE = (
    Demo(
        1,
        "one_fork",
        "One call, two processes",
        "os.fork() returns twice, and both processes run the rest of the program. spawn is a fork too, but"
        " the new process at once becomes another program (execve): it keeps nothing of its parent's memory.",
        "The new process leaves by os._exit() when its work is done, and the parent waits for it.",
    ),
    Demo(
        2,
        "held_lock",
        "A lock held by the thread that makes the pool",
        "fork copies the lock as locked, and no thread of the worker will release it; the parent waits for"
        " its worker, and hangs too. No second thread is needed: the forking thread may hold the lock.",
        "The pool is made before the lock is taken.",
        {"fork": End.HUNG},
    ),
    Demo(
        3,
        "unguarded_frame",
        "A DataFrame at the top of a program without a guard",
        "A forked worker inherits the DataFrame. A worker of spawn or forkserver runs the program from its"
        " top, reads the file again, and fails, because the program starts workers right there; the pool"
        " replaces it, for ever.",
        'The program reads the file and makes its pool under if __name__ == "__main__".',
        {"forkserver": End.LOOPED, "spawn": End.LOOPED},
    ),
    Demo(
        4,
        "inherited_engine",
        "An engine used in the parent, then a pool of workers",
        "Forked workers find the parent's open connections in their copy of the engine's pool. With SQLite"
        " this is not noticed; with PostgreSQL the server has one session for parent and worker.",
        "The workers drop the inherited connections: engine.dispose(close=False) in the pool's initializer.",
    ),
    Demo(
        5,
        "torn_message",
        "Two processes read from one socket",
        "Each reads what has arrived. Neither gets a whole message, on a plain socket or in PostgreSQL's"
        " protocol.",
        "Each process has a connection of its own.",
    ),
    Demo(
        6,
        "initializer",
        "The cure: dispose(close=False) in the pool's initializer",
        "The initializer runs once in each worker, which then connects for itself; the parent's session lives"
        " on. The worker still holds a copy of the parent's socket.",
        "The parent calls engine.dispose() right before it makes the pool: there is no socket to inherit.",
    ),
)


def get(name: str) -> Demo:
    """The demo with this number or name. Raises `PoolstartError` if there is none."""
    for demo in CATALOGUE:
        if name in (str(demo.number), demo.name):
            return demo
    known = ", ".join(f"{demo.number} {demo.name}" for demo in CATALOGUE)
    raise PoolstartError(f"no demo {name!r}", f"known are {known}")
