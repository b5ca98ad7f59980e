"""Which strategy for which program: questions, rules, and the code that a program would contain.

The first rule that matches the answers decides. What a rule needs to know of times comes from figures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from textwrap import indent

from harness import strategies
from harness.site import advice
from harness.site.results import ReleaseFigures

CARDS = (advice.FORKED, advice.PRELOADED, advice.BOOTED, advice.POOLLESS, advice.SERVED)
"""The strategies with code, the most chosen first."""

Answers = dict[str, str]


@dataclass(frozen=True)
class Question:
    id: str
    text: str
    hint: str
    options: tuple[tuple[str, str], ...]
    """Id and text; the first one is taken until somebody answers."""


@dataclass(frozen=True)
class Rule:
    condition: str
    matches: Callable[[Answers], bool]
    strategy: str
    why: str


@dataclass(frozen=True)
class Note:
    """Something to know beside the strategy."""

    id: str
    matches: Callable[[Answers], bool]
    text: str


def threshold(release: ReleaseFigures) -> float | None:
    """The life of a worker from which on spawn's start takes less than a tenth of it."""
    booted = advice.median(release, "time_to_first_row", advice.BOOTED, "none")
    return advice.rounded_up(advice.long_enough(booted)) if booted else None


def questions(long: str) -> tuple[Question, ...]:
    return (
        Question(
            "parent",
            "When a worker starts, can the parent have another thread, a lock held, or a transaction open?",
            "Threads of libraries count, those written in C too.",
            (("yes", "yes, or I do not know"), ("no", "no, certainly not")),
        ),
        Question(
            "life",
            "How long does a worker live?",
            "A pool's worker lives for all its tasks together; with maxtasksperchild=1, for one.",
            (("short", f"less than {long}"), ("long", f"{long} or more")),
        ),
        Question(
            "data",
            "Must workers see data that the parent holds?",
            "A DataFrame, a model, a cache.",
            (
                ("none", "no"),
                ("numbers", "numbers or Arrow columns"),
                ("objects", "Python objects: strings, lists, dicts"),
            ),
        ),
        Question(
            "connections",
            "Who keeps connections open?",
            "",
            (("pool", "the program itself"), ("pooler", "PgBouncer or the like, or they are rare")),
        ),
    )


def rules(long: str) -> tuple[Rule, ...]:
    def forks(answers: Answers) -> bool:
        return answers["parent"] == "no"

    return (
        Rule(
            f"Another thread, a held lock, an open transaction is possible; workers live less than {long}",
            lambda answers: not forks(answers) and answers["life"] == "short",
            advice.PRELOADED,
            "Nothing of the parent is inherited, and the imports are paid once, by the server that forks.",
        ),
        Rule(
            f"Another thread, a held lock, an open transaction is possible; workers live {long} or more",
            lambda answers: not forks(answers),
            advice.BOOTED,
            "Nothing at all is inherited, and the slow start takes less than a tenth of the worker's life.",
        ),
        Rule(
            "The parent is alone, and PgBouncer or the like keeps the connections, or they are rare",
            lambda answers: answers["connections"] == "pooler",
            advice.POOLLESS,
            "There is no pool that could be inherited; each checkout connects.",
        ),
        Rule(
            f"The parent is alone, and workers share its data or live less than {long}",
            lambda answers: answers["data"] != "none" or answers["life"] == "short",
            advice.FORKED,
            "The quickest start that shares no connection, and the only one that shares data in place.",
        ),
        Rule(
            "The parent is alone, nothing is shared, and workers live long",
            lambda answers: True,
            advice.BOOTED,
            "A start that takes less than a tenth of the worker's life buys complete isolation.",
        ),
    )


NOTES = (
    Note(
        "unshared",
        lambda answers: answers["parent"] == "yes" and answers["data"] != "none",
        "Only fork shares data in place. Start the workers before the first thread, and fork will do; or hand"
        " the data over as a file that both map (Arrow, numpy.memmap).",
    ),
    Note(
        "objects",
        lambda answers: answers["parent"] == "no" and answers["data"] == "objects",
        "To read a Python object is to write its reference count: what is shared becomes private, page by"
        " page. gc.freeze() before the fork keeps the garbage collector away, and nothing else.",
    ),
    Note(
        "pooler",
        lambda answers: answers["connections"] == "pooler" and answers["parent"] == "yes",
        "In the worker, create_engine(url, poolclass=NullPool) leaves the connections to the pooler.",
    ),
)


