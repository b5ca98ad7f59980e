"""The derived files: each is what `poolstart pages` would write from the committed results and records."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.site import derived
from harness.site.derived import DERIVED
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from tests.support.results import committed


def test_each_committed_page_is_what_would_be_written_now(tmp_path: Path) -> None:
    # As committed: a checkout in which `asv run` was used has other results beside them.
    outdated = derived.outdated((), committed(tmp_path))
    assert [page.path for page, *_ in outdated] == [], "run `poolstart pages`"


def test_figures_load_nothing_from_elsewhere() -> None:
    for page in DERIVED:
        # What nothing has been measured for has no figure.
        if page.path.endswith(".svg") and (ROOT / page.path).exists():
            assert re.findall(r"https?://(?!www\.w3\.org)", (ROOT / page.path).read_text()) == []


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A directory with two pages: a whole one, and one with a region."""
    pages = (
        derived.Derived("docs/a.md", lambda _: "new\n"),
        derived.Derived("b.md", lambda _: "new", region="r"),
        derived.Derived("docs/none.md", lambda _: None),
    )
    monkeypatch.setattr(derived, "DERIVED", pages)
    monkeypatch.setattr(derived, "ROOT", tmp_path)
    (tmp_path / "b.md").write_text("above\n<!-- r -->\nold\n<!-- end -->\nbelow\n")
    return tmp_path


def test_check_lists_what_is_out_of_date_and_writes_nothing(checkout: Path) -> None:
    result = CliRunner().invoke(app, ["pages", "--check"])
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["docs/a.md is out of date", "b.md is out of date"]
    assert not (checkout / "docs").exists()


def test_pages_are_written_once_and_then_up_to_date(checkout: Path) -> None:
    assert CliRunner().invoke(app, ["pages", "docs/a.md"]).stdout == "written: docs/a.md\n"
    assert CliRunner().invoke(app, ["pages"]).stdout == "written: b.md\n"
    assert (checkout / "docs" / "a.md").read_text() == "new\n"
    assert (checkout / "b.md").read_text() == "above\n<!-- r -->\nnew\n<!-- end -->\nbelow\n"
    assert CliRunner().invoke(app, ["pages", "--check"]).exit_code == 0


def test_a_page_that_is_not_generated_is_a_mistake(checkout: Path) -> None:
    result = CliRunner().invoke(app, ["pages", "docs/track.md"])
    assert isinstance(result.exception, PoolstartError)
    assert "docs/track.md is not a generated page; choose from docs/a.md, b.md" in str(result.exception)


def test_a_page_without_the_marks_of_its_region_is_left_alone(checkout: Path) -> None:
    (checkout / "b.md").write_text("no marks")
    result = CliRunner().invoke(app, ["pages", "b.md"])
    assert "b.md has no mark <!-- r -->" in str(result.exception)
    assert (checkout / "b.md").read_text() == "no marks"
