"""The results of a search, in the terminal."""

from textwrap import indent

from rich.console import Console

from harness.console import markdown, terminal
from harness.fixes import EVERY_ENGINE, Fix
from harness.hazards import catalogue, expected
from harness.lookalikes import catalogue as lookalikes
from harness.programs import head
from harness.search import search, stacks


def show(text: str) -> None:
    """Print the first observations to make, then the pages for a message, a stack or words.

    The first page is shown with the code of its fixes.
    """
    console = terminal.output()
    show_first_look(console)
    found = search.rank(search.on_record(), text)
    if not found.entries:
        terminal.print_text(console, "No exact match: paste the last line of a traceback, or a stack.")
    elif not found.exact:
        terminal.print_text(console, "No exact match. About the same words:")
    for entry in found.to_exclude:
        terminal.print_text(console, described(entry))
    if found.to_exclude:
        terminal.print_text(console, "Otherwise:")
    for number, entry in enumerate(entry for entry in found.entries if entry not in found.to_exclude):
        terminal.print_text(console, described(entry))
        if number == 0:
            show_fixes(console, entry)


def show_first_look(console: Console) -> None:
    """Print the observations to make first, each with the page that it leads to."""
    terminal.print_text(console, "Is it this problem at all? First look:")
    terminal.print_pairs(
        console,
        ((f"  {each.entry.partition('.')[2]}", markdown.plain(each.look)) for each in lookalikes.FIRST_LOOK),
    )
    console.print()


def described(entry: str) -> str:
    """An entry in a line: its title, and what to do or where to read on."""
    kind, _, name = entry.partition(".")
    match kind:
        case "hazard":
            hazard = catalogue.load(name)
            return f"{name}: {hazard.title}. {hazard.avoidance}"
        case "lookalike":
            lookalike = lookalikes.load(name)
            return f"{name}: {lookalike.title}, if {lookalike.look_at}. {lookalike.avoidance}"
        case "program":
            program = head.get(name)
            line = f"{program.title}: poolstart programs {name}, or docs/programs.md. {program.besides}"
            return markdown.plain(line).strip()
        case _:
            waiting = "".join(
                f"\n  {', called in '.join(stack.lines)}: {stack.hazard}"
                for stack in stacks.recorded(expected.load())
                if stack.lines
            )
            return f"A worker that hangs: py-spy dump --pid PID shows where. In recorded trials:{waiting}"


def show_fixes(console: Console, entry: str) -> None:
    """Print the code that fixes an entry's problem."""
    for fix in fixes(entry):
        terminal.print_text(console, f"  {fix.title}:")
        console.print(indent(fix.code, "    "), soft_wrap=True)


def fixes(entry: str) -> tuple[Fix, ...]:
    """The fixes of an entry; for a program its hook, for one engine and for all."""
    kind, _, name = entry.partition(".")
    match kind:
        case "hazard":
            return catalogue.load(name).fixes
        case "lookalike":
            return lookalikes.load(name).fixes
        case "program":
            hook = head.get(name).hook
            return (Fix("Lines to add", hook), EVERY_ENGINE) if hook else ()
        case _:
            return ()
