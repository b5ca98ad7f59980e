"""`poolstart doctor`: is it my program?"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.system.errors import PoolstartError


def doctor(
    target: Annotated[
        list[str],
        typer.Argument(metavar="PID | -- COMMAND...", help="A running process, or a command to run."),
    ],
    watch: Annotated[float, typer.Option(help="PID: seconds to watch.", min=0.5)] = 5.0,
    url: Annotated[str, typer.Option(help="The server, to read pg_stat_activity.")] = "",
    port: Annotated[
        list[int] | None, typer.Option(help="PID: a port at which PostgreSQL or a pooler listens.")
    ] = None,
    stacks: Annotated[
        bool,
        typer.Option("--stacks", help="PID: read stacks by py-spy, which stops a process for milliseconds."),
    ] = False,
    guard: Annotated[
        bool,
        typer.Option("--guard", help="COMMAND: in each worker, the use of an inherited connection fails."),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="PID: risks count for the exit status.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="PID: write JSON to standard output.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json-file", help="COMMAND: write JSON to this file.")
    ] = None,
) -> None:
    """Find out what is wrong with your program: shared connections, hangs, lost transactions.

    PID: reads the process and its descendants from outside; nothing is stopped, changed or sent. Exit status:
    0 nothing certain, 1 something certain or proven, 2 it could not be inspected.

    COMMAND: runs it, observes its pools and forks, and reports on standard error when it ends, with its exit
    status. Linux only.
    """
    from harness.doctor import report, run
    from harness.doctor.examine import examine
    from harness.doctor.findings import Certainty
    from harness.doctor.judge import judge
    from harness.system import files

    if len(target) == 1 and target[0].isdigit():
        if guard or json_file:
            raise PoolstartError("--guard and --json-file are for a command", "poolstart doctor -- COMMAND")
        evidence = examine(int(target[0]), watch, url=url, ports=port or (), with_stacks=stacks)
        findings = judge(evidence)
        content = report.data(evidence, findings)
        print(json.dumps(content, indent=2) if as_json else "\n".join(report.lines(evidence, findings)))
        worst = [finding.sure or (strict and finding.certainty is Certainty.RISK) for finding in findings]
        sys.exit(1 if any(worst) else 0)
    if stacks or strict or as_json or port:
        raise PoolstartError("--stacks, --strict, --port and --json are for a PID", "poolstart doctor PID")
    if json_file:
        files.require_writable(json_file)
    observed = run.observe(target, guard=guard, url=url)
    if json_file:
        files.write(json_file, json.dumps(report.observed_data(observed), indent=2) + "\n")
    print("\n".join(["", *report.observed_lines(observed)]), file=sys.stderr)
    sys.exit(observed.status)
