"""Steps: the releases from which on a figure is another one, told from noise by the series themselves.

A series is one figure of one cell over the releases, in version order; a release is the median of its
samples, on a logarithmic scale. The noise is what neighbouring releases differ by (few of them hold a step,
so the median of these differences is noise) or what the samples of one release differ by, whichever is
larger; nobody sets it. Where a bare start method was measured in the same turns and moved along with a
series, it is taken off.

Where steps may be, is found by a piecewise constant fit with bounded loss and a penalty for each change
(Fearnhead and Rigaill, "Changepoint Detection in the Presence of Outliers", 2019, its biweight loss): a
release that stands out costs no more than one that stands out a little, so that it is no step however bad
it is; where a few releases do, the place is chosen once more by how far they are off. Then each has to
prove itself against up to 20 releases on either side, by Hodges' and Lehmann's shift in Student's
distribution: corrected for all places of all series at once, larger than a least magnitude, better
explained by a step than by a steady drift, not shared by the bare start methods, and, where strategies
run the same code until the measured moment, seen in all of them. The weakest is dropped until all that
remain pass; what was close is a candidate.

A change of SQLAlchemy shows in more than one series. So a step that stands one release beside one that more
series have is put there (noise may displace it by one), and it is doubted where the other DataFrame setting
of the same strategy surely did not move. What was measured again in turns (`harness.history.retest`) has
the last word: a candidate that is seen there too is real, a step that is not is none.

Apache Otava finds the same places, but brings forty packages, and its means and variances follow a single
bad release; asv's own detector knows one number a release and a relative threshold that somebody has to
guess.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, exp, log
from pathlib import Path
from statistics import median, stdev

import numpy as np
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.results import Results
from numpy.typing import NDArray
from packaging.version import Version
from scipy.stats import t as student
from scipy.stats import theilslopes

from harness import strategies
from harness.history import retest
from harness.history.retest import Between, Confirmation
from harness.lifecycles import metrics
from harness.lifecycles.cell import DATAFRAMES
from harness.lifecycles.metrics import CONTROL_BENCHMARK
from harness.releases import stored
from harness.system import files
from harness.system.environment import ROOT

Values = NDArray[np.float64]

FALSE_ALARMS = 0.01
"""How often one history without any step, all its series together, may name one."""

WINDOW = 20
"""Releases on either side that a step is held against."""

SLIGHT = 0.01
"""What repeats exactly changes a little in nearly every release: below this it is a change, and no step."""

COLLECTIONS = "collections"
"""The unit of what follows from how much is allocated: one more or less is what the garbage collector makes
of a change elsewhere."""

BOUND = 3.0
PENALTY = 30.0
"""Of the fit, in units of the noise: where a release stops counting, and the squares a change must save."""

LEAST_SIDE = ceil(PENALTY / BOUND**2)
"""Releases on either side without which nothing is a step, by that fit: it persists."""

NEAR_PENALTY = 8.0
NEAR_P = 1e-3
"""Of candidates: what is worth measuring again."""

EFFICIENCY = 1.023
"""The standard error of Hodges' and Lehmann's shift, relative to that of means, for normal noise."""

CLEARLY = 10.0
"""A step has to explain the releases around it better than a drift by this much, in squares of the noise."""

STEADIER = 0.8
"""A series is taken relative to its control where that leaves at most this part of the noise."""

LEAST_RELEASES = 8
"""Below this a series cannot tell its noise."""


@dataclass(frozen=True)
class Key:
    """Which series."""

    machine: str
    environment: str
    """asv's name of it, server included."""
    benchmark: str
    parameters: tuple[str, ...]
    """Strategy and DataFrame; of a control the start method."""

    @property
    def metric(self) -> str:
        """`first_query` of `query.Query.track_first_query`."""
        return self.benchmark.rpartition(".")[2].removeprefix("track_")

    @property
    def cell(self) -> str:
        return ", ".join(self.parameters)

    def beside(self, benchmark: str, parameters: tuple[str, ...]) -> "Key":
        """Another series of the same machine and environment."""
        return replace(self, benchmark=benchmark, parameters=parameters)


