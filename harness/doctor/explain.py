"""What a finding is about, in full: from the catalogues, without what their trials import."""

import ast
import textwrap
from collections.abc import Iterator
from importlib import resources
from typing import Any

from harness import fixes
from harness.lookalikes import catalogue as lookalikes
from harness.system.errors import PoolstartError

HAZARDS = "harness.hazards.all"
"""The package whose files are hazards."""

SHOWN = ("title", "description", "symptom", "avoidance", "fixes", "links")

WIDTH = 79


def lines(name: str) -> list[str]:
    """The explanation of a hazard or look-alike. Raises `PoolstartError` if there is none of that name."""
    entry = _entry(name)
    text = [f"{name}: {entry['title']}"]
    for field in ("description", "symptom", "avoidance"):
        if field in entry:
            text += ["", *textwrap.wrap(f"{_HEADINGS[field]}{entry[field]}", WIDTH)]
    for fix in entry.get("fixes", ()):
        text += [
            "",
            *textwrap.wrap(f"{fix.title}:", WIDTH),
            "",
            *textwrap.indent(fix.code, "    ").splitlines(),
        ]
    if entry.get("links"):
        text += ["", *entry["links"]]
    return text


_HEADINGS = {"description": "", "symptom": "What you see: ", "avoidance": "What to do: "}


def names() -> list[str]:
    """All that can be explained."""
    files = (path.name for path in resources.files(HAZARDS).iterdir())
    hazards = (name.removesuffix(".py") for name in files if name.endswith(".py") and name[0] != "_")
    return [*sorted(hazards), *sorted(lookalikes.IDS)]


def _entry(name: str) -> dict[str, Any]:
    if name in lookalikes.IDS:
        return vars(lookalikes.load(name))
    if name in names():
        return _read((resources.files(HAZARDS) / f"{name}.py").read_text(encoding="utf-8"))
    raise PoolstartError(f"nothing is known about {name!r}", f"known are {', '.join(names())}")


def _read(source: str) -> dict[str, Any]:
    """The arguments in `SHOWN` of the `Hazard` that a module makes, which is not imported."""
    values: dict[str, Any] = dict(vars(fixes))
    entry: dict[str, Any] = {}
    for target, value in _assigned(ast.parse(source)):
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "Hazard":
            given = {each.arg: each.value for each in value.keywords}
            entry = {name: _value(given[name], values) for name in SHOWN if name in given}
        elif isinstance(value, (ast.Constant, ast.JoinedStr)):
            values[target] = _value(value, values)
    return entry


def _assigned(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _value(node: ast.expr, values: dict[str, Any]) -> Any:
    """Evaluate an expression of our own source: texts, and fixes."""
    return eval(compile(ast.Expression(node), "catalogue", "eval"), values)
