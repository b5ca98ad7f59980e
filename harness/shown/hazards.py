"""The page `docs/hazards.md`: made of the hazards' own words and the recorded tables, and nothing else."""

from harness.hazards import catalogue
from harness.hazards.hazard import Figure, Hazard, Outcome, Verdict
from harness.inside.trial.story import Reading
from harness.outside import record
from harness.system import files
from harness.system.environment import ROOT

PATH = ROOT / "docs" / "hazards.md"

INTRODUCTION = """\
# Hazards

Every way in which starting workers goes wrong, reproduced and measured: strategy by hazard, **struck** or
survives. A strategy survives when the state afterwards is right (sessions alive, rows right, transactions
kept, workers back in time, memory shared), not when there was no error.

`poolstart hazards` measures the table, `poolstart hazards NAME` tells the story of one hazard, and
`poolstart hazards --record` writes this page.
"""


def render() -> str:
    hazards = catalogue.load_all()
    parts = [INTRODUCTION]
    for name, table in record.load().items():
        parts.append(f"## SQLAlchemy {name}\n")
        parts.append(f"Measured {table.setting}, by `{record.COMMAND}`.\n")
        parts.append(verdicts(table, hazards))
        if table.repeated:
            parts.append(certainty(table.repeated))
    for hazard in hazards:
        parts.append(section(hazard))
    return "\n".join(parts)


def write() -> None:
    PATH.parent.mkdir(exist_ok=True)
    files.write(PATH, render())


def grid(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def verdicts(table: record.Recorded, hazards: tuple[Hazard, ...]) -> str:
    def cell(outcome: Outcome | None) -> str:
        if outcome is None:
            return ""
        return "**struck**" if outcome.verdict is Verdict.STRUCK else str(outcome.verdict)

    rows = [
        [f"[{hazard.id}](#{hazard.id})", *(cell(table.outcome(hazard.id, name)) for name in table.strategies)]
        for hazard in hazards
    ]
    return grid(["hazard", *table.strategies], rows)


def certainty(repeated: record.Repeated) -> str:
    trials = f"{repeated.trials} of {repeated.trials} trials"
    cores = "core" if repeated.busy == 1 else "cores"
    beside = f", with {repeated.busy} {cores} kept busy by something else" if repeated.busy else ""
    return (
        f"Every one of these verdicts came out the same in {trials}{beside}:"
        f" {repeated.setting}, by `{repeated.command}`.\n"
    )


def section(hazard: Hazard) -> str:
    lines = [
        f'<a id="{hazard.id}"></a>\n',
        f"## {hazard.title} (`{hazard.id}`)\n",
        f"{hazard.description}\n",
        f"> {hazard.symptom}\n",
        f"**Struck when:** {hazard.struck_when}\n",
        f"**Instead:** {hazard.avoidance}\n",
        f"**Controls:** `{hazard.struck_control}` must be struck, `{hazard.survives_control}` survive.\n",
    ]
    newest = next(iter(record.load().values()), None)
    if newest and hazard.figures:
        rows = []
        for figure in hazard.figures:
            readings = [reading(figure, newest.outcome(hazard.id, name)) for name in newest.strategies]
            rows.append([figure.title, *(shown(figure, each) for each in readings)])
            rates = newest.repeated.rates.get(figure.id) if newest.repeated else None
            if newest.repeated and rates:
                title = f"{figure.title}; the {newest.repeated.trials} trials together"
                rows.append([title, *(shown(figure, rates.get(name)) for name in newest.strategies)])
        lines.append(f"Measured with SQLAlchemy {newest.setting.release}:\n")
        lines.append(grid([hazard.id, *newest.strategies], rows))
    story = newest.outcome(hazard.id, hazard.struck_control) if newest else None
    if story:
        lines.append(f"What happened to `{hazard.struck_control}`:\n")
        lines.append("".join(f"- *{event.who}*: {event.what}\n" for event in story.story))
    lines.append("See also:\n")
    lines.append("".join(f"- <{link}>\n" for link in hazard.links))
    return "\n".join(lines)


def reading(figure: Figure, outcome: Outcome | None) -> Reading | None:
    return outcome.readings.get(figure.id) if outcome else None


def shown(figure: Figure, reading: Reading | None) -> str:
    """A reading with its unit, and a fraction with its number of trials; nothing without one."""
    if reading is None:
        return ""
    match figure.unit:
        case "fraction":
            assert reading.trials is not None
            return f"{round(reading.value * reading.trials)} of {reading.trials}"
        case "bytes":
            return f"{reading.value / 2**20:.1f} MiB"
        case "seconds":
            return f"{reading.value:.3f} s"
        case _:
            return f"{reading.value:g}"
