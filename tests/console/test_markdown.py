"""Markdown: a table, and regions of a page that are replaced without losing the rest."""

from pathlib import Path

import pytest

from harness.console import markdown
from harness.console.markdown import END
from harness.system.errors import PoolstartError

A, B = "<!-- a -->", "<!-- b -->"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(f"above\n{A}\nold\n{END}\nbetween\n{B}\nother\n{END}\nbelow\n")
    return path


def test_a_table_aligns_its_figures_and_escapes_bars() -> None:
    assert markdown.table(["what", "ms"], [["a|b", "1"]], figures=1) == (
        "| what | ms |\n| --- | ---: |\n| a\\|b | 1 |\n"
    )


def test_a_region_is_replaced_and_the_rest_stays(page: Path) -> None:
    assert (
        markdown.with_region(page, "a", "new\n")
        == f"above\n{A}\nnew\n{END}\nbetween\n{B}\nother\n{END}\nbelow\n"
    )
    assert markdown.with_region(page, "b", "newer").endswith(f"{END}\nbetween\n{B}\nnewer\n{END}\nbelow\n")


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (A, "has no mark <!-- a -->"),
        (f"old\n{END}\n", "has no mark <!-- end --> for <!-- a -->"),
        (f"\nother\n{END}", "no mark"),
    ],
)
def test_without_a_mark_nothing_is_written(page: Path, lost: str, message: str) -> None:
    page.write_text(page.read_text().replace(lost, "", 1))
    before = page.read_text()
    name = "b" if "other" in lost else "a"
    with pytest.raises(PoolstartError, match=message):
        markdown.with_region(page, name, "new")
    assert page.read_text() == before
    assert list(page.parent.iterdir()) == [page]


def test_a_region_that_occurs_twice_is_an_error(page: Path) -> None:
    page.write_text(page.read_text() * 2)
    with pytest.raises(PoolstartError, match="twice"):
        markdown.with_region(page, "a", "new")


def test_an_unreadable_page_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe")
    for path, message in (
        (tmp_path, "Is a directory"),
        (tmp_path / "none.md", "No such file"),
        (tmp_path / "binary.md", "no text"),
    ):
        with pytest.raises(PoolstartError, match=message) as caught:
            markdown.with_region(path, "a", "new")
        assert "\n" not in str(caught.value)


def test_code_is_marked_in_html_and_not_in_the_terminal() -> None:
    text = "use `spawn` if a < b, `fork` otherwise"
    assert markdown.html(text) == "use <code>spawn</code> if a &lt; b, <code>fork</code> otherwise"
    assert markdown.plain(text) == "use spawn if a < b, fork otherwise"
