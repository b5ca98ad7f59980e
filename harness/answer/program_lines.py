"""What to add to a program against a hazard: the hook of each program, from the file that is measured."""

from dataclasses import dataclass

from harness import strategies
from harness.answer import code, recommendation
from harness.answer.verdicts import VerdictsOnRecord
from harness.hazards.hazard import Hazard, Verdict
from harness.programs import head

POOL = "multiprocessing.Pool"


@dataclass(frozen=True)
class ProgramLines:
    """The lines for one program."""

    name: str
    """Of the program's file; empty for multiprocessing."""
    title: str
    lines: str
    """Code; empty if the program needs none."""


def for_hazard(recorded: VerdictsOnRecord, hazard: Hazard) -> tuple[str, list[ProgramLines]]:
    """How far the lines help against a hazard, and the lines of each program, multiprocessing first.

    No lines if the hazard has another cause than inherited connections: they would be no cure.
    """
    if has_another_cause(recorded, hazard):
        return effect(recorded, hazard), []
    surviving = cure(recorded, hazard)
    pool = code.pool(strategies.get(surviving or recommendation.FORKED))
    programs = [head.get(name) for name in head.names()]
    return effect(recorded, hazard), [
        ProgramLines("", POOL, pool),
        *(ProgramLines(program.name, program.title, program.hook) for program in programs),
    ]


def fix(recorded: VerdictsOnRecord, hazard: Hazard) -> tuple[str, str]:
    """What to do against a hazard in a sentence or two, and the code of a `multiprocessing.Pool`."""
    sentence, (pool, *_) = for_hazard(recorded, hazard)
    return sentence, pool.lines


def effect(recorded: VerdictsOnRecord, hazard: Hazard) -> str:
    """How far connections of their own help forked workers against a hazard: a sentence or two."""
    trial = recorded.trial(hazard.id, recommendation.FORKED)
    forked = trial.verdict if trial else None
    besides = hazard.condition.sentence if hazard.condition else hazard.avoidance
    if trial is None:
        return f"These lines give each worker connections of its own. Besides: {besides}"
    if forked == Verdict.AFFECTED:
        return (
            "These lines give each worker connections of its own. That is needed, but does not prevent this"
            f" failure. What does: {besides}"
        )
    if has_another_cause(recorded, hazard):
        return (
            "Connections of its own for each worker do not prevent this failure: it has another cause. What"
            f" prevents it: {besides}"
        )
    return "These lines give each worker connections of its own, which prevents this failure."


def has_another_cause(recorded: VerdictsOnRecord, hazard: Hazard) -> bool:
    """Whether forked workers with connections of their own survive, but so does every worker of that kind."""
    trial = recorded.trial(hazard.id, recommendation.FORKED)
    if trial is None or trial.verdict is Verdict.AFFECTED:
        return False
    return trial.verdict is not Verdict.SURVIVES or strategies.get(hazard.affected_control).safe


def cure(recorded: VerdictsOnRecord, hazard: Hazard) -> str:
    """A strategy with code that survives a hazard, its negative control if possible; empty if none does."""
    for name in (hazard.survives_control, *recommendation.RECOMMENDED):
        trial = recorded.trial(hazard.id, name)
        if name in recommendation.RECOMMENDED and trial and trial.verdict is Verdict.SURVIVES:
            return name
    return ""
