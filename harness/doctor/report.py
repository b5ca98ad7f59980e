"""Findings for the terminal, and as data."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from harness.doctor.detected import table
from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.findings import Finding
from harness.doctor.run import Observed

INDENT = "  "


def lines(evidence: TreeEvidence, findings: Sequence[Finding]) -> list[str]:
    """The report: the findings, and what was inspected."""
    return [*_findings(findings), *_inspected(evidence)]


def observed_lines(observed: Observed) -> list[str]:
    """The report on a command that was run."""
    return [
        *_findings(observed.findings),
        f"Observed: {observed.processes} Python processes with SQLAlchemy, {observed.forks} forks, and"
        f" {observed.looks} looks from outside. Not observed: connections opened without SQLAlchemy.",
        *(f"Not inspected: {note}." for note in observed.notes),
    ]


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """The findings, each in a few lines."""
    return [line for finding in findings for line in _finding(finding)]


def _findings(findings: Sequence[Finding]) -> list[str]:
    return finding_lines(findings) or [
        "Nothing found. Finding nothing is no proof: what did not happen was not seen."
    ]


def _finding(finding: Finding) -> list[str]:
    fix = finding.fix.splitlines()
    return [
        f"{finding.hazard}  {finding.certainty}: {finding.sentence}",
        *(f"{INDENT}{line}" for line in finding.evidence),
        f"{INDENT}otherwise   {finding.consequence}",
        *(f"{INDENT}{'fix         ' if not number else ' ' * 12}{line}" for number, line in enumerate(fix)),
        *_more(finding),
        "",
    ]


def _more(finding: Finding) -> list[str]:
    return [f"{INDENT}more        poolstart hazards {finding.hazard}"] if finding.hazard in table() else []


def _inspected(evidence: TreeEvidence) -> list[str]:
    count = len(evidence.processes)
    shared = len(evidence.uses)
    processes = "1 process" if count == 1 else f"{count} processes"
    connections = len(evidence.connections)
    text = [
        f"Inspected: {processes}, {connections} connection{'' if connections == 1 else 's'} to PostgreSQL"
        f"{f' ({shared} held by several processes)' if shared else ''}, for {evidence.watched:g} s."
    ]
    text += [f"Not inspected: {note}." for note in evidence.notes]
    return text


def data(evidence: TreeEvidence, findings: Sequence[Finding]) -> dict[str, Any]:
    """Findings and what was inspected, for JSON."""
    return {
        "findings": [asdict(finding) for finding in findings],
        "inspected": {
            "root": evidence.root,
            "processes": [
                {"pid": process.pid, "ppid": process.ppid, "command": process.command}
                for process in evidence.processes.values()
            ],
            "connections": len(evidence.connections),
            "held_by_several": len(evidence.uses),
            "seconds": evidence.watched,
        },
        "not_inspected": list(evidence.notes),
    }


def observed_data(observed: Observed) -> dict[str, Any]:
    """Findings and what was observed, for JSON."""
    return asdict(observed)
