"""The command line, `poolstart`: one module per command."""

import sys

from harness.processes import interrupts

# Before the slow imports, so that Ctrl-C works during them. A test that imports this module keeps its own
# handler.
if sys.argv[0].endswith("/poolstart"):
    interrupts.first_counts()

from harness.system.errors import PoolstartError, no_thread, os_error_hint


def main() -> None:
    """Run a command. An error that the user can fix is printed as one line, with exit status 2."""
    interrupts.first_counts()
    try:
        _run(sys.argv[1:])
    except Exception as error:
        user_error = as_user_error(error)
        if user_error is None:
            raise
        print(f"poolstart: {user_error}", file=sys.stderr)
        sys.exit(2)


def _run(arguments: list[str]) -> None:
    if arguments[:1] == ["doctor"]:
        # It needs only the standard library, and starts several times faster than the other commands.
        from harness.cli import doctor

        doctor.run(arguments[1:])
        return
    try:
        from harness.cli.commands import app
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("harness"):
            raise
        raise PoolstartError(
            f"only `poolstart doctor` works without {error.name}", "pip install 'poolstart[suite]'"
        ) from None
    app()


def as_user_error(error: Exception) -> PoolstartError | None:
    """The error in one line for the user; None if it is a fault of the program."""
    if isinstance(error, PoolstartError):
        return error
    if isinstance(error, OSError):
        return os_error_hint(error)
    if user_error := no_thread(error):
        return user_error
    # asv's own errors for users are lines, too. If asv was not imported, it has not raised any.
    asv = sys.modules.get("asv.util")
    return PoolstartError(str(error)) if asv and isinstance(error, asv.UserError) else None
