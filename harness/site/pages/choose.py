"""From a program to its strategy: questions, rules, code, and the figures behind the thresholds."""

from collections.abc import Iterator
from dataclasses import asdict
from statistics import median
from typing import Any

from harness import strategies
from harness.answer import code, program_lines, recommendation
from harness.answer.code.parts import DRIVERS, Variant
from harness.answer.recommendation import FORKED, POOLLESS
from harness.answer.verdicts import verdicts_of
from harness.console.numbers import display_unit
from harness.curves import bill, curve
from harness.curves.sections import sizes as sizes_section
from harness.drivers import MEASURED, Driver
from harness.fleets import figures as fleets
from harness.hazards.hazard import TRIED, Verdict
from harness.lifecycles import metrics
from harness.poolers import figures as poolers
from harness.poolers import report as poolers_report
from harness.programs import head
from harness.programs import report as programs_report
from harness.programs.figures import ProgramFigures
from harness.site import thresholds
from harness.site.context import File, SiteContext
from harness.site.results import ReleaseFigures

SECTION, ADDRESS, PER_TEST_BED = "Choose", "choose.html", False

PRICE = ("time_to_first_row", "first_worker", "second_query", "uss")
"""The metrics on a strategy's card."""


PROGRAMS = tuple(head.get(name) for name in head.names())

POOL_SIZE, MAX_OVERFLOW = 5, 10
"""SQLAlchemy's defaults."""

RESERVED = 3
"""Sessions that PostgreSQL keeps for superusers by default."""


def pages(site: SiteContext) -> Iterator[File]:
    bed = site.test_beds[0] if site.test_beds else None
    release = site.answer(bed) if bed else None
    figures = release.figures_with("none") if release else None
    threshold = recommendation.threshold(figures) if figures else None
    life = recommendation.life(figures) if figures else recommendation.UNKNOWN_LIFE
    measured = figures_of(site)
    known, lines = bill_of(site), Lines()
    recorded = site.record(poolers.PATH, poolers.load, None)
    copied = site.verdicts.trial("copied_frame", recommendation.FORKED)
    yield site.page(
        ADDRESS,
        "choose.html.j2",
        SECTION,
        title="fork, forkserver or spawn with a SQLAlchemy pool?",
        bed=bed,
        release=release,
        questions=recommendation.questions(life),
        rules=recommendation.rules(life),
        notes=recommendation.NOTES,
        decisions=recommendation.decisions(),
        titles={name: strategies.get(name).title for name in recommendation.RECOMMENDED},
        cards=[card(site, strategies.get(name), release, life) for name in recommendation.RECOMMENDED],
        drivers=DRIVERS,
        programs=PROGRAMS,
        poolers=recorded is not None,
        details={
            **all_code(lines),
            "programs": {program.name: of_program(program, measured, lines) for program in PROGRAMS},
            "costs": {driver.name: costs_with(site, release, driver) for driver in DRIVERS},
            "verdicts": {driver.name: verdicts_with(site, driver) for driver in DRIVERS},
            "pool": [POOL_SIZE, MAX_OVERFLOW, RESERVED],
            "again": {driver.name: again(site, release, driver) for driver in DRIVERS},
            "bill": asdict(known) if known else None,
            "pooler": poolers_report.sentences(recorded.times) if recorded else {},
            # Last, when all texts have been taken apart.
            "lines": lines.all,
        },
        kinds={each.kind: sizes_section.KIND_TITLES[each.kind] for each in known.data} if known else {},
        life=thresholds.worker_life(release, threshold) if release and threshold else None,
        crossing=thresholds.pool_crossing(release) if release else None,
        servers=thresholds.server_table(site.servers),
        distance=thresholds.distance_table(release) if release else None,
        copies=thresholds.copies_table(copied.readings if copied else {}),
    )


def bill_of(site: SiteContext) -> bill.Coefficients | None:
    """What the bill of a fleet is computed from; None without fleets on record."""
    table = site.record(fleets.PATH, fleets.load, None)
    if table is None:
        return None
    return bill.coefficients(
        table,
        site.record(curve.PATH, curve.load, {}),
        site.drivers,
        site.record(poolers.PATH, poolers.load, None),
    )


class Lines:
    """Each line of code once: the programs have most of their lines in common."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, text: str) -> list[int]:
        """The numbers of a text's lines."""
        return [self._numbers.setdefault(line, len(self._numbers)) for line in text.split("\n")]

    @property
    def all(self) -> list[str]:
        return list(self._numbers)


def all_code(lines: Lines) -> dict[str, Any]:
    """The programs of all cards: each text once, and by strategy and variant the numbers of its texts."""
    texts: dict[str, int] = {}
    numbers = {
        name: {
            each.key: [texts.setdefault(text, len(texts)) for text in variant_code(name, each)]
            for each in code.RECIPES
        }
        for name in recommendation.RECOMMENDED
    }
    return {"code": numbers, "texts": [lines.of(text) for text in texts]}


def variant_code(name: str, variant: Variant) -> list[str]:
    """A pool of workers, one worker, and an executor."""
    strategy = strategies.get(name)
    return [render(strategy, variant) for render in (code.pool, code.process, code.executor)]


