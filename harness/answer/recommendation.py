"""The recommendation: the one set of rules that README.md, the site and the terminal show.

`rules` decide by the answers to `questions`; `figures.sentences` says what the figures mean for the choice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from harness import drivers
from harness.hazards.conditions import (
    NO_LOCK,
    NO_OTHER_CONNECTION,
    NO_RUNNING_LOOP,
    NO_TRANSACTION,
    ONE_THREAD,
    OWN_GENERATORS,
    PSYCOPG,
    SIGNALS_RESET,
)
from harness.strategies import Strategy

FORKED, POOLLESS = "fork_dispose", "nullpool"
"""For a program that keeps the conditions of fork: with a pool in the worker, or none."""

SEVERED = "fork_sever"
"""For a program that keeps the conditions of fork except `SEVERED_LACKS`."""

PRELOADED, SERVED, BOOTED = "forkserver_preload", "forkserver", "spawn"

ISOLATED = (PRELOADED, SERVED, BOOTED)
"""For any other program: the worker inherits nothing of the parent."""

RECOMMENDED = (FORKED, PRELOADED, BOOTED, POOLLESS, SEVERED, SERVED)
"""The strategies with code to copy, the most often recommended first."""

CONDITIONS_OF_FORK = (
    ONE_THREAD,
    NO_LOCK,
    NO_TRANSACTION,
    NO_OTHER_CONNECTION,
    PSYCOPG,
    OWN_GENERATORS,
    SIGNALS_RESET,
    NO_RUNNING_LOOP,
)
"""The conditions under which fork_dispose is as safe as a strategy that inherits nothing."""

IN_A_LIST = {
    NO_OTHER_CONNECTION: "no connection outside the pool",
    PSYCOPG: "a psycopg driver",
    OWN_GENERATORS: "own generators of identifiers in each worker",
    SIGNALS_RESET: "signal handlers reset there",
    NO_RUNNING_LOOP: "no running event loop",
}
"""Labels that say too little without the sentence of their condition."""

SEVERED_LACKS = (NO_TRANSACTION, NO_RUNNING_LOOP)
"""The conditions of fork that fork_sever does not need."""

UNKNOWN_LIFE = "a few tenths of a second"
"""The threshold in words, if no figures say how long a start takes."""


Answers = dict[str, str]
"""By question, the id of the chosen option."""


@dataclass(frozen=True)
class Question:
    """A question about the program."""

    id: str
    text: str
    hint: str
    options: tuple[tuple[str, str], ...]
    """Id and text; the first one is chosen at the beginning."""


@dataclass(frozen=True)
class Rule:
    """The strategy to recommend if the answers match."""

    condition: str
    matches: Callable[[Answers], bool]
    strategy: str
    reason: str
    remaining: str = ""
    """The condition without the parts that follow from the earlier rules not matching; empty if unchanged."""

    @property
    def in_order(self) -> str:
        """The condition in a list in which the first rule that matches decides."""
        return self.remaining or self.condition


@dataclass(frozen=True)
class Note:
    """Further advice that is shown if the answers match."""

    id: str
    matches: Callable[[Answers], bool]
    text: str


def conditions_of_fork() -> str:
    """The conditions in a few words each: `one thread, no lock held and ...`."""
    *labels, last = (IN_A_LIST.get(condition, condition.label) for condition in CONDITIONS_OF_FORK)
    return f"{', '.join(labels)} and {last}"


def questions(life: str = UNKNOWN_LIFE) -> tuple[Question, ...]:
    """`life` is the threshold of a worker's life, in words."""
    return (
        Question(
            "conditions",
            "Do all conditions of fork hold whenever a worker starts?",
            "",
            (
                ("open", "no, or I do not know"),
                ("in_use", "all but these: connections may be in use then, or an event loop may run"),
                ("hold", "yes, all of them, always"),
            ),
        ),
        Question(
            "life",
            "How long does a worker live?",
            "A pool's worker lives for all its tasks together; with maxtasksperchild=1, for one.",
            (("short", f"less than {life}"), ("long", f"{life} or longer")),
        ),
        Question(
            "data",
            "Must workers see data of the parent?",
            "A DataFrame, a model, a cache.",
            (
                ("none", "no"),
                ("numbers", "numbers or Arrow columns"),
                ("objects", "Python objects: strings, lists, dicts"),
            ),
        ),
        Question(
            "connections",
            "What keeps connections open?",
            "",
            (
                ("pool", "the program itself"),
                ("session", "PgBouncer or a similar pooler, in session mode"),
                ("transaction", "PgBouncer or a similar pooler, in transaction mode"),
                ("rare", "nothing: they are rare"),
            ),
        ),
    )


