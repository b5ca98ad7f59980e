"""Values made from JSON by their type hints."""

import json
import re
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest

from harness.comparisons.servers import ServerComparison
from harness.curves.curve import CurveRecord
from harness.demos.expected import DemoProof
from harness.doctor.proof.record import DoctorRecord
from harness.fleets.figures import FleetsTable
from harness.hazards.bisection.release_verdicts import ReleaseVerdicts
from harness.hazards.table import VerdictTable
from harness.history.causes import Explanation
from harness.history.paired import NeighbourRow
from harness.history.sensitivity.record import SensitivityRecord
from harness.instructions.table import InstructionsTable
from harness.poolers.figures import PoolersRecord
from harness.programs.figures import ProgramsTable
from harness.records import store
from harness.system.structure import structure


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Leaf:
    size: float
    colour: Colour = Colour.RED


@dataclass(frozen=True)
class Tree:
    name: str
    leaves: tuple[Leaf, ...] = ()
    at: tuple[int, float] | None = None
    by_number: dict[int, list[Leaf]] = field(default_factory=dict)
    child: "Tree | None" = None
    path: Path = Path(".")
    kind: Literal["oak", "elm"] = "oak"
    anything: Any = None


TREE = Tree(
    "oak",
    (Leaf(1.5), Leaf(2)),
    (1, 2.5),
    {7: [Leaf(3.0)]},
    Tree("acorn"),
    Path("/tmp"),
    anything={"x": [1, None]},
)


def test_a_value_comes_back_as_it_was_written() -> None:
    assert structure(Tree, json.loads(json.dumps(asdict(TREE), default=str))) == TREE


def test_a_missing_field_takes_its_default() -> None:
    assert structure(Tree, {"name": "oak"}) == Tree("oak")


def test_a_number_is_kept_as_it_was_written() -> None:
    assert json.dumps(asdict(structure(Leaf, {"size": 5}))) == json.dumps({"size": 5, "colour": "red"})


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (Tree, [], "expected an object, not []"),
        (Tree, {}, "it lacks 'name'"),
        (Tree, {"name": "oak", "age": 3}, "it has an unknown field 'age'"),
        (Tree, {"name": 3}, "name: expected a string, not 3"),
        (
            Tree,
            {"name": "oak", "leaves": [{"size": 1}, {"size": "x"}]},
            "leaves[1].size: expected a number, not 'x'",
        ),
        (Tree, {"name": "oak", "leaves": [{"size": True}]}, "leaves[0].size: expected a number, not True"),
        (
            Tree,
            {"name": "oak", "leaves": [{"size": 1, "colour": "blue"}]},
            "leaves[0].colour: 'blue' is not a valid Colour",
        ),
        (Tree, {"name": "oak", "at": [1]}, "at: expected a list of 2, not [1]"),
        (Tree, {"name": "oak", "by_number": {"7": [{}]}}, "by_number.7[0]: it lacks 'size'"),
        (
            Tree,
            {"name": "oak", "by_number": {"x": []}},
            "by_number.x: invalid literal for int() with base 10: 'x'",
        ),
        (
            Tree,
            {"name": "oak", "child": {"name": "acorn", "kind": "fir"}},
            "child.kind: expected one of 'oak', 'elm', not 'fir'",
        ),
        (list[Leaf], [{"size": None}], "[0].size: expected a number, not None"),
        (dict[str, int], {"a": "x" * 80}, "a: expected an integer, not str"),
    ],
)
def test_an_error_names_the_field(kind: Any, data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        structure(kind, data)


def test_a_type_without_a_form_in_json_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="complex"):
        structure(complex, 1)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("causes", list[Explanation]),
        ("curves", dict[str, CurveRecord]),
        ("demos", dict[str, DemoProof]),
        ("doctor", DoctorRecord),
        ("fleets", FleetsTable),
        ("hazards", dict[str, VerdictTable]),
        ("instructions", InstructionsTable),
        ("poolers", PoolersRecord),
        ("programs", ProgramsTable),
        ("retests", list[NeighbourRow]),
        ("sensitivity", SensitivityRecord),
        ("sensitivity_loaded", SensitivityRecord),
        ("servers", ServerComparison),
        ("verdicts", ReleaseVerdicts),
    ],
)
def test_every_record_is_written_back_as_it_was_read(name: str, kind: Any) -> None:
    # Older records say `struck` for affected.
    written = json.loads(store.path(name).read_text().replace('"struck"', '"affected"'))
    read = structure(kind, written)
    assert differences(written, json.loads(json.dumps(plain(read)))) == []
    assert structure(kind, plain(read)) == read


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [asdict(each) for each in value]
    return {name: asdict(each) for name, each in value.items()} if isinstance(value, dict) else asdict(value)


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Where `new` is not as `old`; it may have further fields, which an older record lacks."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [line for key in old for line in differences(old[key], new.get(key), f"{path}.{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            line
            for n, pair in enumerate(zip(old, new, strict=True))
            for line in differences(*pair, f"{path}[{n}]")
        ]
    return [] if repr(old) == repr(new) else [f"{path}: {old!r} became {new!r}"]
