"""The help is in a newcomer's order, each command has an example, and asking for it imports little."""

import platform
import re
import subprocess
import sys
from importlib import metadata

import pytest
from typer.testing import CliRunner

from harness.cli.commands import COMMANDS, app


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return re.sub(r"\x1b\[[0-9;]*m", "", result.output)


def test_commands_are_listed_in_the_order_of_need() -> None:
    help_text = shown()
    listed = [name for name in re.findall(r"^│ (\w+) ", help_text, re.MULTILINE) if name in COMMANDS]
    assert listed == list(COMMANDS)
    assert listed[:3] == ["doctor", "measure", "hazards"]


def test_every_command_has_an_example_that_it_understands() -> None:
    for name in COMMANDS:
        example = re.search(rf"Example: (poolstart {name}\b.*)", shown(name))
        assert example, name
        # With `--help` appended, the example is parsed up to there: its subcommand exists.
        _, *words = example[1].split()
        assert shown(*words)


@pytest.mark.parametrize("words", [[], ["measure"], ["releases", "update"]])
def test_h_is_help_everywhere(words: list[str]) -> None:
    short = CliRunner().invoke(app, [*words, "-h"], env={"COLUMNS": "200"})
    assert (short.exit_code, re.sub(r"\x1b\[[0-9;]*m", "", short.output)) == (0, shown(*words))


def test_the_version_is_shown_with_those_of_what_is_measured() -> None:
    result = CliRunner().invoke(app, ["--version"])
    versions = (metadata.version("poolstart"), metadata.version("sqlalchemy"), platform.python_version())
    assert result.output == "poolstart {} (SQLAlchemy {}, Python {})\n".format(*versions)


def test_asking_for_help_imports_nothing_heavy() -> None:
    heavy = (
        "sqlalchemy",
        "scipy",
        "numpy",
        "pandas",
        "asv",
        "psycopg2",
        "harness.console",
        "harness.lifecycles",
    )
    program = f"""
import sys
sys.argv = ["poolstart", "--help"]
try:
    from harness.cli import main
    main()
except SystemExit:
    pass
print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert ran.stderr == "[]\n"
