"""What the doctor finds of each hazard, and the table of it in docs/doctor.md."""

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
    """Whether it is found only with the server's view."""
    fixed_is_risk: bool = False
    """Whether the fixed program still has the conditions of the hazard."""
    why: str = ""


@cache
def table() -> dict[str, Detected]:
    """By hazard."""
    source = resources.files("harness.doctor") / "detected.toml"
    content = tomllib.loads(source.read_text(encoding="utf-8"))
    return {hazard: structure(Detected, fields) for hazard, fields in content.items()}


def render() -> str:
    """The table, in Markdown."""
    from harness.console import markdown

    rows = [
        [
            f"[{hazard}](hazards.md#{hazard})",
            " or ".join(row.outside) or "-",
            " or ".join(row.command) or "-",
            row.why,
        ]
        for hazard, row in table().items()
    ]
    return markdown.table(["hazard", "`doctor PID`", "`doctor -- COMMAND`", "note"], rows)
