"""The chooser: questions about a program, the rules, code, and the figures behind the thresholds."""

from collections.abc import Iterator
from dataclasses import asdict
from statistics import median
from typing import Any

from harness import drivers, strategies
from harness.answer import code, program_lines, recommendation
from harness.answer.code.parts import MODES, Variant
from harness.answer.combinations import records
from harness.answer.combinations.combination import ALL, PYTHONS, REFERENCE, Combination
from harness.answer.figures import sentences
from harness.answer.figures.results import ReleaseResults
from harness.console import markdown
from harness.console.numbers import display_unit
from harness.curves import bill, factors, outcomes, sizes
from harness.fleets import figures as fleets
from harness.lifecycles import metrics
from harness.poolers import figures as poolers
from harness.programs import head
from harness.programs import report as programs_report
from harness.programs.figures import ProgramFigures
from harness.site.context import File, SiteContext
from harness.system import pythons

SECTION, ADDRESS, PER_TEST_BED = "Choose", "choose.html", False

PRICE = ("time_to_first_row", "first_worker", "second_query", "uss")
"""The metrics on a strategy's card."""


PROGRAMS = tuple(head.get(name) for name in head.names())

POOL_SIZE, MAX_OVERFLOW = 5, 10
"""SQLAlchemy's defaults."""

RESERVED = 3
"""Sessions that PostgreSQL keeps for superusers by default."""

FREEZE = (
    "their first full garbage collection copies the objects that they share; prevent it by"
    " gc.collect(); gc.freeze()"
)

CAVEATS = {
    recommendation.FORKED: (
        "From Python 3.14 on fork is not the default: name it.",
        "Celery's prefork pool and gunicorn's --preload fork as well: put the same line into"
        " worker_process_init and post_fork.",
        "Dispose of every engine of the process; of an AsyncEngine: engine.sync_engine.dispose(close=False).",
        f"If workers live long: {FREEZE}, right before the fork.",
    ),
    recommendation.POOLLESS: (
        "From Python 3.14 on fork is not the default: name it.",
        "It only avoids an inherited pool. Locks and open transactions are inherited all the same.",
        recommendation.POOLER,
    ),
    recommendation.SEVERED: (
        "Where at-fork handlers do not run, it does nothing: under uWSGI's defaults, and with subprocess.",
        "Call it for every engine of the process, right after the engine is made. For a driver whose sockets"
        " it does not know (it knows psycopg2, psycopg, asyncpg and pg8000), the first connection raises"
        " TypeError.",
        "Connections that no engine made, such as Django's or those of psycopg_pool, are inherited as ever.",
    ),
    recommendation.PRELOADED: (
        "A preloaded module must not connect when it is imported.",
        "The first worker also waits for the fork server to start.",
        f"If workers live long: {FREEZE}, in a module of your own, the last in the list.",
    ),
    recommendation.SERVED: (
        "The first worker also waits for the fork server to start.",
        "From Python 3.14 on it imports the main module once for all workers, which share what that opens:"
        " name what to preload instead, or create engines in the worker.",
    ),
    recommendation.BOOTED: (
        "Arguments are pickled, and an engine cannot be pickled: pass the URL to the function that makes it.",
        "Code at module level runs again in each worker.",
    ),
}
"""Caveats by strategy, besides the hazards that affect it."""


def pages(site: SiteContext) -> Iterator[File]:
    bed = site.test_beds[0] if site.test_beds else None
    release = site.answer(bed) if bed else None
    life = sentences.life(release.estimate) if release else recommendation.UNKNOWN_LIFE
    measured = figures_of(site)
    first_row = release.estimate(recommendation.PRELOADED, "time_to_first_row") if release else None
    known, texts = bill_of(site), Texts()
    yield site.page(
        ADDRESS,
        "choose.html.j2",
        SECTION,
        title="fork, forkserver or spawn with a SQLAlchemy pool?",
        bed=bed,
        release=release,
        questions=recommendation.questions(life),
        conditions=recommendation.CONDITIONS_OF_FORK,
        rules=recommendation.rules(life),
        notes=recommendation.NOTES,
        decisions=recommendation.decisions(),
        titles={name: strategies.get(name).title for name in recommendation.RECOMMENDED},
        cards=[card(site, strategies.get(name), release, life) for name in recommendation.RECOMMENDED],
        drivers=[(each, Combination(each).variant().driver.name) for each in drivers.DRIVERS],
        pythons=PYTHONS,
        programs=PROGRAMS,
        poolers=site.combinations.poolers is not None,
        details={
            "code": all_code(texts),
            "programs": {program.name: of_program(program, measured, texts) for program in PROGRAMS},
            **combinations(site.combinations),
            "pooled": {name: strategies.get(name).pooled for name in recommendation.RECOMMENDED},
            "pool": [POOL_SIZE, MAX_OVERFLOW, RESERVED],
            "bill": known,
            # These come last, when all texts have been numbered.
            "texts": texts.all,
            "lines": texts.lines,
        },
        kinds={each["kind"]: sizes.TITLES[each["kind"]] for each in known["data"]} if known else {},
        life=life,
        first_row=sentences.milliseconds(first_row.median) if first_row else "",
        pool=sentences.pool(release.estimate, site.break_even) if release else "",
    )


