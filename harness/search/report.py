"""What a search found, in the terminal."""

from harness.console import terminal
from harness.hazards import catalogue, expected
from harness.programs import head
from harness.search import search, stacks


def show(text: str) -> None:
    """Print the pages that a message, a stack or words lead to, the likeliest first."""
    console = terminal.output()
    found = search.rank(search.on_record(), text)
    if not found.entries:
        terminal.print_text(console, "No exact match: paste the last line of a traceback, or a stack.")
    elif not found.exact:
        terminal.print_text(console, "No exact match. About the same words:")
    for entry in found.entries:
        terminal.print_text(console, described(entry))


def described(entry: str) -> str:
    """An entry in a line: what it is, and what to do or where to read on."""
    kind, _, name = entry.partition(".")
    match kind:
        case "hazard":
            hazard = catalogue.load(name)
            return f"{name}: {hazard.title}. {hazard.avoidance}"
        case "program":
            return f"{head.get(name).title.replace('`', '')}: poolstart programs {name}, or docs/programs.md"
        case _:
            waiting = "".join(
                f"\n  {', called in '.join(stack.lines)}: {stack.hazard}"
                for stack in stacks.recorded(expected.load())
                if stack.lines
            )
            return f"A worker that hangs: py-spy dump --pid PID shows where. In recorded trials:{waiting}"
