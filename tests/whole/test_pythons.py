"""What docs/pythons.md says of each Python is what the programs behind it print under that Python."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import drivers
from harness.postgres.server import Server
from harness.system.environment import ROOT
from tests.support import pythons
from tests.support.snippets import started

Version = tuple[int, ...]

PROGRAMS = ROOT / "tests" / "support" / "upgrades"

PAGE = ROOT / "docs" / "pythons.md"


def forks(version: Version) -> bool:
    """Whether fork is the default start method."""
    return version < (3, 14)


def preloads_main(version: Version) -> bool:
    """Whether the fork server imports the main module by default."""
    return version >= (3, 14, 1) or (3, 13, 8) <= version < (3, 14)


def sessions(method: str, cure: str) -> Callable[[Version], str]:
    """The number of connections of two workers of a script whose engine connects at its top level."""

    def expected(version: Version) -> str:
        if cure == "worker":
            return "2"
        if method == "default" and forks(version):
            return "2" if cure == "parent" else "1"
        return "1" if preloads_main(version) and cure != "preload" else "2"

    return expected


CASES: dict[tuple[str, ...], Callable[[Version], str]] = {
    **{
        ("module_engine", method, cure): sessions(method, cure)
        for method in ("default", "forkserver")
        for cure in ("none", "parent", "worker", "preload")
    },
    ("default_method",): lambda version: "fork set by the parent" if forks(version) else "forkserver default",
    ("engine_argument",): lambda version: "a row" if forks(version) else "PicklingError",
    **{
        ("threads", what): lambda version: "warned" if version >= (3, 12) else "silent"
        for what in ("thread", "executor", "getaddrinfo")
    },
    ("threads", "nothing"): lambda version: "silent",
    ("fork_as_error",): lambda version: "a worker" if version < (3, 15) else "a worker\nDeprecationWarning",
    ("event_loop",): lambda version: (
        "RuntimeError" if version >= (3, 14) else "DeprecationWarning" if version >= (3, 12) else "a loop"
    ),
}


OTHERS = [version for version in pythons.VERSIONS if version != pythons.RUNNING]


@pytest.fixture(
    scope="module",
    params=[pythons.RUNNING, *(pytest.param(version, marks=pytest.mark.slow) for version in OTHERS)],
)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with SQLAlchemy and psycopg2: the one of the tests, and in slow tests the others."""
    if request.param == pythons.RUNNING:
        return Path(sys.executable)
    home = tmp_path_factory.mktemp(f"python{request.param}") / "environment"
    return pythons.environment_of(request.param, home)


def full_version(python: Path) -> Version:
    command = [python, "-c", "import sys; print(*sys.version_info[:3])"]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return tuple(map(int, printed.split()))


def run(python: Path, server: Server, directory: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of `PROGRAMS` with a URL of the server in place of its own."""
    name, *arguments = command
    text = (PROGRAMS / f"{name}.py").read_text()
    (directory / f"{name}.py").write_text(text.replace(drivers.URL, server.sqlalchemy_url("upgrade")))
    return started(directory, python, f"{name}.py", *arguments)


@pytest.mark.parametrize("command", CASES, ids="-".join)
def test_a_program_behaves_as_the_page_says(
    command: tuple[str, ...], python: Path, server: Server, tmp_path: Path
) -> None:
    done = run(python, server, tmp_path, *command)
    assert done.stdout.strip() == CASES[command](full_version(python)), done.stderr


@pytest.mark.slow
def test_the_fork_warns_for_the_threads_of_these_packages(server: Server, tmp_path: Path) -> None:
    """pandas starts none itself: it imports pyarrow if that is installed."""
    packages = ("numpy", "pandas", "pyarrow", "polars", "psycopg[binary]", "psycopg-pool")
    python = pythons.environment_of("3.14", tmp_path / "environment", *packages)
    warned = {
        name: run(python, server, tmp_path, "threads", name, server.url).stdout.strip()
        for name in ("numpy", "pandas", "pyarrow", "polars", "psycopg_pool")
    }
    assert warned.pop("numpy") == "silent"
    assert set(warned.values()) == {"warned"}


def test_a_script_without_a_guard_ends_in_an_error_where_fork_is_not_the_default(
    python: Path, server: Server, tmp_path: Path
) -> None:
    done = run(python, server, tmp_path, "unguarded")
    if forks(full_version(python)):
        assert (done.returncode, done.stdout) == (0, "a worker\n")
    else:
        assert "RuntimeError" in done.stderr


def test_a_collection_copies_what_a_worker_inherits_unless_the_parent_froze_it(
    python: Path, server: Server, tmp_path: Path
) -> None:
    threshold, shared, frozen = run(python, server, tmp_path, "collector").stdout.split()
    assert threshold == ("2000" if full_version(python) >= (3, 13) else "700")
    assert float(frozen) < float(shared) / 5


def test_a_process_authenticates_itself_to_the_fork_server_from_3_14_on(
    python: Path, server: Server, tmp_path: Path
) -> None:
    challenges, _ = run(python, server, tmp_path, "authentication").stdout.split()
    assert float(challenges) == (1 if full_version(python) >= (3, 14) else 0)


def test_the_page_links_each_program() -> None:
    linked = set(re.findall(r"\(\.\./tests/support/upgrades/(\w+)\.py\)", PAGE.read_text()))
    assert linked == {path.stem for path in PROGRAMS.glob("[!_]*.py")}