@dataclass(frozen=True)
class Series:
    """One figure over the releases."""

    key: Key
    unit: str
    releases: tuple[str, ...]
    """In version order."""
    samples: tuple[tuple[float, ...], ...]
    """Of each release: a parent each."""

    @property
    def exact(self) -> bool:
        """Whether it counts what repeats exactly, so that any change is a step."""
        return self.unit not in metrics.MIN_RELATIVE_CHANGE

    @cached_property
    def medians(self) -> Values:
        # Of a handful of samples each: numpy's would take fifty times as long.
        return np.array([median(values) for values in self.samples], dtype=np.float64)

    @cached_property
    def logs(self) -> Values:
        """Medians on a logarithmic scale, on which ratios are differences."""
        return np.log(self.medians)

    @cached_property
    def error(self) -> float:
        """One standard deviation of a release's figure, as its own samples tell: 0 where none has several."""
        errors = [
            # Of a median, whose error is 1.25 times that of a mean.
            1.25 * stdev(map(log, values)) / len(values) ** 0.5
            for values in self.samples
            if len(values) > 1 and min(values) > 0
        ]
        return median(errors) if errors else 0.0

    def halved(self) -> "Series":
        """Every second sample of each release."""
        return replace(self, samples=tuple(values[::2] for values in self.samples))


@dataclass(frozen=True)
class Step:
    """A release from which on a figure is another one, or may be."""

    key: Key
    unit: str
    previous: str
    release: str
    """The first with the new figure."""
    before: float
    after: float
    """Medians of the releases on either side."""
    ratio: float
    low: float
    high: float
    """Its 99 % interval."""
    p: float
    """How often noise alone would look like this at one place of one series."""
    doubt: str = ""
    """Why it is a candidate only; empty for a real step."""
    again: str = ""
    """What measuring both releases again, in turns, said: the verdict and the ratio with its interval."""

    @property
    def real(self) -> bool:
        return not self.doubt

    @property
    def slight(self) -> bool:
        """Whether it is a change of what repeats exactly that a list of steps would drown in."""
        if self.unit in metrics.MIN_RELATIVE_CHANGE:
            return False
        if self.unit == COLLECTIONS and abs(self.after - self.before) <= 1:
            return True
        return 1 - SLIGHT < self.ratio < 1 + SLIGHT

    @property
    def between(self) -> Between:
        """What measuring again is asked about."""
        strategy, dataframe = self.key.parameters
        return Between(self.previous, self.release, self.key.metric, strategy, dataframe)

    @property
    def worse(self) -> bool:
        return self.ratio > 1


@dataclass(frozen=True)
class Floor:
    """What a series could show."""

    key: Key
    unit: str
    noise: float
    """What one release's figure is uncertain by, relative (one standard deviation)."""
    change: float
    """The smallest relative change that would be found, with `WINDOW` releases on either side."""


@dataclass(frozen=True)
class Verdicts:
    """What a set of results says."""

    found: tuple[Step, ...]
    floors: tuple[Floor, ...]

    @property
    def steps(self) -> list[Step]:
        return [step for step in self.found if step.real and not step.slight]

    @property
    def slight(self) -> list[Step]:
        """Changes of what repeats exactly that are too small for a step."""
        return [step for step in self.found if step.slight]

    @property
    def candidates(self) -> list[Step]:
        return [step for step in self.found if not step.real]


def recorded(results: Path = ROOT / "results") -> Verdicts:
    """What a folder of asv's results says, and what was measured again."""
    return verdicts(load(results), retest.load())


def load(results: Path) -> list[Series]:
    """All series of asv's results that have a strategy and a DataFrame, and their controls."""
    config = Config.from_json({"results_dir": str(results), "repo": ".", "benchmark_dir": "benchmarks"})
    known = Benchmarks.load(config)
    found: dict[Key, dict[str, tuple[float, ...]]] = {}
    units: dict[Key, str] = {}
    for path, result in stored.results(results):
        with files.understood(path, stored.REMEDY):
            release = str(Version(result.commit_hash))
            for key, kept, unit in samples(result, known):
                found.setdefault(key, {})[release] = kept
                units[key] = unit
    return [
        Series(key, units[key], ordered, tuple(by_release[release] for release in ordered))
        for key, by_release in found.items()
        for ordered in [tuple(sorted(by_release, key=Version))]
    ]


def samples(result: Results, known: Benchmarks) -> Iterator[tuple[Key, tuple[float, ...], str]]:
    """What one results file holds of such series: the samples of each, and their unit."""
    for name in sorted(result.get_result_keys(known)):
        benchmark = known[name]
        if name != CONTROL_BENCHMARK and benchmark["param_names"] != ["strategy", "dataframe"]:
            continue
        for stored_value in stored.values(result, name, benchmark["params"]):
            key = Key(result.params["machine"], result.env_name, name, stored_value.parameters)
            yield key, stored_value.samples, benchmark["unit"]