def rules(life: str = UNKNOWN_LIFE) -> tuple[Rule, ...]:
    """The first rule that matches decides. `life` is the threshold of a worker's life, in words.

    Safety comes first: a strategy whose conditions may not hold is never recommended, and of two that are
    safe, the one with fewer conditions is, unless it costs more than a tenth of a worker's life. Then cost
    decides.
    """

    needed = f"and workers share data of the parent or live less than {life}"
    fork = f"Fork's conditions hold, {needed}"
    in_use = "connections may be in use or an event loop may run when a worker starts"
    rare = "onnections are rare, or kept by a pooler such as PgBouncer"
    kept = "he program keeps its connections open"
    return (
        Rule(
            "Fork's conditions may not hold",
            lambda answers: answers["conditions"] == "open",
            PRELOADED,
            "The worker inherits nothing of the parent, so these conditions do not matter. The fork server"
            " imports the modules once for all: workers start faster than with spawn, and take less memory.",
        ),
        Rule(
            f"Workers share no data of the parent and live {life} or longer",
            lambda answers: answers["data"] == "none" and answers["life"] == "long",
            PRELOADED,
            "Its start takes less than a tenth of the worker's life, and it does not depend on fork's"
            " conditions, which a later change to the program could break.",
        ),
        Rule(
            f"Fork's conditions hold, except that {in_use}, {needed}",
            lambda answers: answers["conditions"] == "in_use",
            SEVERED,
            "Nothing that a worker inherits reaches the server: a connection that was in use fails in the"
            " worker with an error, and the parent's transaction goes on. No socket of the parent stays open"
            " in a worker that outlives it.",
            f"Fork's conditions hold, except that {in_use}",
        ),
        Rule(
            f"{fork}, and c{rare}",
            lambda answers: answers["connections"] != "pool",
            POOLLESS,
            "There is no pool to inherit; each checkout connects.",
            f"C{rare}",
        ),
        Rule(
            f"{fork}, and t{kept}",
            lambda answers: True,
            FORKED,
            "A fast start without a shared connection; the worker shares the parent's data in place.",
            f"T{kept}",
        ),
    )


SPAWN_INSTEAD = (
    "Take spawn instead of forkserver_preload only if a preloaded module connects or starts a thread at its"
    " import, or for a single worker, which would wait for the fork server too."
    " Otherwise spawn is slower, and no safer."
)

POOLER = (
    "Behind a pooler in transaction mode, such as PgBouncer's, NullPool is not enough: unless it keeps track"
    " of prepared statements (PgBouncer 1.21 or later with max_prepared_statements), psycopg 3 needs"
    f" {drivers.PSYCOPG.behind_pooler}, asyncpg {drivers.ASYNCPG.behind_pooler}; and"
    " SET, session-level advisory locks, LISTEN and temporary tables do not work: use SET LOCAL and"
    " pg_advisory_xact_lock(), or a direct connection (docs/lookalikes.md#pooler_session)."
    " What was measured: docs/poolers.md."
)

ENGINE_FUNCTION = (
    "create_engine(url) in the worker loses what else the parent's engine has, connect_args (search_path),"
    " listeners (SET ROLE), options: let one function make the engine on both sides. Values that the parent"
    " sets in its main function are missing in the worker too: pass them."
)

NOTES = (
    Note(
        "spawn",
        lambda answers: decide(answers).strategy == PRELOADED,
        SPAWN_INSTEAD,
    ),
    Note(
        "unshared",
        lambda answers: answers["conditions"] == "open" and answers["data"] != "none",
        "Only fork shares data in place. Start the workers before the first thread, and you can use fork; or"
        " pass the data as a file that both processes map (Arrow, numpy.memmap).",
    ),
    Note(
        "objects",
        lambda answers: answers["conditions"] == "hold" and answers["data"] == "objects",
        "Reading a Python object writes its reference count, so shared pages are copied one by one."
        " gc.freeze() before the fork avoids the copies that garbage collections make, not these.",
    ),
    Note("transactions", lambda answers: answers["connections"] == "transaction", POOLER),
    Note(
        "engine",
        lambda answers: decide(answers).strategy == PRELOADED,
        ENGINE_FUNCTION,
    ),
    Note(
        "pooler",
        lambda answers: answers["connections"] != "pool" and decide(answers).strategy == PRELOADED,
        "In the worker, create_engine(url, poolclass=NullPool) leaves the connections to the pooler.",
    ),
)


def decide(answers: Answers) -> Rule:
    """The rule that decides."""
    return next(rule for rule in rules() if rule.matches(answers))


def all_answers() -> Iterator[Answers]:
    """Every combination of options."""
    for options in product(*([id for id, _ in question.options] for question in questions())):
        yield {question.id: option for question, option in zip(questions(), options, strict=True)}


def decisions() -> dict[str, tuple[int, list[str]]]:
    """For all answers, joined by dots in the order of the questions: the rule's number, and the notes."""
    decided = {}
    for answers in all_answers():
        first = next(number for number, rule in enumerate(rules()) if rule.matches(answers))
        notes = [note.id for note in NOTES if note.matches(answers)]
        decided[".".join(answers.values())] = (first, notes)
    return decided


def use_when(strategy: Strategy, life: str = UNKNOWN_LIFE) -> str:
    """When to use a strategy: the conditions of its rules, or its own sentence if no rule names it."""
    conditions = [rule.condition for rule in rules(life) if rule.strategy == strategy.id]
    sentences = [f"hen {condition[0].lower()}{condition[1:]}." for condition in conditions]
    return f"W{' Or w'.join(sentences)}" if sentences else strategy.choose
