"""Exhibits in the terminal: the list of them, a program's source, and its story as it comes."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from harness.console import terminal
from harness.demos import catalogue
from harness.demos import expected as exhibited
from harness.demos import runner as exhibits
from harness.demos.catalogue import START_METHODS, Exhibit
from harness.demos.expected import Proof
from harness.demos.runner import Count, Seen
from harness.hazards.inside.story import StoryEvent


def listed() -> None:
    console = terminal.output()
    for each in catalogue.CATALOGUE:
        ends = ", ".join(f"{method}: {each.expected(method, False)}" for method in START_METHODS)
        console.print(Text.assemble((f"{each.number} {each.name}", "bold"), f" ({ends})"))
        console.print(Padding(Text(f"{each.title}. {each.shows}"), (0, 0, 0, 2)))
    if told := proven():
        console.print()
        terminal.say(console, told)


def proven() -> str:
    """What is on record of how surely they end so; empty where nothing is."""
    told = [
        f"with SQLAlchemy {release} {listing(proof)}, {proof.runs} times of {proof.runs}"
        f"{' with a core kept busy' if proof.busy else ''} ({proof.setting.date})"
        for release, proof in exhibited.load().items()
        if proof.exhibits
    ]
    if not told:
        return ""
    beginning = "Seen to end so and to tell the same story, as it stands and cured, by every start method"
    return f"{beginning}: {'; '.join(told)}."


def listing(proof: Proof) -> str:
    numbers = [str(number) for number in proof.exhibits]
    if len(numbers) == len(catalogue.CATALOGUE):
        return "all of them"
    return " and ".join(filter(None, (", ".join(numbers[:-1]), numbers[-1])))


def source(one: Exhibit) -> None:
    terminal.output().print(exhibits.source(one), end="", soft_wrap=True)


class Story:
    """One run, told as it comes."""

    def __init__(self, one: Exhibit, start_method: str, cured: bool) -> None:
        self._console: Console = terminal.output()
        self._expected = one.expected(start_method, cured)
        title = f"{one.number}. {one.title}"
        self._console.print(
            Text.assemble((title, "bold"), f" ({start_method}{', cured' if cured else ''})\n")
        )
        terminal.say(self._console, f"{one.cure if cured else one.shows}\n")

    def tell(self, event: StoryEvent) -> None:
        self._console.print(Text.assemble((f"{event.who:>6}", "cyan"), f"  {event.what}"), soft_wrap=True)

    def end(self, seen: Seen) -> None:
        self._console.print(f"\nIt ended: {seen.end}, after {seen.seconds:.1f} s.")
        if seen.end is not self._expected:
            self._console.print(f"poolstart: expected was: {self._expected}\n{seen.errors}")


def line(count: Count) -> str:
    return (
        f"{count.exhibit.number} {count.exhibit.name:<16} {count.start_method:<10}"
        f" {'cured' if count.cured else '':<5}"
        f"  as expected {count.agreed} of {count.runs}, the same story {count.alike} of {count.runs}"
    )
