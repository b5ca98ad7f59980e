"""What a probe must prove before it counts."""

from harness.counts.messages import ProbeReport
from harness.lifecycles.checks import start_method_used
from harness.strategies import Strategy


def problem(strategy: Strategy, probe: str, mark: str, parent: int, report: ProbeReport) -> str:
    """What is wrong with the report of a probe; empty if it counts.

    `mark` is the random text that a forked worker inherits, `parent` the process id of its parent.
    """
    if report["outcome"] != "done" or report["exitcode"] != 0:
        return f"the worker {report['outcome']}, exit status {report.get('exitcode')}"
    if probe == "bare":
        return ""
    start_method = start_method_used(
        has_parents_memory=report["mark"] == mark, is_parents_child=report["ppid"] == parent
    )
    if start_method != strategy.start_method:
        return f"the worker was started by {start_method}"
    if [token for token, _ in report["rows"]] != [probe, probe]:
        return "the worker returned other rows than its own"
    return ""
