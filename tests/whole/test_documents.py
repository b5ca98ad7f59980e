"""Every command line that documents and the quick answer show is accepted, and every link leads somewhere."""

import re
import shlex
from pathlib import Path
from typing import Any

import typer

from harness.answer import quick_report
from harness.cli import doctor
from harness.cli.commands import app
from harness.system.environment import ROOT

DOCUMENTS = [
    *(path for path in sorted(ROOT.glob("*.md")) if path.name != "CHANGELOG.md"),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    ROOT / ".ci" / "run",
    ROOT / ".ci" / "track",
]

OLD = re.compile(r"\bby `[^`]+`")
"""Command lines with which a record was measured, which may be former ones."""

COMMAND_LINE = re.compile(r"(?:(?<=`)|(?<=uv run )|(?<=polars )|^ {4})poolstart\b[^`\n]*", re.MULTILINE)

END = re.compile(r"(?:^|\s)(?:#|&&|\||>|</|;|2>).*|;.*|'.*")
"""Where a command line ends: at a comment, a redirection, or another command."""


def command_lines(path: Path) -> list[str]:
    text = OLD.sub("", path.read_text())
    found = (END.sub("", line).strip() for line in COMMAND_LINE.findall(text))
    return sorted({line for line in found if "..." not in line})


def parse(line: str) -> None:
    """Commands, options and numbers of arguments are parsed, and nothing is executed."""
    command: Any = typer.main.get_command(app)
    context = command.context_class(command)
    _, *words = shlex.split(line)
    if words[:1] == ["doctor"]:
        doctor.parse(words[1:])
        return
    while hasattr(command, "resolve_command") and words:
        _, command, words = command.resolve_command(context, words)
        context = command.context_class(command)
    command.make_parser(context).parse_args(words)


def test_each_command_line_is_understood() -> None:
    lines = {path.name: command_lines(path) for path in DOCUMENTS}
    shown = [command for command, _ in quick_report.NEXT_COMMANDS]
    lines["the quick answer"] = [command for command in shown if "--help" not in command]
    refused = []
    for name, line in [(document, each) for document, found in lines.items() for each in found]:
        try:
            parse(line)
        except (Exception, SystemExit) as error:
            refused.append((name, line, error))
    assert refused == []
    assert all(lines[name] for name in ("README.md", "CONTRIBUTING.md", "track.md", "track"))


LINK = re.compile(r"\]\(([^)\s]+)\)")

MARKDOWN = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def test_each_link_to_a_file_leads_to_it_and_to_a_place_in_it() -> None:
    for path, link in [(page, each) for page in MARKDOWN for each in LINK.findall(page.read_text())]:
        if not re.match(r"https?:", link):
            name, _, anchor = link.partition("#")
            target = path.parent / name if name else path
            assert target.exists(), (path, link)
            assert not anchor or f'<a id="{anchor}">' in target.read_text(), (path, link)
