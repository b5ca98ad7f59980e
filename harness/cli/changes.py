"""`poolstart changes`: the releases at which a figure changes."""

from harness.cli.options import formatted


@formatted
def changes(form: str = "table") -> None:
    """List the releases at which a figure changed, and the smallest change that would be found.

    A line for each release, then why the instructions of a spawned worker changed. --csv and --json have each
    figure.
    """
    # Most of a second, because of asv and scipy: only this command pays for it.
    from harness.history import changes as history
    from harness.history import report
    from harness.instructions import table

    report.write(history.recorded(counts_required=True), form, table.load())
