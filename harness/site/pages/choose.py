"""From a program to its strategy: questions, rules, code, and the figures behind the thresholds."""

from collections.abc import Iterator
from typing import Any

from harness import strategies
from harness.answer import code, recommendation
from harness.console.numbers import display_unit
from harness.lifecycles import metrics
from harness.site import thresholds
from harness.site.context import File, SiteContext
from harness.site.results import ReleaseFigures

SECTION, ADDRESS, PER_TEST_BED = "Choose", "choose.html", False

PRICE = ("time_to_first_row", "first_worker", "second_query", "uss")
"""The metrics on a strategy's card."""


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
        life=thresholds.worker_life(release, threshold) if release and threshold else None,
        crossing=thresholds.pool_crossing(release) if release else None,
        servers=thresholds.server_table(site.servers),
        distance=thresholds.distance_table(release) if release else None,
        copies=thresholds.copies_table(copied.readings if copied else {}),
    )


def card(
    site: SiteContext, strategy: strategies.Strategy, release: ReleaseFigures | None, life: str
) -> dict[str, Any]:
    """A strategy with its code, its figures, and the hazards that affect it."""
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
        "affecting": site.verdicts.affecting(strategy.id, version),
        "recorded": site.verdicts.worst(strategy.id, version).counted > 0,
    }
