"""A damaged record costs the pages what it holds, and a remark names it; everything else is published."""

import inspect
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from harness.demos import expected as demos
from harness.hazards import expected
from harness.hazards.bisection import release_verdicts
from harness.history import causes_record, paired, reference
from harness.history.reference import RatioRow
from harness.instructions import table as instructions
from harness.site import build
from harness.system.errors import PoolstartError
from tests.support.results import MACHINE, few

Damage = Callable[[Path, str], None]

RECORDS: dict[str, tuple[Any, str, str]] = {
    "hazards": (expected, "PATH", "outcomes"),
    "verdicts": (release_verdicts, "RECORD", "releases"),
    "retests": (paired, "NEIGHBOURS", "ratio"),
    "ratios": (reference, "RECORD", "screening"),
    "causes": (causes_record, "PATH", "before"),
    "instructions": (instructions, "PATH", "build"),
    "demos": (demos, "PATH", "programs"),
}
"""Every record the site reads: where its path is, and a key that it needs."""


def truncated(path: Path, key: str) -> None:
    path.write_text(path.read_text()[: path.stat().st_size // 2])


def binary(path: Path, key: str) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def wrong_type(path: Path, key: str) -> None:
    path.write_text("5")


def wrong_type_inside(path: Path, key: str) -> None:
    path.write_text(
        json.dumps(with_key(json.loads(path.read_text()), key, lambda row: row.update({key: [{}]})))
    )


def without_a_key(path: Path, key: str) -> None:
    path.write_text(json.dumps(with_key(json.loads(path.read_text()), key, lambda row: row.pop(key))))


def with_key(content: Any, key: str, change: Callable[[dict[str, Any]], object]) -> Any:
    """Change the first object that has the key, wherever it is."""
    rest = [content]
    while rest:
        value = rest.pop(0)
        if isinstance(value, dict):
            if key in value:
                change(value)
                return content
            rest += value.values()
        elif isinstance(value, list):
            rest += value
    raise AssertionError(f"no {key} in the record")


DAMAGES = (truncated, binary, wrong_type, wrong_type_inside, without_a_key)


def pages(results: Path, target: Path) -> dict[str, str]:
    build.build(results, target)
    return {str(path.relative_to(target)): path.read_text() for path in target.rglob("*.html")}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    few(tmp_path / "results", 1)
    return tmp_path / "results"


def damaged(name: str, damage: Damage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A damaged copy of a record, in place of it."""
    module, attribute, key = RECORDS[name]
    path = tmp_path / getattr(module, attribute).name
    if name == "ratios":
        path.write_text(json.dumps([asdict(RatioRow("2.1.0", "spawn", {"uss": [0.01]}, {"uss": 3e7}))]))
    else:
        shutil.copy(getattr(module, attribute), path)
    damage(path, key)
    monkeypatch.setattr(module, attribute, path)
    return path


@pytest.mark.parametrize("name", RECORDS)
def test_a_damaged_record_is_an_error_that_names_it(name: str, tmp_path: Path) -> None:
    for damage in DAMAGES:
        with pytest.MonkeyPatch.context() as patch:
            path, load = damaged(name, damage, tmp_path, patch), RECORDS[name][0].load
            with pytest.raises(PoolstartError, match=path.name):
                load(path) if "path" in inspect.signature(load).parameters else load()


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
@pytest.mark.parametrize("damage", [truncated, without_a_key])
def test_damaged_conditions_of_a_machine_are_named(damage: Damage, results: Path, tmp_path: Path) -> None:
    path = results / MACHINE.name / "conditions.jsonl"
    path.write_text((MACHINE / "conditions.jsonl").read_text().splitlines()[0] + "\n")
    damage(path, "release")
    found = pages(results, tmp_path / "site")
    assert "2.1.0" in found["releases.html"]
    assert "conditions" in found["method.html"].partition('id="left-out"')[2]
