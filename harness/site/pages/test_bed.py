"""The pages of one origin: the answer, its releases, and two of them side by side."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness import strategies
from harness.answer.results import TITLES
from harness.answer.verdicts import SEVERITIES, WorstOutcome, shares_connection
from harness.console.numbers import digits, display_unit
from harness.counts.report import COUNTED, changed
from harness.hazards import expected as record
from harness.history import causes_report
from harness.lifecycles import metrics
from harness.lifecycles.cell import DATAFRAMES
from harness.lifecycles.metrics import Metric, Table
from harness.site import advice, charts, history
from harness.site.book import Book
from harness.site.data import Figure, Origin, Release, slug
from harness.site.history import change

"""What a release is asked for first."""

CHANGELOG = "https://docs.sqlalchemy.org/en/{series}/changelog/changelog_{short}.html#change-{release}"


@dataclass(frozen=True)
class Row:
    """A strategy on the answer page."""

    id: str
    dataframe: str
    title: str
    bar: charts.Bar | None
    second: Figure | None
    unique: Figure | None
    collected: Figure | None
    unique_width: str
    collected_width: str
    worst: WorstOutcome

    @property
    def rank(self) -> int:
        """For sorting: the worst first, what is not known last."""
        return SEVERITIES.index(self.worst.severity) if self.worst.severity else len(SEVERITIES)


@dataclass(frozen=True)
class View:
    """One DataFrame setting of one release."""

    dataframe: str
    title: str
    advice: list[str]
    rows: list[Row]
    apart: list[Row]


class Chapter:
    """The pages of one origin."""

    def __init__(self, book: Book, origin: Origin, prefix: str) -> None:
        self.book, self.origin, self.prefix = book, origin, prefix
        self.history = book.histories[origin.key]
        self.causes = book.causes
        self.versions = list(origin.releases)
        measured = {name for release in origin.releases.values() for name in release.strategies}
        known = sorted((name for name in strategies.IDS if name in measured), key=shares_connection)
        self.strategies = [*known, *sorted(measured - set(strategies.IDS))]

    def write(self) -> None:
        newest = self.origin.newest
        self.page(
            "index.html",
            "answer.html.j2",
            "Answer",
            title="How should a Python program start workers?",
            release=newest,
            views=self.views(newest),
        )
        self.book.table(
            f"{self.prefix}data/answer",
            ("release", "strategy", "dataframe", "figure", "unit", "median", "low", "high"),
            [
                (
                    newest.version,
                    strategy,
                    dataframe,
                    metric,
                    metrics.get(metric).display_unit,
                    *rounded(figure),
                )
                for (metric, strategy, dataframe), figure in newest.figures.items()
            ],
        )
        for number, version in enumerate(self.versions):
            self.release(number, self.origin.releases[version])
        for metric in self.pictured:
            self.over_releases(metric)
        self.compare()

    @property
    def metrics(self) -> list[Metric]:
        return [
            metric
            for metric in metrics.shown_in(Table.SITE)
            if any(
                key[0] == metric.id for release in self.origin.releases.values() for key in release.figures
            )
        ]

    @property
    def pictured(self) -> list[Metric]:
        """Those with a page of their own; a series too short for a history has one, and the comparison."""
        return self.metrics if self.history.floors else self.metrics[:1]

    def page(self, address: str, template: str, section: str, **values: Any) -> None:
        origins = [
            (
                origin.name,
                "index.html" if number == 0 else f"{slug(origin.key)}/index.html",
                origin is self.origin,
            )
            for number, origin in enumerate(self.book.measured.origins)
        ]
        self.book.page(
            self.prefix + address,
            template,
            section,
            prefix=self.prefix,
            origin=self.origin,
            origins=origins,
            versions=self.versions[::-1],
            **values,
        )

    def title(self, strategy: str) -> str:
        known = [each.title for each in strategies.CATALOGUE if each.id == strategy]
        return known[0] if known else "not in the catalogue of this version"

    def views(self, release: Release) -> list[View]:
        return [self.view(release, dataframe) for dataframe in frames_of(release)]

    def view(self, release: Release, dataframe: str) -> View:
        names = [
            name for name in self.strategies if any(key[1:] == (name, dataframe) for key in release.figures)
        ]
        end = charts.longest(release, names, dataframe)
        memory = [
            figure.median
            for name in names
            for metric in ("uss", "uss_collected")
            if (figure := release.of(metric, name, dataframe))
        ]
        most = max(memory, default=0.0) or 1.0

        def row(name: str) -> Row:
            unique, collected = (release.of(metric, name, dataframe) for metric in ("uss", "uss_collected"))
            return Row(
                id=name,
                dataframe=dataframe,
                title=self.title(name),
                bar=charts.bar(release, name, dataframe, end),
                second=release.of("second_query", name, dataframe),
                unique=unique,
                collected=collected,
                unique_width=charts.percent(unique.median / most) if unique else "0",
                collected_width=charts.percent(collected.median / most) if collected else "0",
                worst=self.book.verdicts.worst(name, release.version),
            )

        return View(
            dataframe,
            TITLES.get(dataframe, dataframe),
            advice.sentences(release, dataframe),
            [row(name) for name in names if not shares_connection(name)],
            [row(name) for name in names if shares_connection(name)],
        )

    def release(self, number: int, release: Release) -> None:
        version = release.version
        before = self.versions[number - 1] if number else ""
        after = self.versions[number + 1] if number + 1 < len(self.versions) else ""
        groups = self.grouped(version, [metric.id for metric in metrics.shown_in(Table.SITE)])
        series = record.series(version)
        outcomes = self.book.verdicts
        turned = [
            (hazard, name, told)
            for hazard in outcomes.hazards
            for name in strategies.IDS
            if before in outcomes.releases and version in outcomes.releases
            for told in [outcomes.verdict(hazard.id, name, version)]
            if told != outcomes.verdict(hazard.id, name, before)
        ]
        self.page(
            f"releases/{version}.html",
            "release.html.j2",
            "Releases",
            title=f"SQLAlchemy {version}",
            release=release,
            before=before,
            after=after,
            groups=groups,
            still=self.history.still,
            again=any(cell.again for group in groups for cell in group.cells),
            counted=counted(self.origin.releases[before], release) if before else [],
            turned=turned,
            causes=[
                (each.strategy, causes_report.summary(each))
                for each in self.causes
                if (each.before, each.after) == (before, version)
            ],
            changelog=CHANGELOG.format(
                series=series.replace(".", ""), short=series.replace(".", ""), release=version
            ),
            # Advice is for who chooses now, not for who reads of an old release.
            views=[replace(view, advice=[]) for view in self.views(release)],
        )

    def grouped(self, version: str, metrics: Sequence[str]) -> list[history.Group]:
        """The real steps of a release, by figure."""
        figures = self.origin.releases[version].figures
        counted = {name: sum(key[0] == name for key in figures) for name in metrics}
        return history.grouped(
            (each for each in self.history.at(version) if each.metric.id in metrics), counted
        )

    @property
    def compared(self) -> tuple[str, str]:
        """The newest release, and before it the last one of the series before."""
        after = self.versions[-1]
        others = [version for version in self.versions if record.series(version) != record.series(after)]
        return (others[-1] if others else self.versions[0]), after

    def over_releases(self, metric: Metric) -> None:
        overview = [each.id for each in metrics.shown_in(Table.CHANGE_POINTS)]
        releases = list(self.origin.releases.values())
        frames = [
            {
                "id": dataframe,
                "title": TITLES.get(dataframe, dataframe),
                "panels": [
                    panel for name in self.strategies if (panel := self.panel(metric, name, dataframe))
                ],
            }
            for dataframe in dict.fromkeys(frame for release in releases for frame in frames_of(release))
        ]
        methods = dict.fromkeys(name for release in releases for name in release.controls)
        controls = [
            panel
            for method in methods
            if (
                panel := self.drawn(
                    f"bare {method}",
                    [release.controls.get(method) for release in releases],
                    "seconds",
                    [],
                    True,
                )
            )
        ]
        if metric.unit == "seconds" and controls:
            frames.append({"id": "controls", "title": "Bare start methods", "panels": controls})
        first = (
            "time_to_first_row"
            if "time_to_first_row" in {each.id for each in self.metrics}
            else self.metrics[0].id
        )
        self.page(
            address_of(metric, first),
            "releases.html.j2",
            "Releases",
            title=f"{metric.heading} over releases",
            heading="What SQLAlchemy's releases changed" if metric.id == first else metric.heading,
            compared=self.compared,
            changed=[
                (version, groups)
                for version in self.versions[::-1]
                if (groups := self.grouped(version, overview))
            ],
            metric=metric,
            metrics=[
                {"id": each.id, "title": each.heading, "address": address_of(each, first)}
                for each in self.pictured
            ],
            frames=frames,
            controls=metric.unit == "seconds" and bool(controls),
            releases=self.versions,
            still=self.history.still,
            newest=self.versions[-1],
            release=self.origin.newest,
            series=[
                (charts.percent(number / len(self.versions)), record.series(version))
                for number, version in enumerate(self.versions)
                if number == 0 or record.series(version) != record.series(self.versions[number - 1])
            ],
            by_series=self.by_series(),
        )
        self.data(metric)

    def data(self, metric: Metric) -> None:
        """One figure over all releases: a row a release, and of each cell its median and interval."""
        cells = [
            (name, dataframe)
            for name in self.strategies
            for dataframe in DATAFRAMES
            if any(
                (metric.id, name, dataframe) in release.figures for release in self.origin.releases.values()
            )
        ]
        names = [f"{name} {frame}{end}" for name, frame in cells for end in ("", " low", " high")]
        self.book.table(
            f"{self.prefix}data/{metric.id}",
            ("release", *(f"{name}, {metric.display_unit}" for name in names)),
            [
                (
                    release.version,
                    *(value for cell in cells for value in rounded(release.of(metric.id, *cell))),
                )
                for release in self.origin.releases.values()
            ],
        )

    def panel(self, metric: Metric, strategy: str, dataframe: str) -> dict[str, Any] | None:
        figures = [release.of(metric.id, strategy, dataframe) for release in self.origin.releases.values()]
        return self.drawn(
            strategy, figures, metric.unit, self.history.of(metric.id, strategy, dataframe), False
        )

    def drawn(
        self,
        name: str,
        figures: Sequence[Figure | None],
        unit: str,
        steps: list[history.Change],
        control: bool,
    ) -> dict[str, Any] | None:
        picture = charts.panel(self.versions, figures, unit, [step.release for step in steps])
        if picture is None:
            return None
        said = "; ".join(f"{step.change} at {step.release}" for step in steps) or "no step"
        return {
            "id": name,
            "picture": picture,
            "steps": steps,
            "said": said,
            "last": figures[-1],
            "control": control,
        }

    def by_series(self) -> list[tuple[str, list[tuple[str, int]]]]:
        found: dict[str, list[tuple[str, int]]] = {}
        for version in self.versions:
            number = len({each.metric.id for each in self.history.at(version)})
            found.setdefault(record.series(version), []).append((version, number))
        return list(found.items())[::-1]

    def compare(self) -> None:
        """The page of two releases: the newest, and the last one of the series before."""
        before, after = self.compared
        cells = [(name, dataframe) for dataframe in frames_of(self.origin.newest) for name in self.strategies]
        first, second = self.origin.releases[before], self.origin.releases[after]
        between = self.history.between(before, after)
        rows = []
        for metric in self.metrics:
            unit, factor = metric.display_unit, metric.factor
            for name, dataframe in cells:
                one, other = (release.of(metric.id, name, dataframe) for release in (first, second))
                if not one or not other:
                    continue
                found = [
                    each
                    for each in between
                    if (each.metric.id, each.strategy, each.dataframe) == (metric.id, name, dataframe)
                ]
                rows.append(
                    {
                        "title": metric.heading,
                        "strategy": name,
                        "dataframe": dataframe,
                        "unit": unit,
                        "before": digits(one.median * factor),
                        "after": digits(other.median * factor),
                        "before_within": f"±{one.within / 10:.1f} %",
                        "after_within": f"±{other.within / 10:.1f} %",
                        "change": change(other.median / one.median) if one.median else "",
                        "steps": ", ".join(f"{each.release} {each.change}" for each in found),
                    }
                )
        self.page(
            "compare.html",
            "compare.html.j2",
            "Releases",
            title="Two releases side by side",
            before=before,
            after=after,
            rows=rows,
            summary=summary(self.metrics, between, self.history.still),
        )
        self.book.write(
            f"{self.prefix}data/figures.json",
            json.dumps(
                {
                    "releases": self.versions,
                    "metrics": [[each.id, each.heading, each.display_unit] for each in self.metrics],
                    "cells": cells,
                    "medians": {
                        metric.id: [
                            [rounded(release.of(metric.id, *cell), 7)[0] for cell in cells]
                            for release in self.origin.releases.values()
                        ]
                        for metric in self.metrics
                    },
                    # Per mille of the median: a tenth of what bounds would take.
                    "within": {
                        metric.id: [
                            [
                                figure.within if (figure := release.of(metric.id, *cell)) else None
                                for cell in cells
                            ]
                            for release in self.origin.releases.values()
                        ]
                        for metric in self.metrics
                    },
                    "still": self.history.still,
                    "steps": [
                        [each.release, each.metric.id, each.strategy, each.dataframe, round(each.ratio, 5)]
                        for each in self.history.changes
                    ],
                },
                separators=(",", ":"),
            ),
        )


def summary(metrics: Iterable[Metric], between: Sequence[history.Change], unmoved: str) -> list[str]:
    """What of two releases is real, a sentence a figure."""
    told = []
    for metric in metrics:
        found = [each for each in between if each.metric.id == metric.id]
        cells: dict[tuple[str, str], float] = {}
        for each in found:
            cell = (each.strategy, each.dataframe)
            cells[cell] = cells.get(cell, 1.0) * each.ratio
        if cells:
            low, high = min(cells.values()), max(cells.values())
            size = change(low) if low == high else f"{change(low)} to {change(high)}"
            told.append(f"{metric.heading}: {size} in {len(cells)} {'cell' if len(cells) == 1 else 'cells'}")
    still = [metric.title for metric in metrics if all(each.metric.id != metric.id for each in between)]
    if still:
        told.append(f"{unmoved}: {', '.join(still)}")
    return told


def rounded(figure: Figure | None, to: int = 4) -> tuple[float | None, float | None, float | None]:
    """Median and interval in the unit that is shown, to so many digits."""
    if figure is None:
        return None, None, None
    factor = display_unit(figure.unit)[1]
    median, low, high = (
        float(f"{value * factor:.{to}g}") for value in (figure.median, figure.low, figure.high)
    )
    return median, low, high


def frames_of(release: Release) -> list[str]:
    """The DataFrame settings that were measured, in the suite's order."""
    return [name for name in DATAFRAMES if name in release.dataframes] + [
        name for name in release.dataframes if name not in DATAFRAMES
    ]


def address_of(metric: Metric, first: str) -> str:
    return "releases.html" if metric.id == first else f"figures/{metric.id}.html"


def counted(before: Release, after: Release) -> list[tuple[str, str]]:
    """What is counted and is not what it was: in words, and of which strategies."""
    by_change: dict[str, list[str]] = {}
    for (name, strategy), now in after.counts.items():
        was = before.counts.get((name, strategy), now)
        if name in COUNTED and was != now:
            by_change.setdefault(changed(name, was, now), []).append(strategy)
    return [(what, ", ".join(of)) for what, of in by_change.items()]
