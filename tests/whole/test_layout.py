"""The layout of the code: where a thing is found, and that each name means one thing."""

import ast
import re
import subprocess
import tomllib
from collections import defaultdict
from pathlib import Path

from harness.system.environment import ROOT

HARNESS, TESTS = ROOT / "harness", ROOT / "tests"

ARCHITECTURE = ROOT / "ARCHITECTURE.md"

ITSELF = {"support", "whole"}
"""Folders of tests/ that belong to no subject."""

LISTS = {"demos/all", "hazards/all", "cli", "programs/inside"}
"""Folders that are a plain list: one module an entry."""

MOST_MODULES = 12


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


def test_no_module_of_the_tests_imports_a_test_or_a_conftest() -> None:
    found = {(path, name) for path in modules(TESTS) for name in imported(path) if name.startswith("tests.")}
    assert [each for each in found if re.search(r"\.(test_|conftest\b)", each[1])] == []


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
    assert {name: many for name, many in count.items() if many > MOST_MODULES and name not in LISTS} == {}


def test_a_class_name_is_defined_once() -> None:
    defined = defaultdict(list)
    for path in modules(HARNESS):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                defined[node.name].append(str(path.relative_to(HARNESS)))
    assert {name: where for name, where in defined.items() if len(where) > 1} == {}


PICTURE = re.compile(r"^( *)([\w.]+)(/?)  +\S", re.MULTILINE)
"""A line of the tree in ARCHITECTURE.md: indentation, name, and what is in it."""


def picture() -> tuple[list[str], list[str]]:
    """The tree that ARCHITECTURE.md draws: names at the root, and names in harness/."""
    (block,) = re.findall(r"^```\n(benchmarks/.*?)^```", ARCHITECTURE.read_text(), re.MULTILINE | re.DOTALL)
    lines = PICTURE.findall(block)
    assert len(lines) == len(block.splitlines())
    return [name for indent, name, _ in lines if not indent], [name for indent, name, _ in lines if indent]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(name) for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_the_tree_in_architecture_is_the_real_one() -> None:
    at_root, in_harness = picture()
    assert sorted(at_root) == sorted({path.parts[0] for path in tracked() if len(path.parts) > 1})
    real = {path.parts[1] for path in tracked("harness")} - {"__init__.py"}
    assert sorted(in_harness) == sorted(real)


def test_the_tree_in_architecture_lists_subjects_in_the_order_of_imports() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    _, in_harness = picture()
    drawn = [name.removesuffix(".py") for name in in_harness]
    assert drawn == [name for layer in layers for name in layer.split(" | ")]


DOCUMENTS = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "docs/glossary.md"]


def test_each_path_in_a_document_exists() -> None:
    text = "\n".join((ROOT / name).read_text() for name in DOCUMENTS)
    paths = re.findall(r"`((?:benchmarks|docs|harness|records|results|tests|\.ci)/[\w./-]*)`", text)
    assert [path for path in paths if "NAME" not in path and not (ROOT / path).exists()] == []
    modules = [name.replace(".", "/") for name in re.findall(r"`(harness\.[a-z_.]+)`", text)]
    assert [
        name for name in modules if not (ROOT / name).is_dir() and not (ROOT / f"{name}.py").exists()
    ] == []


def test_each_term_of_architecture_is_in_the_glossary() -> None:
    terms = re.findall(r"\*\*([a-z][a-z ]*)\*\*", ARCHITECTURE.read_text())
    defined = re.findall(r"^\| ([\w ]+) \| ", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    assert len(terms) > 10
    assert {term.removesuffix("s") for term in terms} - {word.removesuffix("s") for word in defined} == set()
    assert len(defined) - defined.count("word") == len(set(defined) - {"word"})
