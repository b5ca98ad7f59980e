"""The commands and options of earlier versions: each names its replacement."""

from collections.abc import Sequence

from harness.system.errors import PoolstartError

COMMANDS = {
    "claims": "`poolstart pages docs/claims.md`",
    "exact": "`poolstart explain RELEASE`",
    "exhibit": "`poolstart demo`",
    "history": "`poolstart record history`",
    "noise": "`poolstart record sensitivity`",
    "pools": "`poolstart programs pool`, and `poolstart record pools`",
    "steps": "`poolstart changes`, and `poolstart record changes`",
    "verdicts": "`poolstart record verdicts`",
}
"""By the old name: what replaces the command."""

PROGRAMS = ("celery", "dask", "executor", "gunicorn", "joblib", "rq", "uwsgi", "uwsgi_lazy")

OPTIONS = {
    ("results", "--write"): "`poolstart pages`",
    ("strategies", "--write"): "`poolstart pages docs/strategies.md`",
    ("hazards", "--page"): "`poolstart pages docs/hazards.md`",
    ("hazards", "--record"): "`poolstart record hazards`",
    ("programs", "--record"): "`poolstart record programs`",
    ("explain", "--record"): "`poolstart record causes`",
    ("explain", "--steps"): "`poolstart record causes`",
    ("record", "retests"): "`poolstart record changes`",
    ("changes", "--half"): "`poolstart changes`",
    ("changes", "--candidates"): "`poolstart changes`",
    ("postgres", "compare"): "`poolstart record servers`",
    ("postgres", "report"): "`poolstart pages docs/servers.md`",
    **{("measure", name): f"`poolstart programs {name}`" for name in PROGRAMS},
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
