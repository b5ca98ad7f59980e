"""What a program needs to run: an environment with its packages, a server, and the hosts of its workers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from harness.postgres import embedded, locate
from harness.postgres.server import Server
from harness.processes.hosts import private_network, require_root
from harness.processes.supervision import Supervision
from harness.programs.head import Program, get, names
from harness.releases.venvs import python_with
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

ENVIRONMENTS = ROOT / ".asv" / "programs"
"""The virtual environments, one for each program; they are kept."""


@dataclass(frozen=True)
class ProgramSetup:
    """A program, the interpreter of its environment, its server, and on how many hosts its workers run.

    More than one host needs the private network of `server(hosts)`.
    """

    program: Program
    python: Path
    server: Server
    hosts: int = 1


def select(selected: Sequence[str], hosts: int) -> list[Program]:
    """The programs of these names, or if there are none, all that can run on so many hosts.

    Raises `PoolstartError` if a name is unknown, if a named program cannot spread its workers, or if this
    machine cannot create hosts or reach its server from them.
    """
    programs = [get(name) for name in dict.fromkeys(selected or names())]
    able = [program for program in programs if hosts == 1 or program.spreads]
    if selected and able != programs:
        unable = next(program for program in programs if program not in able)
        spreading = ", ".join(name for name in names() if get(name).spreads)
        raise PoolstartError(
            f"{unable.name} has all its workers on one host",
            f"leave out --hosts, or choose among {spreading}",
        )
    if hosts > 1:
        # Checked here, before minutes are spent on the programs on one host.
        require_root()
        if not locate.identity().startswith("embedded-"):
            raise PoolstartError(
                "network namespaces reach the embedded server only",
                "leave out --hosts, or POOLSTART_SERVER and POOLSTART_URL",
            )
    return able


@contextmanager
def server(hosts: int) -> Iterator[Server]:
    """A server for programs whose workers run on so many hosts.

    For more than one host, the calling thread enters a private network with an embedded server in it.
    """
    if hosts == 1:
        with locate.server() as located:
            yield located
        return
    with private_network(), Supervision() as supervision:
        yield embedded.start(supervision, hosts=True)


def requirements(program: Program) -> list[str]:
    """The packages in a program's environment: the installed SQLAlchemy and driver, and its own."""
    installed = [f"{name}=={metadata.version(name)}" for name in ("sqlalchemy", "psycopg2-binary")]
    return [*installed, *program.packages]


def interpreter(program: Program) -> Path:
    """The interpreter of a program's environment, which is installed at the first call.

    Raises `PoolstartError` if the packages cannot be installed.
    """
    return python_with(requirements(program), ENVIRONMENTS / program.name)
