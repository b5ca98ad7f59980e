"""`poolstart doctor`: is it my program? Needs only the standard library, and imports little of it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from harness.system.errors import PoolstartError

SUMMARY = "Find out what is wrong with your program: shared connections, hangs, lost transactions."

DESCRIPTION = f"""{SUMMARY}

PID: reads the process and its descendants from outside; nothing is stopped, changed or sent. Exit status:
0 nothing certain, 1 something certain or proven, 2 it could not be inspected.

COMMAND: runs it, observes its pools and forks, and reports on standard error when it ends, with its exit
status; with --strict it is 1 if the command's is 0 and something was found. Linux only."""

EXAMPLE = "poolstart doctor 4711 --stacks"


class Parser(argparse.ArgumentParser):
    """Reports a mistake in one line, as all commands do."""

    def error(self, message: str) -> NoReturn:
        raise PoolstartError(message, f"see `{self.prog} --help`")


def parser() -> Parser:
    """The options, with their help."""
    found = Parser(
        prog="poolstart doctor",
        usage="poolstart doctor [OPTIONS] PID\n       poolstart doctor [OPTIONS] -- COMMAND ...\n"
        "       poolstart doctor --explain NAME ...",
        description=DESCRIPTION,
        epilog=f"Example: {EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    found.add_argument("target", nargs="*", help=argparse.SUPPRESS)
    outside = found.add_argument_group("with a PID")
    outside.add_argument("--watch", type=_seconds, default=5.0, metavar="SECONDS", help="default: 5")
    outside.add_argument(
        "--port", type=int, action="append", help="a port at which PostgreSQL or a pooler listens"
    )
    outside.add_argument(
        "--stacks", action="store_true", help="read stacks by py-spy, which stops a process for milliseconds"
    )
    outside.add_argument("--json", action="store_true", help="write JSON to standard output")
    inside = found.add_argument_group("with a command")
    inside.add_argument(
        "--guard", action="store_true", help="in each worker, the use of an inherited connection fails"
    )
    inside.add_argument("--json-file", type=Path, metavar="FILE", help="write JSON to this file")
    both = found.add_argument_group("with either")
    both.add_argument("--url", default="", help="the server, to read pg_stat_activity")
    both.add_argument("--strict", action="store_true", help="risks count for the exit status")
    found.add_argument("--explain", nargs="+", metavar="NAME", help="what a finding is about, and its fixes")
    return found


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.5 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.5 and 86400 seconds")
    return seconds


def parse(arguments: Sequence[str]) -> tuple[list[str], argparse.Namespace]:
    """The PID or the command, and the options. Raises `PoolstartError` if they cannot be understood."""
    words = list(arguments)
    # All that follows the first `--` is the command, options included.
    end = words.index("--") if "--" in words else len(words)
    options = parser().parse_args(words[:end])
    return [*options.target, *words[end + 1 :]], options


def run(arguments: Sequence[str]) -> None:
    """Run the command with these arguments, and end with its exit status.

    Raises `PoolstartError` if they mean nothing, if the target cannot be inspected or started, or on another
    system than Linux.
    """
    target, options = parse(arguments)
    if options.explain:
        from harness.doctor import explain

        print("\n\n\n".join("\n".join(explain.lines(name)) for name in options.explain))
        return
    if not target:
        raise PoolstartError("a PID or a command is missing", "see `poolstart doctor --help`")
    if sys.platform != "linux":
        problem = "poolstart doctor reads /proc, which only Linux has"
        raise PoolstartError(problem, "run it in the container of the program")
    sys.exit(_outside(int(target[0]), options) if _is_pid(target) else _inside(target, options))


def _is_pid(target: list[str]) -> bool:
    return len(target) == 1 and target[0].isdigit()


def _outside(pid: int, options: argparse.Namespace) -> int:
    if options.guard or options.json_file:
        raise PoolstartError("--guard and --json-file are for a command", "poolstart doctor -- COMMAND")
    from harness.doctor import report
    from harness.doctor.examine import examine
    from harness.doctor.findings import count
    from harness.doctor.judge.outside import judge

    evidence = examine(
        pid, options.watch, url=options.url, ports=options.port or (), with_stacks=options.stacks
    )
    findings = judge(evidence)
    if options.json:
        import json

        print(json.dumps(report.data(evidence, findings), indent=2))
    else:
        print("\n".join(report.lines(evidence, findings)))
    return int(count(findings, options.strict) > 0)


def _inside(command: list[str], options: argparse.Namespace) -> int:
    if options.stacks or options.json or options.port:
        raise PoolstartError("--stacks, --port and --json are for a PID", "poolstart doctor PID")
    import json

    from harness.doctor import report, run
    from harness.doctor.findings import count
    from harness.system import files

    if file := options.json_file:
        # A name without a suffix would be that of a directory.
        files.require_writable(file if file.suffix else file.with_name(f"{file.name}.json"))
    observed = run.observe(command, guard=options.guard, url=options.url)
    if options.json_file:
        files.write(options.json_file, json.dumps(report.observed_data(observed), indent=2) + "\n")
    print("\n".join(["", *report.observed_lines(observed)]), file=sys.stderr)
    return observed.status or int(options.strict and count(observed.findings, strict=True) > 0)
