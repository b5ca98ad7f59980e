"""Demos in the terminal: the list, a program's source, and the story of a run as it comes."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from harness.console import output, terminal
from harness.demos import catalogue, expected, runner
from harness.demos.catalogue import START_METHODS, Demo
from harness.demos.expected import DemoProof
from harness.demos.repeat import DemoRepetition
from harness.demos.runner import DemoRun
from harness.hazards.inside.story import StoryEvent


def write_list(form: str) -> None:
    """Print all demos, and how they end under each start method, as `table`, `json`, `csv` or `markdown`."""
    rows = [
        {
            **{name: getattr(demo, name) for name in ("number", "name", "title", "shows", "cure")},
            **{method: str(demo.expected(method, False)) for method in START_METHODS},
        }
        for demo in catalogue.CATALOGUE
    ]
    output.write(form, rows, show_list)


def show_list() -> None:
    """Print all demos, with how they end under each start method."""
    console = terminal.output()
    for demo in catalogue.CATALOGUE:
        ends = ", ".join(f"{method}: {demo.expected(method, False)}" for method in START_METHODS)
        terminal.print_text(console, Text.assemble((f"{demo.number} {demo.name}", "bold"), f" ({ends})"))
        if isinstance(console, terminal.MarkdownConsole):
            terminal.print_text(console, f"{demo.title}. {demo.shows}")
        else:
            console.print(Padding(Text(f"{demo.title}. {demo.shows}"), (0, 0, 0, 2)))
    if sentence := proven():
        console.print()
        terminal.print_text(console, sentence)


def proven() -> str:
    """A sentence on how often the demos ended as expected, from the record; empty without a record."""
    proofs = [
        f"{listing(proof)} with SQLAlchemy {release} ({proof.runs} of {proof.runs} runs"
        f"{', a core kept busy' if proof.busy else ''}, {proof.provenance.day})"
        for release, proof in expected.load().items()
        if proof.demos
    ]
    if not proofs:
        return ""
    return (
        "On record, every run ended as stated, with the same story, cured or not, by every start method:"
        f" {'; '.join(proofs)}."
    )


def listing(proof: DemoProof) -> str:
    """The numbers of the proven demos, in words."""
    numbers = [str(number) for number in proof.demos]
    if len(numbers) == len(catalogue.CATALOGUE):
        return "all demos"
    return "demo " + numbers[0] if len(numbers) == 1 else f"demos {', '.join(numbers[:-1])} and {numbers[-1]}"


def show_source(demo: Demo) -> None:
    terminal.output().print(runner.source(demo), end="", soft_wrap=True)


class StoryPrinter:
    """Prints the story of one run as it comes."""

    def __init__(self, demo: Demo, start_method: str, cured: bool) -> None:
        self._console: Console = terminal.output()
        self._expected = demo.expected(start_method, cured)
        title = f"{demo.number}. {demo.title}"
        self._console.print(
            Text.assemble((title, "bold"), f" ({start_method}{', cured' if cured else ''})\n")
        )
        terminal.print_text(self._console, f"{demo.cure if cured else demo.shows}\n")

    def event(self, event: StoryEvent) -> None:
        self._console.print(Text.assemble((f"{event.who:>6}", "cyan"), f"  {event.what}"), soft_wrap=True)

    def end(self, run: DemoRun) -> None:
        self._console.print(f"\nIt ended: {run.end}, after {run.seconds:.1f} s.")
        if run.end is not self._expected:
            self._console.print(f"poolstart: expected: {self._expected}\n{run.errors}")


def line(repetition: DemoRepetition) -> str:
    """One program and how often it came out as expected, in columns."""
    return (
        f"{repetition.demo.number} {repetition.demo.name:<16} {repetition.start_method:<10}"
        f" {'cured' if repetition.cured else '':<5}"
        f"  as expected {repetition.as_expected} of {repetition.runs},"
        f" the same story {repetition.same_story} of {repetition.runs}"
    )
