"""The list of releases is updated from a package index, in these tests one on localhost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import releases as commands
from harness.releases import index
from harness.releases.catalogue import Catalogue
from harness.system.errors import PoolstartError
from tests.support.package_index import JSON, PackageIndex


@pytest.fixture
def package_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    with PackageIndex() as server:
        url = f"http://user:secret@127.0.0.1:{server.server_port}/simple"
        monkeypatch.setenv("UV_DEFAULT_INDEX", url)
        yield server


def on(day: int) -> str:
    """A moment of January 2026."""
    return f"2026-01-{day:02}T12:00:00Z"


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list with 2.0.3 and 2.0.36 that replaces the committed one."""
    path = tmp_path / "releases.json"
    path.write_text('{"2.0.3": "2026-01-03T00:00:00+00:00", "2.0.36": "2026-01-05T00:00:00+00:00"}')
    monkeypatch.setattr(commands, "PATH", path)
    return path


def test_update_adds_new_releases_and_removes_none(package_index: PackageIndex, known: Path) -> None:
    package_index.offer(("2.0.36", on(20), False), ("2.1.0", on(22), False), ("2.0.10", on(21), False))
    result = CliRunner().invoke(commands.app, ["update"])
    assert "added 2.0.10 of 2026-01-21" in result.output
    assert "added 2.1.0 of 2026-01-22" in result.output
    assert [f"{r.version} {r.date:%d}" for r in Catalogue.load(known).releases] == [
        "2.0.3 03",
        "2.0.10 21",
        "2.0.36 05",
        "2.1.0 22",
    ]


def test_update_without_new_releases_does_not_change_the_file(
    package_index: PackageIndex, known: Path
) -> None:
    package_index.offer(("2.0.3", on(20), False))
    before = known.read_text()
    result = CliRunner().invoke(commands.app, ["update"])
    assert "0 new, 2 in all" in result.output
    assert known.read_text() == before


def test_yanked_files_are_ignored(package_index: PackageIndex) -> None:
    package_index.offer(("2.1.0", on(22), True), ("2.1.1", on(23), False))
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
    package_index: PackageIndex, answer: tuple[int, str, str], reason: str
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
    package_index: PackageIndex, known: Path
) -> None:
    package_index.offer(("2.0.36", on(1), False), ("2.0.37", on(2), False), ("2.1.0", on(3), False))
    result = CliRunner().invoke(commands.app, ["update", "--pairs"])
    assert result.stdout == "2.0.36 2.0.37\n2.0.37 2.1.0\n"
    assert CliRunner().invoke(commands.app, ["update", "--pairs"]).stdout == ""