def verdicts(series: Iterable[Series], again: Iterable[Confirmation] = ()) -> Verdicts:
    """Real steps, candidates and floors of all series together; `again` is what was measured in turns."""
    again = list(again)
    by_key = {one.key: one for one in series}
    measured = [one for one in by_key.values() if one.key.benchmark != CONTROL_BENCHMARK]
    noisy = [
        one
        for one in measured
        if not one.exact and len(one.releases) >= LEAST_RELEASES and np.all(one.medians > 0)
    ]
    places = sum(len(one.releases) - 1 for one in noisy)
    trials = [Trial(one, control_of(one, by_key), FALSE_ALARMS / places) for one in noisy]
    by_trial = {trial.series.key: trial for trial in trials}
    for trial in trials:
        trial.find()
    agree(trials)
    found = [step for one in measured if one.exact for step in changes(one)]
    for trial in trials:
        found += [settled(doubted(step, by_trial), again) for step in trial.found()]
    return Verdicts(tuple(sorted(found, key=order)), tuple(trial.floor for trial in trials))


def order(step: Step) -> tuple[Version, str, tuple[str, ...]]:
    return Version(step.release), step.key.benchmark, step.key.parameters


def control_of(series: Series, by_key: Mapping[Key, Series]) -> Series | None:
    """The bare start method that was measured in the same turns, of a time."""
    if series.unit != "seconds":
        return None
    method = strategies.get(series.key.parameters[0]).start_method
    control = by_key.get(series.key.beside(CONTROL_BENCHMARK, (method,)))
    return control if control and set(series.releases) <= set(control.releases) else None


def changes(series: Series) -> list[Step]:
    """Of what repeats exactly: each release that is not as the one before."""
    return [
        Step(
            series.key, series.unit, series.releases[at - 1], series.releases[at],
            before, after, ratio, ratio, ratio, 0.0,
        )
        for at in range(1, len(series.releases))
        if set(series.samples[at]) != set(series.samples[at - 1])
        for before, after in [(float(series.medians[at - 1]), float(series.medians[at]))]
        for ratio in [after / before if before else float("inf")]
    ]  # fmt: skip


