"""What the doctor finds of each hazard."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from harness.system.structure import structure


@dataclass(frozen=True)
class Detected:
    """An entry of detected.toml."""

    victims: tuple[str, ...] = ()
    """Programs of the tests that have it."""
    outside: tuple[str, ...] = ()
    """The certainties with which it is found at a PID; empty if it is not."""
    command: tuple[str, ...] = ()
    """The same for a command that the doctor runs."""
    outside_as: str = ""
    """The hazard as which it is reported, if that is another one."""
    command_as: str = ""
    url: bool = False
    """Whether it is found at a PID with the server's view only."""
    fixed_is_risk: bool = False
    """Whether the fixed program still has the conditions of the hazard."""
    why: str = ""


def table() -> dict[str, Detected]:
    """By hazard."""
    return _read()["hazard"]


def lookalikes() -> dict[str, Detected]:
    """The same for problems with the messages of hazards and another cause."""
    return _read()["lookalike"]


def rows() -> dict[str, Detected]:
    """Both."""
    return {**table(), **lookalikes()}


@cache
def _read() -> dict[str, dict[str, Detected]]:
    source = resources.files("harness.doctor") / "detected.toml"
    content = tomllib.loads(source.read_text(encoding="utf-8"))
    alike = content.pop("lookalike")
    return {
        "hazard": {name: structure(Detected, fields) for name, fields in content.items()},
        "lookalike": {name: structure(Detected, fields) for name, fields in alike.items()},
    }
