"""The list of releases is updated from a package index, in these tests one on localhost."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli import releases as commands
from harness.releases import index
from harness.releases.catalogue import Catalogue
from harness.system.errors import PoolstartError

JSON = "application/vnd.pypi.simple.v1+json"


class Index(ThreadingHTTPServer):
    """A package index with a fixed response."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: tuple[int, str, str] = (200, JSON, "{}")

    @property
    def url(self) -> str:
        return f"http://user:secret@127.0.0.1:{self.server_port}/simple"

    def offer(self, *files: tuple[str, str, bool]) -> None:
        """List wheels, each with its version, its day in January 2026, and whether it was yanked."""
        page: dict[str, Any] = {
            "meta": {"api-version": "1.1"},
            "name": "sqlalchemy",
            "versions": [],
            "files": [
                {
                    "filename": f"sqlalchemy-{version}-py3-none-any.whl",
                    "url": f"sqlalchemy-{version}-py3-none-any.whl",
                    "hashes": {},
                    "size": 1,
                    "yanked": yanked,
                    "upload-time": f"2026-01-{day}T12:00:00Z",
                }
                for version, day, yanked in files
            ],
        }
        self.answer = (200, JSON, json.dumps(page))


class Handler(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        status, kind, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def package_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with Index() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("UV_DEFAULT_INDEX", server.url)
        yield server
        server.shutdown()


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list with 2.0.3 and 2.0.36 that replaces the committed one."""
    path = tmp_path / "releases.json"
    path.write_text('{"2.0.3": "2026-01-03T00:00:00+00:00", "2.0.36": "2026-01-05T00:00:00+00:00"}')
    monkeypatch.setattr(commands, "PATH", path)
    return path


def test_update_adds_new_releases_and_removes_none(package_index: Index, known: Path) -> None:
    package_index.offer(("2.0.36", "20", False), ("2.1.0", "22", False), ("2.0.10", "21", False))
    result = CliRunner().invoke(commands.app, ["update"])
    assert "added 2.0.10 of 2026-01-21" in result.output
    assert "added 2.1.0 of 2026-01-22" in result.output
    assert [f"{r.version} {r.date:%d}" for r in Catalogue.load(known).releases] == [
        "2.0.3 03",
        "2.0.10 21",
        "2.0.36 05",
        "2.1.0 22",
    ]


def test_update_without_new_releases_does_not_change_the_file(package_index: Index, known: Path) -> None:
    package_index.offer(("2.0.3", "20", False))
    before = known.read_text()
    result = CliRunner().invoke(commands.app, ["update"])
    assert "0 new, 2 in all" in result.output
    assert known.read_text() == before


def test_yanked_files_are_ignored(package_index: Index) -> None:
    package_index.offer(("2.1.0", "22", True), ("2.1.1", "23", False))
    assert list(index.releases()) == ["2.1.1"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, "text/plain", ""), "it has no project sqlalchemy"),
        ((401, "text/plain", ""), "it responded 401 Unauthorized"),
        ((200, "image/png", ""), "it is not a package index"),
        ((200, JSON, "not json"), "it is not a package index"),
        ((200, "text/html", "<a href='sqlalchemy-2.1.0-py3-none-any.whl'>x</a>"), "lists no upload times"),
    ],
)
def test_an_unusable_index_is_one_line_without_the_password(
    package_index: Index, answer: tuple[int, str, str], reason: str
) -> None:
    package_index.answer = answer
    with pytest.raises(PoolstartError, match=reason) as error:
        index.releases()
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"UV_DEFAULT_INDEX": "a", "UV_INDEX_URL": "b", "PIP_INDEX_URL": "c"}, "a"),
        ({"UV_INDEX_URL": "b", "PIP_INDEX_URL": "c"}, "b"),
        ({"UV_DEFAULT_INDEX": "", "PIP_INDEX_URL": "c"}, "c"),
        ({}, index.PYPI_SIMPLE_ENDPOINT),
    ],
)
def test_the_index_is_that_of_the_users_installer(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], expected: str
) -> None:
    for name in index.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert index.endpoint() == expected


def test_the_list_shows_versions_and_dates() -> None:
    result = CliRunner().invoke(commands.app, [])
    row = next(line for line in result.output.splitlines() if "2.0.36 " in line)
    assert "2024-10-15" in row


def test_update_with_pairs_prints_each_new_release_after_its_predecessor(
    package_index: Index, known: Path
) -> None:
    package_index.offer(("2.0.36", "01", False), ("2.0.37", "02", False), ("2.1.0", "03", False))
    result = CliRunner().invoke(commands.app, ["update", "--pairs"])
    assert result.stdout == "2.0.36 2.0.37\n2.0.37 2.1.0\n"
    assert CliRunner().invoke(commands.app, ["update", "--pairs"]).stdout == ""
