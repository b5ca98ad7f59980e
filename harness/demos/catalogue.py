"""The six exhibits in their order, and how each must end."""

from dataclasses import dataclass, field
from enum import StrEnum

from harness.system.errors import PoolstartError

START_METHODS = ("fork", "forkserver", "spawn")


class End(StrEnum):
    """How a program came to its end."""

    DONE = "done"
    """By itself, with exit status 0."""
    FAILED = "failed"
    """By itself, with another exit status."""
    STUCK = "stuck"
    """By force: it had not ended, and none of its processes ran any more."""
    CIRCLES = "in circles"
    """By force: it did the same again and again."""
    LATE = "late"
    """By force: its deadline was over. No exhibit is expected to."""


@dataclass(frozen=True)
class Exhibit:
    """One program, as it stands and cured."""

    number: int
    name: str
    """Its file is `harness/demos/NAME.py`."""
    title: str
    shows: str
    """What to look for."""
    cure: str
    """What is different in the cured program."""
    ends: dict[str, End] = field(default_factory=dict)
    """By start method, how the program ends as it stands where that is not `done`; cured it always is."""
    deadline: float = 60.0
    """Seconds after which it is ended by force. A healthy program needs a small part of it."""

    @property
    def module(self) -> str:
        return f"harness.demos.{self.name}"

    def expected(self, start_method: str, cured: bool) -> End:
        return End.DONE if cured else self.ends.get(start_method, End.DONE)


CATALOGUE = (
    Exhibit(
        1,
        "one_fork",
        "One call, two processes",
        "os.fork() returns twice, and both processes run the rest of the program. spawn is a fork too, but"
        " the new process at once becomes another program (execve): it keeps nothing of its parent's memory.",
        "The new process leaves by os._exit() when its work is done, and the parent waits for it.",
    ),
    Exhibit(
        2,
        "held_lock",
        "A lock held by the thread that makes the pool",
        "fork copies the lock as held, and nobody in the worker will release it; the parent waits with its"
        " worker. It needs no second thread: a lock that the forking thread itself holds is enough.",
        "The pool is made before the lock is taken.",
        {"fork": End.STUCK},
    ),
    Exhibit(
        3,
        "unguarded_frame",
        "A DataFrame at the top of a program without a guard",
        "A forked worker has the DataFrame without asking. A worker of spawn or forkserver runs the program"
        " from its top, reads the file again, and then fails, because the program starts workers right"
        " there; the pool replaces it, for ever.",
        'The program reads the file and makes its pool under if __name__ == "__main__".',
        {"forkserver": End.CIRCLES, "spawn": End.CIRCLES},
    ),
    Exhibit(
        4,
        "inherited_engine",
        "An engine used in the parent, then a pool of workers",
        "Forked workers find the parent's open connections in their copy of the engine's pool. With SQLite"
        " nothing shows; with PostgreSQL the server has one session for parent and worker.",
        "The workers forget what they inherited: engine.dispose(close=False) in the pool's initializer.",
    ),
    Exhibit(
        5,
        "torn_message",
        "Two processes read from one socket",
        "Each takes what is there when it looks. Neither gets a whole message, on a plain socket and in"
        " PostgreSQL's protocol alike.",
        "Each process has a connection of its own.",
    ),
    Exhibit(
        6,
        "initializer",
        "The cure: dispose(close=False) in the pool's initializer",
        "It runs once in each worker, which then connects for itself; the parent's session lives on. The"
        " worker still holds a copy of the parent's socket.",
        "The parent calls engine.dispose() right before it makes the pool: there is no socket to inherit.",
    ),
)


def get(name: str) -> Exhibit:
    """The exhibit with this number or name."""
    for exhibit in CATALOGUE:
        if name in (str(exhibit.number), exhibit.name):
            return exhibit
    known = ", ".join(f"{exhibit.number} {exhibit.name}" for exhibit in CATALOGUE)
    raise PoolstartError(f"no exhibit {name!r}", f"known are {known}")