class Trial:
    """One series and what it is held against."""

    def __init__(self, series: Series, control: Series | None, alpha: float) -> None:
        self.series = series
        self._alpha = alpha
        self._logs = series.logs
        self.noise = noise(series, self._logs)
        self._control: Values | None = None
        if control:
            at = [control.releases.index(release) for release in series.releases]
            moved = control.logs[at] - np.median(control.logs[at])
            if (rest := noise(series, series.logs - moved)) < STEADIER * self.noise:
                self._logs, self.noise = series.logs - moved, rest
            else:
                self._control = moved
        size = float(np.median(series.medians))
        self.minimum = log(1 + metrics.min_relevant_change(series.key.metric, size, series.unit))
        # A series that hardly varies is not believed to the last digit.
        self._believed = max(self.noise, self.minimum / 4)
        self.places: list[int] = []
        """Where a new level begins: the index of the first release that has it."""

    @property
    def floor(self) -> Floor:
        error = self._error(WINDOW, WINDOW)
        least = max(self.minimum, self._needed(WINDOW, WINDOW) * error)
        return Floor(self.series.key, self.series.unit, self.noise, exp(least) - 1)

    def find(self) -> None:
        """Set the places of real steps."""
        places = self._placed(levels(self._logs / self._believed, PENALTY))
        while places:
            judged = [(self._weight(at, places), at) for at in places]
            weight, weakest = min(judged)
            if weight >= 1 and not (doubtful := [at for at in places if self._doubt(at, places)]):
                break
            places = [at for at in places if at != (weakest if weight < 1 else doubtful[0])]
        self.places = places

    def _placed(self, places: Sequence[int]) -> list[int]:
        """The same places, or others close by that leave much less.

        To the fit a few releases that are off are off, by however much: a small step shortly before a large
        one draws that one to itself.
        """
        settled: list[int] = []
        few = LEAST_SIDE - 1
        for number, place in enumerate(places):
            first = max([0, place - WINDOW, *settled])
            last = min([len(self._logs), place + WINDOW, *places[number + 1 :]])
            logs, here = self._logs[first:last], place - first
            size = abs(np.median(logs[here:]) - np.median(logs[:here]))

            def left(at: int, logs: Values = logs, size: float = size) -> float:
                """What a step there leaves, in squares of the noise; what is off by more has no say."""
                off = [np.minimum(np.abs(side - np.median(side)), size) for side in (logs[:at], logs[at:])]
                return float((np.concatenate(off) ** 2).sum()) / self._believed**2

            best = min(range(max(1, here - few), min(len(logs) - 1, here + few) + 1), key=left)
            settled.append(first + best if left(here) - left(best) > PENALTY else place)
        return settled

    def found(self) -> list[Step]:
        """Real steps, and candidates with the reason of the doubt."""
        places = self.places
        near = levels(self._logs / self._believed, NEAR_PENALTY)
        all_places = sorted({*near, *places})
        real = [self._step(at, places, "") for at in places]
        return real + [
            step
            for at in near
            # The cheaper fit may put a real step one release beside itself.
            if all(abs(at - other) > 1 for other in places)
            and abs(self.shift(at, all_places)) >= self.minimum
            and (step := self._step(at, all_places, self._why_not(at, all_places))).p < NEAR_P
        ]

    def sides(self, at: int, places: Sequence[int]) -> tuple[slice, slice]:
        """The releases before and from `at` on, up to the next steps."""
        first = max([0, at - WINDOW, *(other for other in places if other < at)])
        last = min([len(self._logs), at + WINDOW, *(other for other in places if other > at)])
        return slice(first, at), slice(at, last)

    def shift(self, at: int, places: Sequence[int]) -> float:
        before, after = self.sides(at, places)
        return hodges_lehmann(self._logs[before], self._logs[after])

    def _error(self, before: int, after: int, of: float | None = None) -> float:
        noise = self._believed if of is None else of
        return EFFICIENCY * noise * float(np.sqrt(1 / before + 1 / after))

    def _needed(self, before: int, after: int) -> float:
        return float(student.isf(self._alpha / 2, max(1, before + after - 2)))

    def _counts(self, at: int, places: Sequence[int]) -> tuple[int, int]:
        before, after = self.sides(at, places)
        return before.stop - before.start, after.stop - after.start

    def _weight(self, at: int, places: Sequence[int]) -> float:
        """At least 1 where the change is large enough, and beyond what noise does."""
        counts = self._counts(at, places)
        size = abs(self.shift(at, places))
        return min(size / (self._needed(*counts) * self._error(*counts)), size / self.minimum)

    def moved(self, step: Step) -> tuple[float, float] | None:
        """By how much this series moved where that one did, and the 99 % margin, on that one's scale.

        A change of SQLAlchemy is the same number of milliseconds or bytes beside either DataFrame.
        """
        releases = self.series.releases
        if step.release not in releases or not (at := releases.index(step.release)):
            return None
        # What is found beside it is the same step, displaced.
        others = [place for place in self.places if abs(place - at) > 1]
        counts = self._counts(at, others)
        margin = float(student.isf(0.005, max(1, sum(counts) - 2))) * self._error(*counts)
        scale = float(np.median(self.series.medians[self.sides(at, others)[0]])) / step.before
        return log(max(1 + scale * (exp(self.shift(at, others)) - 1), 1e-9)), scale * margin

    def _doubt(self, at: int, places: Sequence[int]) -> str:
        """What else than SQLAlchemy explains it."""
        before, after = self.sides(at, places)
        shift = self.shift(at, places)
        if self._control is not None:
            moved = hodges_lehmann(self._control[before], self._control[after])
            if moved * shift > 0 and abs(moved) >= abs(shift) / 2:
                return "the bare start method moved along: it was the machine"
        if min(self._counts(at, places)) >= 2 and self._drifts(before, after):
            return "a steady drift explains it as well"
        return ""

    def _why_not(self, at: int, places: Sequence[int]) -> str:
        if min(counts := self._counts(at, places)) < LEAST_SIDE:
            where = "at the end of the axis" if at + counts[1] == len(self._logs) else "too short"
            return f"{min(counts)} releases, {where}"
        return self._doubt(at, places) or "within what noise may do"

    def _drifts(self, before: slice, after: slice) -> bool:
        releases = np.arange(before.start, after.stop, dtype=np.float64)
        values = self._logs[before.start : after.stop]
        slope, intercept = theilslopes(values, releases)[:2]
        level = np.concatenate(
            [np.full(len(self._logs[side]), np.median(self._logs[side])) for side in (before, after)]
        )

        def loss(fit: Values) -> float:
            return float(np.minimum(((values - fit) / self._believed) ** 2, BOUND**2).sum())

        return loss(intercept + slope * releases) <= loss(level) + CLEARLY

    def _step(self, at: int, places: Sequence[int], doubt: str) -> Step:
        before, after = self.sides(at, places)
        counts = self._counts(at, places)
        shift = self.shift(at, places)
        freedom = max(1, sum(counts) - 2)
        margin = float(student.isf(0.005, freedom)) * self._error(*counts, of=self.noise)
        medians, releases = self.series.medians, self.series.releases
        return Step(
            key=self.series.key,
            unit=self.series.unit,
            previous=releases[at - 1],
            release=releases[at],
            before=float(np.median(medians[before])),
            after=float(np.median(medians[after])),
            ratio=exp(shift),
            low=exp(shift - margin),
            high=exp(shift + margin),
            p=float(2 * student.sf(abs(shift) / self._error(*counts), freedom)),
            doubt=doubt,
        )


