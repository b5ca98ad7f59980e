"""A password in POOLSTART_URL appears nowhere: on no command line, in no output and in no file of a run."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from harness.postgres import locate
from harness.postgres.server import Server, libpq_url
from tests.support.programs import PROGRAMS, Program
from tests.support.remains import Scene
from tests.support.servers import ROLE, server_with_password

SECRET = secrets.token_hex(16)

FORMS = {
    "user and password": {"username": ROLE, "password": SECRET},
    "a parameter": {"username": ROLE, "query": {"password": SECRET}},
}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server with a role that needs a password."""
    with server_with_password(SECRET) as server:
        yield server


def url(server: Server, form: str, **changes: object) -> str:
    return libpq_url(make_url(server.url).set(**{**FORMS[form], **changes}))  # type: ignore[arg-type]


class Search:
    """Searches the command lines of all processes while a run lasts, and its files afterwards."""

    def __init__(self) -> None:
        self.looked = 0
        self.found: set[str] = set()

    def command_lines(self) -> None:
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = entry.read_bytes()
            except OSError:
                continue
            self.looked += 1
            if SECRET.encode() in line:
                self.found.add(f"the command line {line!r}")

    def files(self, directory: Path) -> None:
        for path in directory.rglob("*"):
            if path.is_file() and not path.is_symlink() and SECRET.encode() in path.read_bytes():
                self.found.add(str(path))


@contextmanager
def searching() -> Iterator[Search]:
    search, over = Search(), threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            search.command_lines()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield search
    finally:
        over.set()
        thread.join()


@pytest.mark.soak
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_output_or_file_of_a_run_contains_it(
    programs: dict[str, Program], here: Scene, guarded: Server, name: str, form: str
) -> None:
    program = programs[name]
    environment = {**program.environment, locate.URL: url(guarded, form)}
    del environment[locate.KIND]
    with searching() as search:
        run = replace(program, environment=environment).start(here)
        output, _ = run.communicate(timeout=600)
    assert run.returncode == 0, output
    assert search.looked
    search.files(here.directory)
    search.files(program.directory)
    assert SECRET not in output
    assert not search.found
    if name == "asv run":
        assert list((program.directory / "results").glob("*/*external-18.4-tcp-scram-sha-256*"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "changes",
    [{"port": 1}, {"database": "nowhere"}, {"username": "nobody"}, {"host": "no.such.host.invalid"}],
)
def test_no_error_contains_it(
    guarded: Server, monkeypatch: pytest.MonkeyPatch, form: str, changes: dict[str, object]
) -> None:
    monkeypatch.setenv(locate.URL, url(guarded, form, **changes))
    with pytest.raises(locate.PoolstartError) as caught:
        locate.running()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_no_representation_of_a_server_contains_it(guarded: Server, form: str) -> None:
    server = replace(guarded, url=url(guarded, form))
    assert SECRET not in f"{server} {server!r} {server.identity} {server.address} {[server]}"
    assert Server.from_json(server.to_json()) == server