def decisions(long: str) -> dict[str, tuple[int, list[str]]]:
    """For all answers, joined by dots in the order of the questions: the rule, and the notes."""
    asked, ordered = questions(long), rules(long)
    found = {}
    for chosen in product(*([option for option, _ in question.options] for question in asked)):
        answers = {question.id: option for question, option in zip(asked, chosen, strict=True)}
        first = next(number for number, rule in enumerate(ordered) if rule.matches(answers))
        found[".".join(chosen)] = (first, [note.id for note in NOTES if note.matches(answers)])
    return found


@dataclass(frozen=True)
class Code:
    """A program's lines: at module level, and under its guard."""

    module: str
    main: str

    def __str__(self) -> str:
        return f'{self.module}\n\nif __name__ == "__main__":\n{indent(self.main, "    ")}'


CREATED = """\
def initializer(url):
    global engine
    engine = create_engine(url)"""

RUN = """\
def run(task):
    with engine.connect() as connection:
        return work(connection, task)"""

INHERITED = """\
engine = create_engine(URL)

def initializer():
    engine.dispose(close=False)"""


def process(strategy: strategies.Strategy) -> Code:
    """One worker."""
    method = strategy.start_method
    match strategy.id:
        case advice.FORKED:
            first, handed = "engine.dispose(close=False)", "(task,)"
        case advice.POOLLESS:
            first, handed = "", "(task,)"
        case _:
            first, handed = "engine = create_engine(url)", "(URL, task)"
    module = [f"def worker({'task' if strategy.inherits else 'url, task'}):"]
    if strategy.inherits:
        pool = ", poolclass=NullPool" if not strategy.pooled else ""
        module = [f"engine = create_engine(URL{pool})", "", *module]
    module += [f"    {first}"] if first else []
    module += ["    with engine.connect() as connection:", "        work(connection, task)"]
    return Code(
        "\n".join(module),
        preloading(strategy)
        + f'{method} = multiprocessing.get_context("{method}")\n'
        + f"{method}.Process(target=worker, args={handed}).start()",
    )


def pool(strategy: strategies.Strategy) -> Code:
    """A pool of workers."""
    method = strategy.start_method
    match strategy.id:
        case advice.FORKED:
            module, handed = INHERITED, ", initializer"
        case advice.POOLLESS:
            module, handed = "engine = create_engine(URL, poolclass=NullPool)", ""
        case _:
            module, handed = CREATED, ", initializer, (URL,)"
    return Code(
        f"{module}\n\n{RUN}",
        preloading(strategy)
        + f'{method} = multiprocessing.get_context("{method}")\n'
        + f"with {method}.Pool(4{handed}) as pool:\n    results = pool.map(run, tasks)",
    )


def preloading(strategy: strategies.Strategy) -> str:
    if not strategy.preload:
        return ""
    names = ",\n    ".join(f'"{name}"' for name in strategy.preload)
    return f"multiprocessing.set_forkserver_preload([\n    {names},\n])\n"


BEWARE = {
    advice.FORKED: (
        "From Python 3.14 on fork is not the default: name it.",
        "Celery's prefork pool and gunicorn's --preload fork by themselves: the same line belongs in"
        " worker_process_init and in post_fork.",
    ),
    advice.POOLLESS: (
        "From Python 3.14 on fork is not the default: name it.",
        "It takes care of the pool alone. What else is inherited, locks and open transactions, still is.",
    ),
    advice.PRELOADED: (
        "A preloaded module must not connect when it is imported.",
        "The first worker waits for the server to boot.",
    ),
    advice.SERVED: ("The first worker waits for the server to boot.",),
    advice.BOOTED: (
        "Arguments are pickled, and an engine does not pickle: hand over the URL.",
        "What stands at module level runs again in each worker.",
    ),
}
"""What no hazard says."""
