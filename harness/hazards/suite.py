"""A digest of the suite's own code that a trial runs: trials with the same digest are the same.

Docstrings, comments, layout and the sentences about hazards and strategies do not count.
"""

import ast
import hashlib
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from harness.system.environment import ROOT

PROGRAM = "harness.hazards.inside.program"
"""The program of a trial, which imports the hazard's module by its name."""

DESCRIBED = ("Condition", "Hazard", "HazardFigure", "Strategy")
"""Classes whose keyword arguments hold sentences."""


def digest(hazard: str) -> str:
    """The digest of the suite's modules that a trial of this hazard imports: sixteen hexadecimal digits."""
    return digest_of([hazard])


def changed(digests: Mapping[str, str]) -> list[str]:
    """The hazards of these digests whose trials run other code now."""
    return [hazard for hazard, known in digests.items() if known != digest(hazard)]


def digest_of(hazards: Iterable[str]) -> str:
    """The digest of the suite's modules that trials of any of these hazards import."""
    hashed = hashlib.sha256()
    for module in sorted(set().union(*map(modules, hazards))):
        hashed.update(f"{module} {code(file_of(module))}\n".encode())
    return hashed.hexdigest()[:16]


def modules(hazard: str) -> set[str]:
    """The modules of this suite that a trial of this hazard imports, directly or through others."""
    found: set[str] = set()
    due = {PROGRAM, f"harness.hazards.all.{hazard}"}
    while due:
        module = due.pop()
        # A package of a module is imported before it.
        found |= {module, *packages(module)}
        due |= imports(file_of(module)) - found
    return found


def packages(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:number]) for number in range(1, len(parts))}


def file_of(module: str) -> Path:
    """The file of a module, whether it exists or not."""
    place = ROOT.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules of this suite that a file imports anywhere in it."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name imported from a package may be one of its modules.
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(name for name in named if name.startswith("harness.") and file_of(name).exists())


@cache
def code(path: Path) -> str:
    """The code of a file without docstrings, comments and sentences, in the same form under each Python."""
    tree = WithoutSentences().visit(ast.parse(path.read_text()))
    for node in ast.walk(tree):
        # Python 3.12 added the field, and 3.13 leaves out what is empty.
        if getattr(node, "type_params", None) == []:
            del node.type_params  # type: ignore[attr-defined]
    options: dict[str, Any] = {"show_empty": True} if sys.version_info >= (3, 13) else {}
    return ast.dump(tree, **options)


class WithoutSentences(ast.NodeTransformer):
    """Removes docstrings, and the sentences in the arguments of `DESCRIBED`."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in DESCRIBED:
            node.keywords = [each for each in node.keywords if not is_sentence(each.value)]
        return self.generic_visit(node)


def is_sentence(node: ast.AST) -> bool:
    """Whether an expression is text of several words: a name, such as that of a strategy, is one word."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
