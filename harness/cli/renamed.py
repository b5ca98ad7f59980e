"""The commands and options of earlier versions: each names its replacement."""

from collections.abc import Sequence

from harness.system.errors import PoolstartError

COMMANDS = {
    "claims": "docs/claims.md, written by `poolstart pages`",
}
"""By the old name: what replaces the command."""

OPTIONS = {
    ("results", "--write"): "`poolstart pages`",
    ("strategies", "--write"): "`poolstart pages docs/strategies.md`",
    ("hazards", "--page"): "`poolstart pages docs/hazards.md`",
    ("postgres", "--page"): "`poolstart pages docs/servers.md`",
}
"""By command, and an option, subcommand or argument that it no longer has."""


def check(arguments: Sequence[str]) -> None:
    """Raises PoolstartError if a command line, without the program's name, uses anything that was renamed."""
    if not arguments:
        return
    command, *rest = arguments
    if command in COMMANDS:
        raise PoolstartError(f"`poolstart {command}` is replaced by {COMMANDS[command]}")
    for argument in rest:
        name = argument.partition("=")[0] if argument.startswith("--") else argument
        if replacement := OPTIONS.get((command, name)):
            raise PoolstartError(f"`poolstart {command} {name}` is replaced by {replacement}")