def figures_of(site: SiteContext) -> dict[str, ProgramFigures]:
    """What was measured of each program, with all workers on one host."""
    recorded = site.record(programs_report.PATH, programs_report.load, None)
    return {each.name: each for each in recorded.programs if each.hosts == 1} if recorded else {}


def of_program(program: head.Program, measured: dict[str, ProgramFigures], lines: Lines) -> dict[str, Any]:
    """What the chooser shows of a program: its lines by variant, its strategy, and what it costs."""
    figures = measured.get(program.name)
    return {
        "lines": {each.key: lines.of(program_lines.variant_lines(program, each)) for each in code.VARIANTS},
        "strategy": {each.key: program_lines.strategy(program, each) for each in code.VARIANTS},
        "severed": {
            each.key: lines.of(text)
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


def reconnecting(release: ReleaseFigures) -> list[float] | None:
    """What each further query costs more without a pool: seconds, and round trips; None if not measured."""
    figures = [release.of("second_query", name, "none") for name in (POOLLESS, FORKED)]
    trips = [release.counts.get(("round_trips_second_query", name)) for name in (POOLLESS, FORKED)]
    (without, pooled), (more, fewer) = figures, trips
    if without is None or pooled is None or more is None or fewer is None:
        return None
    return [without.median - pooled.median, more - fewer]


def costs_with(
    site: SiteContext, release: ReleaseFigures | None, driver: Driver
) -> dict[str, dict[str, float | bool | None]]:
    """What a worker costs with a driver, by strategy: of the release, or of the pairs with the reference."""
    if driver == MEASURED:
        return {name: costs(release, name) for name in recommendation.RECOMMENDED if release}
    row = site.drivers.get(driver.name)
    return {
        name: {
            "first": row.second("time_to_first_row", name) if row else None,
            "unique": row.second("uss", name) if row else None,
            "collected": None,
            "trips": row.counts.get(name, {}).get("round_trips_first_query") if row else None,
            "pooled": strategies.get(name).pooled,
        }
        for name in recommendation.RECOMMENDED
    }


def again(site: SiteContext, release: ReleaseFigures | None, driver: Driver) -> list[float] | None:
    """As `reconnecting`, for a driver."""
    if driver == MEASURED:
        return reconnecting(release) if release else None
    row = site.drivers.get(driver.name)
    if not row:
        return None
    without, pooled = (row.second("second_query", name) for name in (POOLLESS, FORKED))
    trips = [row.counts.get(name, {}).get("round_trips_second_query") for name in (POOLLESS, FORKED)]
    if without is None or pooled is None or None in trips:
        return None
    return [without - pooled, trips[0] - trips[1]]  # type: ignore[operator]


def verdicts_with(site: SiteContext, driver: Driver) -> dict[str, str]:
    """What goes wrong with a driver other than the reference, by strategy: a sentence."""
    if driver == MEASURED:
        return {}
    return {name: verdict_sentence(site, driver, name) for name in recommendation.RECOMMENDED}


def verdict_sentence(site: SiteContext, driver: Driver, strategy: str) -> str:
    if reason := strategies.get(strategy).unwritten(driver):
        return f"Hazards: {reason}."
    verdicts = verdicts_of(site.verdicts_with[driver.name])
    tried = [hazard for (hazard, name), verdict in verdicts.items() if name == strategy and verdict in TRIED]
    if not tried:
        return f"Hazards with {driver.title}: not tried."
    affecting = [hazard for hazard in tried if verdicts[hazard, strategy] == Verdict.AFFECTED]
    named = f": {', '.join(affecting)}" if affecting else ""
    return (
        f"Hazards with {driver.title}: {len(affecting)} of the {len(tried)} that were tried affect it{named}."
        " The others were not tried with it."
    )


def costs(release: ReleaseFigures, name: str) -> dict[str, float | bool | None]:
    """What a worker costs: seconds, bytes and counts; None if a figure was not measured."""
    figures = {
        "first": release.of("time_to_first_row", name, "none"),
        "unique": release.of("uss", name, "none"),
        "collected": release.of("uss_collected", name, "none"),
    }
    return {
        **{id: figure.median if figure else None for id, figure in figures.items()},
        "trips": release.counts.get(("round_trips_first_query", name)),
        "pooled": strategies.get(name).pooled,
    }


def card(
    site: SiteContext, strategy: strategies.Strategy, release: ReleaseFigures | None, life: str
) -> dict[str, Any]:
    """A strategy with its code, its figures, and what can happen, by condition."""
    price = [
        (metrics.get(metric).short, f"{figure.text()} {display_unit(figure.unit)[0]}")
        for metric in PRICE
        if release and (figure := release.of(metric, strategy.id, "none"))
    ]
    version = release.version if release else site.verdicts.newest_release
    return {
        "id": strategy.id,
        "title": strategy.title,
        "use_when": recommendation.use_when(strategy, life),
        "docs": strategy.docs,
        "limits": "sever.html" if strategy.id == recommendation.SEVERED else "",
        "process": code.process(strategy),
        "pool": code.pool(strategy),
        "price": price,
        "caveats": recommendation.CAVEATS.get(strategy.id, ()),
        "worst": site.verdicts.worst(strategy.id, version),
    }
