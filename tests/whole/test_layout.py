"""The layout of the code: where a thing is found, and that each name means one thing."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from harness.system.environment import ROOT

HARNESS, TESTS = ROOT / "harness", ROOT / "tests"

ITSELF = {"support", "whole"}
"""Folders of tests/ that belong to no subject."""

LISTS = {"hazards/all", "cli", "programs/inside"}
"""Folders that are a plain list: one module an entry."""

MOST_MODULES = 12

STILL_TOO_LARGE = {"site"}

STILL_DEFINED_TWICE = {
    "Repetition",
    "Answer",
    "Column",
    "Comparison",
    "Counted",
    "Event",
    "Evidence",
    "Figure",
    "Hazard",
    "History",
    "Measured",
    "Metric",
    "Release",
    "Row",
    "Run",
    "Side",
    "Table",
    "Verdicts",
    "View",
    "Watch",
    "Worst",
}
"""To be emptied: each of these names is being given to one class alone."""


def folders(root: Path) -> set[str]:
    """The packages below `root`, as paths relative to it."""
    return {str(path.parent.relative_to(root)) for path in root.rglob("__init__.py")} - {"."}


def modules(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.py") if "__pycache__" not in path.parts)


def imported(path: Path) -> set[str]:
    """The full names of what a module imports, those inside functions included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", modules(TESTS), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_module_of_the_tests_imports_a_test_or_a_conftest(path: Path) -> None:
    parts = {part for name in imported(path) if name.startswith("tests.") for part in name.split(".")[1:-1]}
    assert {part for part in parts if part.startswith("test_") or part == "conftest"} == set()


def test_each_folder_of_tests_has_the_name_of_a_folder_of_the_harness() -> None:
    mirrored = {name for name in folders(TESTS) if name.split("/")[0] not in ITSELF}
    assert mirrored <= folders(HARNESS)


def test_each_subject_has_tests() -> None:
    subjects = {name for name in folders(HARNESS) if "/" not in name}
    assert subjects - {"strategies"} <= folders(TESTS)


def test_no_folder_of_the_harness_holds_more_modules_than_one_can_keep_in_mind() -> None:
    count: dict[str, int] = defaultdict(int)
    for path in modules(HARNESS):
        if path.name != "__init__.py":
            count[str(path.parent.relative_to(HARNESS))] += 1
    assert {
        name: many
        for name, many in count.items()
        if many > MOST_MODULES and name not in LISTS | STILL_TOO_LARGE
    } == {}


def test_a_class_name_is_defined_once() -> None:
    defined = defaultdict(list)
    for path in modules(HARNESS):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                defined[node.name].append(str(path.relative_to(HARNESS)))
    twice = {name: where for name, where in defined.items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in STILL_DEFINED_TWICE} == {}
