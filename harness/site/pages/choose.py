"""From a program to its strategy: questions, rules, code, and the figures behind the thresholds."""

from collections.abc import Iterator
from typing import Any

from harness import drivers, strategies
from harness.answer import code, recommendation
from harness.console.numbers import display_unit
from harness.lifecycles import metrics
from harness.programs import head
from harness.site import thresholds
from harness.site.context import File, SiteContext
from harness.site.results import ReleaseFigures

SECTION, ADDRESS, PER_TEST_BED = "Choose", "choose.html", False

PRICE = ("time_to_first_row", "first_worker", "second_query", "uss")
"""The metrics on a strategy's card."""


PROGRAMS = tuple(head.get(name) for name in head.names())

DRIVERS = (drivers.PSYCOPG2, drivers.PSYCOPG)

POOL_SIZE, MAX_OVERFLOW = 5, 10
"""SQLAlchemy's defaults."""

RESERVED = 3
"""Sessions that PostgreSQL keeps for superusers by default."""


def pages(site: SiteContext) -> Iterator[File]:
    bed = site.test_beds[0] if site.test_beds else None
    release = bed.newest if bed else None
    figures = release.figures_with("none") if release else None
    threshold = recommendation.threshold(figures) if figures else None
    life = recommendation.life(figures) if figures else recommendation.UNKNOWN_LIFE
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
        titles={each.id: each.title for each in strategies.CATALOGUE},
        cards=[card(site, strategies.get(name), release, life) for name in recommendation.RECOMMENDED],
        drivers=DRIVERS,
        programs=PROGRAMS,
        details={
            "code": {
                name: {each.key: variant_code(name, each) for each in code.VARIANTS}
                for name in recommendation.RECOMMENDED
            },
            "hooks": {program.name: program.hook for program in PROGRAMS},
            "costs": {name: costs(release, name) for name in recommendation.RECOMMENDED if release},
            "pool": [POOL_SIZE, MAX_OVERFLOW, RESERVED],
        },
        life=thresholds.worker_life(release, threshold) if release and threshold else None,
        crossing=thresholds.pool_crossing(release) if release else None,
        servers=thresholds.server_table(site.servers),
        distance=thresholds.distance_table(release) if release else None,
        copies=thresholds.copies_table(copied.readings if copied else {}),
    )


def variant_code(name: str, variant: code.Variant) -> list[str]:
    """The two programs of a card."""
    strategy = strategies.get(name)
    return [code.pool(strategy, variant), code.process(strategy, variant)]


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
        "process": code.process(strategy),
        "pool": code.pool(strategy),
        "price": price,
        "caveats": recommendation.CAVEATS.get(strategy.id, ()),
        "worst": site.verdicts.worst(strategy.id, version),
    }
