"""A damaged record costs the pages what it holds, and a remark names it; everything else is published."""

import shutil
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from types import ModuleType

import pytest

from harness.demos import expected as demos
from harness.hazards import expected
from harness.hazards.bisection import release_verdicts
from harness.history import causes_record, paired, reference
from harness.instructions import table as instructions
from harness.site import build
from tests.support.results import MACHINE, few

Damage = Callable[[Path], None]

RECORDS: dict[str, tuple[ModuleType, str]] = {
    "hazards": (expected, "PATH"),
    "verdicts": (release_verdicts, "RECORD"),
    "retests": (paired, "NEIGHBOURS"),
    "ratios": (reference, "RECORD"),
    "causes": (causes_record, "PATH"),
    "instructions": (instructions, "PATH"),
    "demos": (demos, "PATH"),
}
"""Every record the site reads: where its path is."""


def truncated(path: Path) -> None:
    path.write_text(path.read_text()[: path.stat().st_size // 2])


def binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def wrong_type(path: Path) -> None:
    path.write_text("5")


DAMAGES = (truncated, binary, wrong_type)


def pages(results: Path, target: Path) -> dict[str, str]:
    build.build(results, target)
    return {str(path.relative_to(target)): path.read_text() for path in target.rglob("*.html")}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    few(tmp_path / "results", 1)
    return tmp_path / "results"


def damaged(name: str, damage: Damage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A damaged copy of a record, in place of it."""
    module, attribute = RECORDS[name]
    path = tmp_path / getattr(module, attribute).name
    shutil.copy(getattr(module, attribute), path)
    damage(path)
    monkeypatch.setattr(module, attribute, path)
    return path


# Building the site takes seconds. The page of claims names the first damaged record that it needs.
@pytest.mark.parametrize("names", [[*RECORDS][:-1], ["demos"]])
def test_the_site_is_published_with_a_remark_about_each(
    names: list[str], results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage = dict(zip(RECORDS, cycle(DAMAGES), strict=False))
    paths = [damaged(name, damage[name], tmp_path, monkeypatch) for name in names]
    found = pages(results, tmp_path / "site")
    assert {"index.html", "choose.html", "symptoms.html", "releases.html", "claims.html"} <= set(found)
    assert not [path.name for path in paths if not any(path.name in text for text in found.values())]


# Building the site takes seconds, and one function reads them.
@pytest.mark.parametrize("damage", [truncated, wrong_type])
def test_damaged_conditions_of_a_machine_are_named(damage: Damage, results: Path, tmp_path: Path) -> None:
    path = results / MACHINE.name / "conditions.jsonl"
    path.write_text((MACHINE / "conditions.jsonl").read_text().splitlines()[0] + "\n")
    damage(path)
    found = pages(results, tmp_path / "site")
    assert "2.1.0" in found["releases.html"]
    assert "conditions" in found["method.html"].partition('id="left-out"')[2]
