"""The tables of docs/doctor.md: what is found of each hazard, how reliably, and false alarms."""

from collections.abc import Iterable, Sequence

from harness.console import markdown
from harness.doctor import detected
from harness.doctor.detected import Detected
from harness.doctor.proof import frameworks, record
from harness.doctor.proof.record import DoctorRecord, LookFigures, VictimFigures
from harness.records.provenance import measured_later


def render() -> str:
    """All of it, in Markdown, from the record."""
    return text(record.load())


def text(proof: DoctorRecord | None) -> str:
    """The same from a record; without one, what is to be found."""
    rows = proof.rows if proof else ()
    return "\n".join(filter(None, (_hazards(rows), _frameworks(rows), _healthy(proof) if proof else "")))


def _hazards(rows: Sequence[VictimFigures]) -> str:
    """A row for each hazard and look-alike."""
    return markdown.table(
        ["hazard", "`doctor PID`", "`doctor -- COMMAND`", "note"],
        [
            [
                _link(name),
                _found(rows, row, "outside"),
                _found(rows, row, "command"),
                row.why,
            ]
            for name, row in detected.rows().items()
        ],
    )


def _found(rows: Iterable[VictimFigures], row: Detected, way: str) -> str:
    """`proven, 40 of 40`: with which certainty, and how often, its broken programs were found."""
    certainties: Sequence[str] = getattr(row, way)
    looks = [
        look
        for each in rows
        if each.variant == "broken" and each.victim in row.victims and (look := getattr(each, way))
    ]
    return ", ".join(filter(None, (" or ".join(certainties), _share(looks)))) if certainties else "-"


def _share(looks: Iterable[LookFigures]) -> str:
    runs, right = 0, 0
    for look in looks:
        runs, right = runs + look.runs, right + look.as_expected
    return f"{right} of {runs}" if runs else ""


def _frameworks(rows: Sequence[VictimFigures]) -> str:
    found = [row for row in rows if row.victim in frameworks.FOUND]
    if not found:
        return ""
    introduction = (
        "Programs that start workers, and in how many runs each was found or, with hazard *none*, rightly not"
        " accused:\n\n"
    )
    return introduction + markdown.table(
        ["program", "hazard", "as written, `doctor PID`", "`doctor -- COMMAND`", "fixed, not accused"],
        [
            [
                f"`{broken.victim}`",
                _link(broken.hazard),
                _share([broken.outside] if broken.outside else []),
                _share([broken.command] if broken.command else []),
                _share(way for row in found if row.victim == broken.victim and row.right for way in row.ways),
            ]
            for broken in found
            if broken.variant == "broken"
        ],
    )


def _link(hazard: str) -> str:
    page = "lookalikes" if hazard in detected.lookalikes() else "hazards"
    return f"[{hazard}]({page}.md#{hazard})" if hazard else "none"


def _healthy(proof: DoctorRecord) -> str:
    """False alarms, and when all of it was measured."""
    right = [row for row in proof.rows if row.right]
    looks = [way for row in right for way in row.ways]
    runs, accused = sum(look.runs for look in looks), sum(look.accused for look in looks)
    missed = [
        f"`{row.victim}`: {_share([way])} {'at a PID' if way is row.outside else 'as a command'}"
        for row in proof.rows
        for way in row.ways
        if way.as_expected < way.runs
    ]
    busy = f"while {proof.busy} processor{'s were' if proof.busy > 1 else ' was'} kept busy"
    others = f" Not as expected: {'; '.join(missed)}." if missed else ""
    return (
        f"False alarms: {accused} of {runs:,} looks at {len(right)} programs, fixed or healthy, found"
        f" anything certain or proven.{others} Each was run"
        f" {min(row.runs for row in proof.rows)} times or more in each way, several at a time,"
        f" {busy if proof.busy else 'with no processor kept busy'}: measured {proof.provenance}"
        f"{proof.provenance.by}.{measured_later(proof.later)}\n"
    )