def bill_of(site: SiteContext) -> dict[str, Any] | None:
    """The coefficients of the bill and the Python of the fleets; None without fleets on record."""
    table = site.record(fleets.PATH, fleets.load, None)
    if table is None:
        return None
    unknown: factors.Factors = {}
    found = bill.coefficients(
        table,
        site.curves,
        site.record(factors.DRIVERS, factors.load_drivers, unknown),
        site.record(poolers.PATH, factors.load_poolers, unknown),
    )
    python = pythons.minor(table.provenance.python) if table.provenance.python else pythons.REFERENCE
    # With data, of which any may be on record from another machine.
    requests = (
        bill.BillRequest(1, 1.0, driver=driver.name, pooler=pooler)
        for driver in drivers.DRIVERS
        for pooler in (False, True)
    )
    said = {
        f"{each.driver}{' pooler' * each.pooler}": " ".join(
            filter(None, [outcomes.tested(site.curves, found, each), each.elsewhere(found)])
        )
        for each in requests
    }
    return {**asdict(found), "python": python, "said": said}


class Texts:
    """Stores each program once, and each line of code once, since programs share most of their lines."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a text."""
        return self._texts.setdefault(text, len(self._texts))

    @property
    def all(self) -> list[list[int]]:
        """The numbers of each text's lines."""
        numbers = {line: number for number, line in enumerate(self.lines)}
        return [[numbers[line] for line in text.split("\n")] for text in self._texts]

    @property
    def lines(self) -> list[str]:
        return list(dict.fromkeys(line for text in self._texts for line in text.split("\n")))


def all_code(texts: Texts) -> dict[str, Any]:
    """The programs of all cards: the numbers of their texts, by strategy and variant."""
    return {
        name: {each.key: [texts.number(text) for text in variant_code(name, each)] for each in code.RECIPES}
        for name in recommendation.RECOMMENDED
    }


def variant_code(name: str, variant: Variant) -> list[str]:
    """The programs with a pool of workers, one worker, and an executor."""
    strategy = strategies.get(name)
    return [render(strategy, variant) for render in (code.pool, code.process, code.executor)]


def figures_of(site: SiteContext) -> dict[str, ProgramFigures]:
    """The figures of each program with all workers on one host, by name."""
    recorded = site.record(programs_report.PATH, programs_report.load, None)
    return {each.name: each for each in recorded.programs if each.hosts == 1} if recorded else {}


def of_program(program: head.Program, measured: dict[str, ProgramFigures], texts: Texts) -> dict[str, Any]:
    """The chooser's data on a program: its lines by variant, its strategy, and its costs."""
    figures = measured.get(program.name)
    return {
        "lines": {
            each.key: texts.number(program_lines.variant_lines(program, each)) for each in code.VARIANTS
        },
        "strategy": {each.key: program_lines.strategy(program, each) for each in code.VARIANTS},
        "severed": {
            each.key: texts.number(text)
            for each in code.VARIANTS
            if (text := program_lines.severed_lines(program, each))
        },
        "starts": program.starts,
        "count": program.count,
        "instead": program.instead,
        "clock": program.clock,
        "unique": max(figures.uss, default=None) if figures else None,
        "first": median(figures.first_row) if figures and figures.first_row else None,
    }


def combinations(known: records.CombinationRecords) -> dict[str, Any]:
    """Verdicts and costs of each combination, and its sentences behind a pooler; each text once, by number.

    The cards have the verdicts of the reference.
    """
    verdicts: dict[records.CombinationVerdict, int] = {}
    sentences: dict[str, int] = {}

    def numbered(text: str) -> int:
        return sentences.setdefault(text, len(sentences))

    of_each = {}
    for wanted in ALL:
        found = (
            {}
            if wanted == REFERENCE
            else {name: known.verdict(wanted, name) for name in recommendation.RECOMMENDED}
        )
        costs = known.costs(wanted)
        of_each[wanted.key] = {
            "title": wanted.title,
            "verdicts": {name: verdicts.setdefault(each, len(verdicts)) for name, each in found.items()},
            "costs": {name: asdict(each) for name, each in costs.strategies.items()} if costs else {},
            "again": costs.again if costs else None,
            "source": numbered(markdown.plain(costs.source) if costs else records.not_measured(wanted)),
        }
    behind = {
        f"{wanted.key} {mode}": [
            numbered(text) for text in known.pooler(Combination(wanted.driver, wanted.python, mode))
        ]
        for wanted in ALL
        for mode in MODES
    }
    return {
        "reference": REFERENCE.key,
        "combinations": of_each,
        "poolers": behind,
        "verdicts": [[each.text, each.hazards] for each in verdicts],
        "sentences": list(sentences),
    }


def card(
    site: SiteContext, strategy: strategies.Strategy, release: ReleaseResults | None, life: str
) -> dict[str, Any]:
    """A strategy with its code, its figures, and its failures by condition."""
    price = [
        (metrics.get(metric).short, f"{figure.text()} {display_unit(figure.unit)[0]}")
        for metric in PRICE
        if release and (figure := release.of(metric, strategy.id, "none"))
    ]
    version = release.release if release else site.verdicts.newest_release
    return {
        "id": strategy.id,
        "title": strategy.title,
        "use_when": recommendation.use_when(strategy, life),
        "docs": strategy.docs,
        "limits": "sever.html" if strategy.id == recommendation.SEVERED else "",
        "process": code.process(strategy),
        "pool": code.pool(strategy),
        "price": price,
        "caveats": CAVEATS.get(strategy.id, ()),
        "worst": site.verdicts.worst(strategy.id, version),
    }
