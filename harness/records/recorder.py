"""What all commands of `poolstart record` have in common: a request, and the interface of a recorder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.console.progress import Progress
from harness.records import store
from harness.records.provenance import Provenance, provenances
from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError


@dataclass(frozen=True)
class Request:
    """The command line of `poolstart record NAME`."""

    name: str
    only: tuple[str, ...] = ()
    fresh: bool = False
    repeat: int | None = None
    load: bool = False
    minutes: float | None = None
    injected: bool = False
    release: str = ""
    scheduler: str = ""
    workers: int | None = None
    at: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, str]:
        """The options that were given, by name, each as it is written in a command line."""
        given = {
            "--only": " ".join(f"--only {name}" for name in self.only),
            "--at": " ".join(f"--at {each}" for each in self.at),
            "--injected": "--injected" if self.injected else "",
            "--release": f"--release {self.release}" if self.release else "",
            "--workers": f"--workers {self.workers}" if self.workers is not None else "",
            "--repeat": f"--repeat {self.repeat}" if self.repeat is not None else "",
            "--load": "--load" if self.load else "",
            "--minutes": f"--minutes {self.minutes:g}" if self.minutes is not None else "",
            "--fresh": "--fresh" if self.fresh else "",
            "--scheduler": f"--scheduler {self.scheduler}" if self.scheduler else "",
        }
        return {name: text for name, text in given.items() if text}

    @property
    def command(self) -> str:
        """The command line as a record stores it, without what does not change what is measured."""
        without = ("--fresh", "--minutes", "--scheduler")
        kept = [text for name, text in self.options.items() if name not in without]
        return " ".join(["poolstart record", self.name, *kept])


class Recorder:
    """Measures one record. A subject derives its own; `harness.cli.record` lists them."""

    title = ""
    """What is measured, in a few words."""
    options: tuple[str, ...] = ()
    """The options it has, as they are written."""
    rows_are = ""
    """What `--only` names, in the plural."""
    repeats = ""
    """What `--repeat` counts, in the plural."""
    default_repeat = 1
    min_repeat = 1
    file = ""
    """What is written, from the checkout on."""

    def rows(self) -> Sequence[str]:
        """The names that `--only` accepts; empty if any text may be tried."""
        return ()

    def seconds(self, request: Request) -> float:
        """How long the request will take, roughly."""
        raise NotImplementedError

    def measure(self, request: Request, report: Progress) -> str:
        """Measure, and store the rows. Returns what was stored, in a few words; empty if nothing was due."""
        raise NotImplementedError

    def provenances(self) -> list[Provenance] | None:
        """Where and when each row of the record was measured; None if there is no record.

        Raises PoolstartError if the record is damaged.
        """
        file = ROOT / self.file
        if not file.exists():
            return None
        with store.reading(file) as content:
            return list(provenances(content))

    def prepare(self, request: Request) -> None:
        """Check what the end needs before anything is measured.

        Raises PoolstartError if the record is damaged, or could not be written.
        """
        self.provenances()
        files.require_writable(ROOT / self.file)

    @property
    def lock(self) -> Path:
        """The lock of those who measure this record."""
        return ROOT / ".asv" / f"record-{Path(self.file).stem}.lock"

    def check(self, request: Request) -> None:
        """Raises PoolstartError if an option or row is unknown here, or there are too few repetitions."""
        for name in request.options:
            if name not in self.options:
                has = f"its options are {', '.join(self.options)}" if self.options else "it has no options"
                raise PoolstartError(f"`poolstart record {request.name}` has no {name}", has)
        if self.repeat(request) < self.min_repeat:
            raise PoolstartError(
                f"`poolstart record {request.name}` needs at least {self.min_repeat} {self.repeats}",
                f"give --repeat {self.min_repeat} or more",
            )
        known = self.rows() if request.only else ()
        for name in request.only:
            if known and name not in known:
                raise PoolstartError(
                    f"{name!r} is none of the {self.rows_are}", f"known are {', '.join(known)}"
                )

    def repeat(self, request: Request) -> int:
        return self.default_repeat if request.repeat is None else request.repeat

    def selected(self, request: Request) -> list[str]:
        """The rows to measure: those of `--only`, or all."""
        return list(dict.fromkeys(request.only)) or list(self.rows())
