"""A password in POOLSTART_URL appears nowhere: on no command line, in no output and in no file of a run."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from harness.postgres import locate
from harness.postgres.server import Server
from harness.postgres.url import parameters, parse_url
from tests.support.programs import PROGRAMS, Program
from tests.support.remains import Scene
from tests.support.servers import ROLE, server_with_password

SECRET = secrets.token_hex(16)

FORMS = {
    "user and password": "postgresql://{user}:{password}@{host}:{port}/{dbname}",
    "a parameter": "postgresql://{user}@{host}:{port}/{dbname}?password={password}",
    "SQLAlchemy's": "postgresql+psycopg2://{user}:{password}@{host}:{port}/{dbname}",
}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server with a role that needs a password."""
    with server_with_password(SECRET) as server:
        yield server


def url(server: Server, form: str, **changes: str) -> str:
    return FORMS[form].format(**{**parameters(server.url), "user": ROLE, "password": SECRET, **changes})


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
        # asv replaces a long name of an environment in that of the file.
        stored = (program.directory / "results").glob("*/2.1*.json")
        assert any("external-18.4-tcp-scram-sha-256" in path.read_text() for path in stored)


CHANGES = [
    {"port": "1"},
    {"dbname": "nowhere"},
    {"user": "nobody"},
    {"host": "no.such.host.invalid"},
    {"password": f"{SECRET}%00"},
    {"password": f"{SECRET}%"},
    {"password": f"{SECRET}%zz"},
    {"password": f"{SECRET}@1"},
    {"password": f"1/{SECRET}"},
    {"password": f"1@{SECRET}"},
    {"password": f"1&{SECRET}=1"},
    {"password": f"1&{SECRET}"},
    {"password": f"1={SECRET}"},
    {"password": f"1?{SECRET}"},
    {"password": f"1#{SECRET}"},
    {"password": f"[{SECRET}"},
    {"user": SECRET, "port": "1"},
    {"user": SECRET},
    {"dbname": f"d?options={SECRET}"},
    {"dbname": f"d?sslmode={SECRET}"},
    {"dbname": f"d?{SECRET}=1"},
]


def test_no_error_contains_it(guarded: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for form, changes in product(FORMS, CHANGES):
        monkeypatch.setenv(locate.URL, url(guarded, form, **changes))
        with pytest.raises(locate.PoolstartError) as caught:
            locate.running()
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_no_representation_of_a_server_contains_it(guarded: Server, form: str) -> None:
    server = replace(guarded, url=parse_url(url(guarded, form), locate.URL))
    assert SECRET not in f"{server} {server!r} {server.identity} {server.address} {[server]}"
    assert Server.from_json(server.to_json()) == server
