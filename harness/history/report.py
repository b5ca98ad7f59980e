"""Steps in the terminal: what happened in which release, and how small a change would be seen."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from harness.console import numbers, terminal
from harness.history.detect import Floor, Step, Verdicts

K = TypeVar("K", bound=Hashable)


def tell(verdicts: Verdicts, least_releases: int, *, candidates: bool) -> None:
    """Real steps, a line a release and figure; candidates each with the reason of its doubt; floors."""
    console = terminal.output()
    for place, found in grouped(verdicts.steps, place_of).items():
        steps = grouped(found, lambda step: (step.release, step.key.metric))
        terminal.show(
            console,
            ["release", "figure", "cells", "confirmed", "change", "largest"],
            [summed(release, metric, some) for (release, metric), some in steps.items()],
            title=f"Real steps: {place}",
            left=3,
            keys=2,
        )
        console.print()
    if not verdicts.steps:
        terminal.say(console, "Real steps: none")
    if verdicts.slight:
        count = len(verdicts.slight)
        terminal.say(console, f"{count} changes of less than 1 % of what repeats exactly are left out.")
    if candidates:
        for place, found in grouped(verdicts.candidates, place_of).items():
            terminal.say(console, f"Candidates: {place}")
            terminal.listed(console, [(step.release, doubted(step)) for step in found])
            console.print()
    elif verdicts.candidates:
        terminal.say(console, f"{len(verdicts.candidates)} candidates more: --candidates shows them.\n")
    if verdicts.floors:
        terminal.show(
            console,
            ["figure", "steadiest cell", "least steady cell"],
            list(floors(verdicts.floors)),
            title="The smallest change that would be found",
            left=3,
        )
    else:
        terminal.say(
            console,
            f"No series has {least_releases} releases, without which it cannot tell its noise: "
            "measure them by `poolstart history`",
        )


def place_of(step: Step) -> str:
    """Machine and environment: series of different ones are never mixed."""
    return f"{step.key.machine}, {step.key.environment}"


def grouped(found: Iterable[Step], by: Callable[[Step], K]) -> dict[K, list[Step]]:
    groups: dict[K, list[Step]] = {}
    for step in found:
        groups.setdefault(by(step), []).append(step)
    return groups


def summed(release: str, metric: str, found: Sequence[Step]) -> list[terminal.Cell]:
    """One figure in one release: in how many cells it moved, by how much, and where by most."""
    ratios = sorted(step.ratio - 1 for step in found)
    most = max(found, key=lambda step: abs(step.ratio - 1))
    change = f"{ratios[0]:+.1%}"
    if f"{ratios[-1]:+.1%}" != change:
        change += f" to {ratios[-1]:+.1%}"
    largest = f"{sizes(most)} {most.key.cell}"
    return [release, metric, str(len(found)), confirmed(found), change, largest]


def confirmed(found: Sequence[Step]) -> str:
    """Of how many cells measuring both releases again, in turns, said the same; nothing where nobody did."""
    told = [step.again for step in found if step.again]
    return str(sum(one.startswith("confirmed") for one in told)) if told else ""


def sizes(step: Step) -> str:
    unit, factor = numbers.display_unit(step.unit)
    return f"{step.before * factor:.4g} -> {step.after * factor:.4g} {unit}"


def doubted(step: Step) -> str:
    told = "; ".join(filter(None, (step.doubt, step.again)))
    return f"{step.key.metric} ({step.key.cell}) {step.ratio - 1:+.1%}, {sizes(step)}: {told}"


def floors(found: Sequence[Floor]) -> Iterable[list[terminal.Cell]]:
    """Of each metric the least and the most, over its cells."""
    by_metric: dict[str, list[tuple[float, str]]] = {}
    for floor in found:
        by_metric.setdefault(floor.key.metric, []).append((floor.change, floor.key.cell))
    for metric, cells in sorted(by_metric.items()):
        (low, steady), (high, unsteady) = min(cells), max(cells)
        yield [metric, f"{low:.1%} {steady}", f"{high:.1%} {unsteady}"]
