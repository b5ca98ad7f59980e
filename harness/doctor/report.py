"""Findings for the terminal, and as data."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from harness.doctor.evidence import tree
from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.findings import Finding
from harness.doctor.run import Observed

INDENT = "  "
WIDTH = 79
SCREEN = 19
"""Lines of findings that fit on a screen. If there are more, each finding is shown in fewer lines."""

DETAILS = re.compile(r"; engine made at .*| \(\w+\.py:[^)]*\)")
"""What is left out of evidence then."""

SHORT = 2
"""Lines of evidence that are shown of each then."""


def lines(evidence: TreeEvidence, findings: Sequence[Finding]) -> list[str]:
    """The report: the findings, and what was inspected."""
    return [*_findings(findings), *_inspected(evidence), *_lines_of_code(findings)]


def _lines_of_code(findings: Sequence[Finding]) -> list[str]:
    """How to get what a look from outside cannot have: the lines of the program."""
    if not any(finding.sure for finding in findings):
        return []
    return ["For the lines in your code, start it by: poolstart doctor -- COMMAND"]


def observed_lines(observed: Observed) -> list[str]:
    """The report on a command that was run."""
    processes = _count(observed.processes, "Python process", "es")
    forks, looks = _count(observed.forks, "fork"), _count(observed.looks, "look")
    return [
        *_findings(observed.findings),
        *_wrapped(f"Observed: {processes} with a driver, {forks}, {looks} from outside."),
        *_first(list(observed.first_uses.values())),
        *(line for note in observed.notes for line in _wrapped(f"Not inspected: {note}.")),
    ]


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


def _first(seconds: Sequence[float]) -> list[str]:
    """What users of a worker wait for."""
    if not seconds:
        return []
    span = " to ".join(f"{each:.2f}" for each in sorted({min(seconds), max(seconds)}))
    return [f"A worker's first use of a connection was over {span} s after its fork."]


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """The findings, each in a few lines: three fit on a screen."""
    found = _finding_lines(findings, short=False)
    return found if len(found) <= SCREEN else _finding_lines(findings, short=True)


def _finding_lines(findings: Sequence[Finding], short: bool) -> list[str]:
    found: list[str] = []
    fixes: dict[str, str] = {}
    for finding in findings:
        sentence = f"{finding.hazard}  {finding.certainty}: {finding.sentence}"
        if short:
            found += _wrapped(f"{sentence}. {finding.consequence}", INDENT)
            evidence = dict.fromkeys(DETAILS.sub("", " ".join(each.split())) for each in finding.evidence)
            found += _wrapped("; ".join(evidence), INDENT, INDENT)[:SHORT]
        else:
            found += _wrapped(sentence, "    ")
            for each in finding.evidence:
                found += _wrapped(each, INDENT + " " * 12, INDENT)
            found += _wrapped(f"otherwise   {finding.consequence}", INDENT + " " * 12, INDENT)
        fix = finding.fix.splitlines() if finding.fix not in fixes else [f"as for {fixes[finding.fix]}"]
        fixes.setdefault(finding.fix, finding.hazard)
        for number, line in enumerate(filter(None, fix) if short else fix):
            found.append(f"{INDENT}{'fix         ' if not number else ' ' * 12}{line}".rstrip())
        if not short:
            found.append("")
    if findings:
        more = dict.fromkeys(each.hazard for each in findings)
        found += _wrapped(f"More: poolstart doctor --explain {' '.join(more)}")
    return found


def _wrapped(text: str, later: str = "", first: str = "") -> list[str]:
    return (
        textwrap.wrap(
            text,
            WIDTH,
            initial_indent=first,
            subsequent_indent=later,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if len(first + text) > WIDTH
        else [first + text]
    )


def _findings(findings: Sequence[Finding]) -> list[str]:
    return finding_lines(findings) or [
        "Nothing found. Finding nothing is no proof: what did not happen was not seen."
    ]


def _inspected(evidence: TreeEvidence) -> list[str]:
    processes = _count(len(evidence.processes), "process", "es")
    connections, shared = _count(len(evidence.connections), "connection"), len(evidence.uses)
    return [
        *_wrapped(
            f"Inspected: {processes}, {connections} to PostgreSQL"
            f"{f' ({shared} held by several processes)' if shared else ''}, for {evidence.watched:g} s."
        ),
        *_sessions(evidence),
        *_copied(evidence),
        *(line for note in evidence.notes for line in _wrapped(f"Not inspected: {note}.")),
    ]


def _sessions(evidence: TreeEvidence) -> list[str]:
    """The sessions of each process, if the server was asked."""
    view = evidence.server
    if not view:
        return []
    each = "; ".join(
        f"{len(states)} of process {pid} ({', '.join(sorted(states))})"
        for pid, states in evidence.sessions().items()
    )
    return _wrapped(
        f"Sessions: {each or 'none'}. The server has {len(view.sessions)}"
        f"{f', and accepts {view.max_connections}' if view.max_connections else ''}."
    )


def _copied(evidence: TreeEvidence) -> list[str]:
    """Inherited memory that workers have copied while they were watched, from 1 MiB on."""
    copied = {pid: size / 2**20 for pid, size in evidence.copied().items() if size >= 2**20}
    if not copied:
        return []
    each = ", ".join(f"{size:.0f} MiB by process {pid}" for pid, size in copied.items())
    return _wrapped(f"Inherited memory that was copied meanwhile: {each}.")


def data(evidence: TreeEvidence, findings: Sequence[Finding]) -> dict[str, Any]:
    """Findings and what was inspected, for JSON."""
    return {
        "findings": [asdict(finding) for finding in findings],
        "inspected": {
            "root": evidence.root,
            "processes": [
                {"pid": process.pid, "ppid": process.ppid, "command": tree.shown(process.command)}
                for process in evidence.processes.values()
            ],
            "connections": len(evidence.connections),
            "held_by_several": len(evidence.uses),
            "sessions": evidence.sessions(),
            "copied_bytes": evidence.copied(),
            "seconds": evidence.watched,
        },
        "not_inspected": list(evidence.notes),
    }


def observed_data(observed: Observed) -> dict[str, Any]:
    """Findings and what was observed, for JSON."""
    return asdict(observed)