def noise(series: Series, logs: Values) -> float:
    """One standard deviation of a release's figure: from its neighbours, and from its samples."""
    between = 1.4826 * float(np.median(np.abs(np.diff(logs)))) / 2**0.5
    return max(between, series.error)


def levels(values: Values, penalty: float) -> list[int]:
    """Where a new level begins: the piecewise constant fit of values whose noise is 1.

    Dynamic programming over the levels that the values themselves and their running medians suggest.
    """
    count = len(values)
    suggested = [values]
    for width in (3, 5, 9, 15):
        if count >= width:
            windows = np.lib.stride_tricks.sliding_window_view(values, width)
            suggested.append(np.median(windows, axis=1))
    level = np.unique(np.concatenate(suggested))
    loss = np.minimum((values[:, None] - level[None, :]) ** 2, BOUND**2)
    cost = loss[0]
    origins = []
    for at in range(1, count):
        cheapest = int(np.argmin(cost))
        stays = cost <= cost[cheapest] + penalty
        origins.append(np.where(stays, np.arange(len(level)), cheapest))
        cost = np.minimum(cost, cost[cheapest] + penalty) + loss[at]
    now, places = int(np.argmin(cost)), []
    for at in range(count - 1, 0, -1):
        origin = int(origins[at - 1][now])
        if origin != now:
            places.append(at)
        now = origin
    return places[::-1]


def hodges_lehmann(before: Values, after: Values) -> float:
    """By how much the later values are larger: the median of all pairs' differences."""
    return float(np.median(np.subtract.outer(after, before)))


def agree(trials: Sequence[Trial]) -> None:
    """Put a step that stands beside one which more series of its environment have, where they have it."""
    by_place: dict[tuple[str, str], Counter[str]] = {}
    for trial in trials:
        key, releases = trial.series.key, trial.series.releases
        counted = by_place.setdefault((key.machine, key.environment), Counter())
        counted.update(releases[at] for at in trial.places)
    for trial in trials:
        releases = trial.series.releases
        counted = by_place[trial.series.key.machine, trial.series.key.environment]
        trial.places = sorted(
            {
                max(
                    # The place itself comes first: it stays where no other has more.
                    (at, *(other for other in (at - 1, at + 1) if 0 < other < len(releases))),
                    key=lambda place: counted[releases[place]],
                )
                for at in trial.places
            }
        )


def doubted(step: Step, trials: Mapping[Key, Trial]) -> Step:
    """The step, doubted where a series that has to move along surely did not."""
    if step.doubt:
        return step
    key, size = step.key, log(step.ratio)
    strategy, dataframe = key.parameters
    metric = metrics.of_benchmark(key.benchmark)
    twins = metric.same_code if metric else ()
    for twin in twins if strategy in twins else ():
        trial = trials.get(key.beside(key.benchmark, (twin, dataframe)))
        if twin != strategy and trial and (moved := trial.moved(step)) and moved[0] / size < 0.5:
            return replace(step, doubt=f"{twin} runs the same code until then, and did not move")
    for other in DATAFRAMES:
        trial = trials.get(key.beside(key.benchmark, (strategy, other)))
        if other != dataframe and trial and (moved := trial.moved(step)):
            shift, margin = moved
            if shift + margin < size / 2 if size > 0 else shift - margin > size / 2:
                return replace(step, doubt=f"with the DataFrame {other} it did not move")
    return step


def settled(step: Step, again: Sequence[Confirmation]) -> Step:
    """The step, with what measuring it again said of it.

    What SQLAlchemy changed is changed on any machine: one that could decide counts, first of all its own.
    """
    told = [
        (verdict == "undecided", one.machine != step.key.machine, verdict, one)
        for one in again
        if one.figure == step.between
        for verdict in [one.of(step.ratio)]
    ]
    if not told:
        return step
    _, elsewhere, verdict, one = min(told, key=lambda each: each[:2])
    where = f", on {one.machine}" if elsewhere else ""
    said = f"{verdict}: {one.ratio - 1:+.1%} ({one.low - 1:+.1%} to {one.high - 1:+.1%}){where}"
    doubt = {"confirmed": "", "refuted": f"measured again in turns{where}, it is gone"}
    return replace(step, again=said, doubt=doubt.get(verdict, step.doubt))
