"""What a shell gets when it asks for completions, in the way of each shell's script."""

import pytest

from harness.cli import complete
from harness.cli.commands import COMMANDS
from harness.hazards import catalogue
from tests.support.command import poolstart


def completed(shell: str, line: str) -> set[str]:
    """What is offered for the last word of a command line."""
    words = line.split(" ")
    environment = {"_POOLSTART_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        environment |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    else:
        environment |= {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    ran = poolstart(**environment)
    assert ran.stderr == ""
    return set(ran.stdout.split())


def test_commands_are_completed() -> None:
    assert completed("bash", "poolstart ") == set(COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_names_are_completed_in_each_shell(shell: str) -> None:
    offered = completed(shell, "poolstart hazards wrong_")
    assert any("wrong_answer" in word for word in offered)
    assert not any("spawn" in word for word in offered)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("poolstart measure --strategy forkserver_", "forkserver_preload"),
        ("poolstart compare 2.0.5", "2.0.58"),
        ("poolstart explain 2.0.58 2.1.", "2.1.0"),
        ("poolstart record sens", "sensitivity"),
        ("poolstart programs granian cel", "celery"),
        ("poolstart demo held", "held_lock"),
        ("poolstart compare 1 2 --vary py", "python"),
    ],
)
def test_an_argument_is_completed_by_what_it_may_be(line: str, name: str) -> None:
    assert name in completed("bash", line)


def test_pages_and_hazards_are_those_that_exist() -> None:
    assert "docs/hazards.md" in complete.pages("docs/")
    assert complete.hazards("") == list(catalogue.IDS)
