"""A region of a page is replaced, and all the rest is kept; where a mark is wrong nothing is changed."""

import os
from pathlib import Path

import pytest

from harness.shown import report, servers
from harness.shown.region import END, Region
from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

OWN = "<!-- own: a command -->"
OTHER = "<!-- other: a command -->"

PAGE = f"above\n{OTHER}\nothers\n{END}\nbetween\n{OWN}\nold\n\nold\n{END}\nbelow, without a last newline"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page.md"


def test_only_what_stands_between_the_marks_is_replaced(page: Path) -> None:
    page.write_text(PAGE)
    page.chmod(0o640)
    Region(OWN).replace(page, "new\n")
    assert page.read_text() == PAGE.replace("old\n\nold", "new")
    assert Region(OWN).read(page) == "new\n"
    assert page.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in page.parent.iterdir()] == ["page.md"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "0 times"),
        (PAGE.replace(OWN, ""), "0 times"),
        (PAGE.replace(OWN, f"{OWN}\n{OWN}"), "2 times"),
        (f"{PAGE}\n{OWN}\nagain\n{END}\n", "2 times"),
        (f"above\n{OWN}\nold\nthe rest of the page\n", "has no"),
        (f"above\n{OWN}\nold\n{OTHER}\nothers\n{END}\nbelow\n", "has no"),
        (f"{END}\nabove\n{OWN}\nold\n", "has no"),
        (PAGE.replace("below", f"{END}\nbelow"), "twice"),
        (PAGE.replace(OWN, f"a line with {OWN}"), "0 times"),
    ],
)
def test_a_mark_that_is_missing_or_doubled_is_one_line_and_the_page_stays(
    page: Path, text: str, told: str
) -> None:
    page.write_text(text)
    with pytest.raises(PoolstartError, match=told) as caught:
        Region(OWN).replace(page, "new")
    assert "\n" not in str(caught.value)
    assert page.read_text() == text


def test_a_page_that_is_no_text_or_not_there_is_one_line(page: Path) -> None:
    with pytest.raises(PoolstartError, match="cannot be read: No such file"):
        Region(OWN).replace(page, "new")
    page.write_bytes(b"\xff\xfe")
    with pytest.raises(PoolstartError, match="cannot be read"):
        Region(OWN).replace(page, "new")
    assert page.read_bytes() == b"\xff\xfe"


def test_every_region_of_ours_is_in_its_page() -> None:
    for region, page in ((report.REGION, ROOT / "README.md"), (servers.REGION, ROOT / "docs" / "servers.md")):
        assert region.read(page)


def test_readme_s_region_is_what_results_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text()
    readme = tmp_path / "README.md"
    readme.write_text(text.replace(report.REGION.read(ROOT / "README.md"), "old\n"))
    monkeypatch.setattr(report, "README", readme)
    report.write_readme()
    written = report.markdown(report.answer(ROOT / "results"))
    assert readme.read_text() == text.replace(report.REGION.read(ROOT / "README.md"), written)


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(PoolstartError, match="cannot be written: No space left"):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(PoolstartError, match="cannot be written: No space left"):
        files.write(tmp_path / "another", "new")
    assert os.listdir(tmp_path) == ["file"]
