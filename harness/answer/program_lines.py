"""The lines to add to a program against a hazard: each program's hook, from the file that is measured."""

from dataclasses import dataclass

from harness import drivers, strategies
from harness.answer import code, recommendation
from harness.answer.code.parts import Variant, own_pool
from harness.answer.verdicts import VerdictsOnRecord
from harness.hazards.hazard import Hazard, Verdict
from harness.programs import head
from harness.programs.head import Program

POOL = "multiprocessing.Pool"


@dataclass(frozen=True)
class ProgramLines:
    """The lines for one program."""

    name: str
    """Of the program's file; empty for multiprocessing."""
    title: str
    lines: str
    """Code; empty if the program needs none."""


def for_hazard(
    recorded: VerdictsOnRecord, hazard: Hazard, variant: Variant = code.USUAL
) -> tuple[str, list[ProgramLines]]:
    """Whether the lines help against a hazard, in sentences, and the lines for each program.

    multiprocessing comes first. There are no lines if they do not prevent the hazard, because people who
    copied them would look no further. The verdicts are those of the variant's driver.
    """
    if not may_prevent(recorded, hazard):
        return effect(recorded, hazard), []
    surviving = cure(recorded, hazard)
    pool = code.pool(strategies.get(surviving or recommendation.FORKED), variant)
    programs = [head.get(name) for name in head.names()]
    return effect(recorded, hazard), [
        ProgramLines("", POOL, pool),
        *(ProgramLines(program.name, program.title, program.hook) for program in programs),
    ]


def fix(recorded: VerdictsOnRecord, hazard: Hazard, variant: Variant = code.USUAL) -> tuple[str, str]:
    """The remedy for a hazard in a sentence or two, and code to copy."""
    # They are written for a synchronous engine, unless the hazard is about an asynchronous driver.
    if hazard.fixes and (hazard.driver == variant.driver.name or not variant.driver.asynchronous):
        return "The code:", "\n\n\n".join(f"# {fix.title}\n{fix.code}" for fix in hazard.fixes)
    sentence, lines = for_hazard(recorded, hazard, variant)
    if lines:
        return sentence, lines[0].lines
    # This program has a guard, connects in its workers, and its fork server inherits nothing of the parent.
    return f"{sentence} This program avoids it:", code.pool(strategies.get(recommendation.PRELOADED), variant)


def effect(recorded: VerdictsOnRecord, hazard: Hazard) -> str:
    """Whether workers with their own connections avoid a hazard, in a sentence or two."""
    trial = recorded.trial(hazard.id, recommendation.FORKED)
    besides = hazard.condition.sentence if hazard.condition else hazard.avoidance
    if trial is None:
        return f"These lines give each worker connections of its own. Also: {besides}"
    if trial.verdict is Verdict.AFFECTED:
        return (
            "Connections of its own for each worker are needed, but do not prevent this failure. What does:"
            f" {besides}"
        )
    if not may_prevent(recorded, hazard):
        return (
            "Connections of its own for each worker do not prevent this failure: it has another cause. What"
            f" prevents it: {besides}"
        )
    return "These lines give each worker connections of its own, which prevents this failure."


def may_prevent(recorded: VerdictsOnRecord, hazard: Hazard) -> bool:
    """Whether their own connections may protect forked workers from a hazard, according to the record.

    They do not if such workers are affected, or if the hazard affects only workers of another kind.
    """
    trial = recorded.trial(hazard.id, recommendation.FORKED)
    if trial is None:
        return True
    return trial.verdict is Verdict.SURVIVES and not strategies.get(hazard.affected_control).safe


def cure(recorded: VerdictsOnRecord, hazard: Hazard) -> str:
    """A strategy with code that survives a hazard, its negative control if possible; empty if none does."""
    for name in (hazard.survives_control, *recommendation.RECOMMENDED):
        trial = recorded.trial(hazard.id, name)
        if name in recommendation.RECOMMENDED and trial and trial.verdict is Verdict.SURVIVES:
            return name
    return ""


def strategy(program: Program, variant: Variant) -> str:
    """The strategy that a program's workers follow with its lines; empty if the application chooses one."""
    if program.starts == "fork":
        return recommendation.POOLLESS if variant.pooler else recommendation.FORKED
    return recommendation.BOOTED if program.starts == "load" else ""


ASYNC = "create_async_engine"

EITHER = f"# {ASYNC} is for `async def`; a program with `def` endpoints: create_engine, and engine itself."
"""A comment for a driver that can be used either way, if the lines are those for an AsyncEngine."""

FREEZE = "# The last lines of the application, which is loaded before the fork.\ngc.collect()\ngc.freeze()"


def variant_lines(program: Program, variant: Variant) -> str:
    """The engine of a program and its hook, for a driver, a pooler and objects of the parent.

    For psycopg2, which is synchronous only, a program with an AsyncEngine gets synchronous lines.
    """
    url, create = f'URL = "{drivers.url(variant.driver)}"', "create_engine(URL)"
    makes, hook = program.makes, program.hook
    if ASYNC in makes and variant.driver is drivers.PSYCOPG2:
        makes, hook = makes.replace(ASYNC, "create_engine"), hook.replace(".sync_engine", "")
    elif ASYNC in makes:
        url = f"{url}\n{EITHER}"
    created = f"create_engine(URL{own_pool(variant)})"
    if create in hook:
        parts = [url, hook.replace(create, created)]
    else:
        # Without a pool there is nothing to dispose.
        made = makes.replace("{arguments}", own_pool(variant))
        parts = [f"{url}\n{made}", "" if variant.pooler else hook]
    if variant.objects and program.starts == "fork":
        parts.append(program.memory_lines or FREEZE)
    return "\n\n".join(filter(None, parts))


SEVER = "from sever import sever_in_every_child  # docs/sever.md"


def severed_lines(program: Program, variant: Variant) -> str:
    """The engine of a program with `fork_sever` in place of its hook; empty if it was not tried with it."""
    if not program.severs:
        return ""
    url = drivers.url(variant.driver)
    made = program.makes.replace("{arguments}", own_pool(variant))
    parts = [SEVER, f'URL = "{url}"\n{made}\n{program.severs}']
    if variant.objects:
        parts.append(program.memory_lines or FREEZE)
    return "\n\n".join(parts)
