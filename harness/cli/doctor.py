"""`poolstart doctor`: is it my program?"""

import json
import sys
from typing import Annotated

import typer

from harness.doctor import report
from harness.doctor.examine import examine
from harness.doctor.findings import Certainty
from harness.doctor.judge import judge


def doctor(
    pid: Annotated[int, typer.Argument(help="The process to look at, with all its descendants.", min=1)],
    watch: Annotated[float, typer.Option(help="Seconds to watch.", min=0.5)] = 5.0,
    url: Annotated[str, typer.Option(help="The server, to see its sessions. Only looked at.")] = "",
    port: Annotated[
        list[int] | None, typer.Option(help="A port at which a PostgreSQL server or a pooler listens.")
    ] = None,
    stacks: Annotated[
        bool,
        typer.Option("--stacks", help="Read the stacks by py-spy, which stops a process for milliseconds."),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Risks count for the exit status.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")] = False,
) -> None:
    """Find out what is wrong with a running program: shared connections, hangs, orphaned sessions.

    Reads the process and its descendants from outside; nothing is stopped, changed or sent. Linux only.
    Exit status: 0 nothing certain, 1 something certain or proven, 2 it could not be inspected.
    """
    evidence = examine(pid, watch, url=url, ports=port or (), with_stacks=stacks)
    findings = judge(evidence)
    if as_json:
        print(json.dumps(report.data(evidence, findings), indent=2))
    else:
        print("\n".join(report.lines(evidence, findings)))
    counts = [finding.sure or (strict and finding.certainty is Certainty.RISK) for finding in findings]
    sys.exit(1 if any(counts) else 0)
