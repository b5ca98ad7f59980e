"""asv's regressions page and feed, with the change points of `harness.history.detect` instead of its own.

What is not measured but happens or not, a verdict, has no noise: asv's own detection has the word there.
"""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.graph import GraphSet
from asv.plugins.regressions import Regressions
from asv.publishing import OutputPublisher
from asv.repo import Repo
from asv.util import load_json

from harness import strategies
from harness.history import detect, retest, series
from harness.history.change_point import ChangePoint
from harness.history.series import Series, SeriesKey
from harness.lifecycles import metrics
from harness.releases import stored

VERDICTS = "hazards.Verdicts."

Origin = tuple[str, str]
"""Machine and environment, as `SeriesKey` has them."""


class RealSteps(OutputPublisher):
    """Write `regressions.json` and the feed anew, after asv did.

    asv believes a relative change from a threshold on that somebody sets; here noise sets it.
    """

    order = Regressions.order + 0.5

    @classmethod
    def publish(
        cls, conf: Config, repo: Repo, benchmarks: Benchmarks, graphs: GraphSet, revisions: Mapping[str, int]
    ) -> None:
        by_name = {
            one.key: one
            for one in series.load(Path(conf.results_dir))
            if one.key.benchmark == metrics.CONTROL_BENCHMARK or one.key.parameters[0] in strategies.IDS
        }
        by_key: dict[SeriesKey, list[ChangePoint]] = {}
        for step in detect.change_points(by_name.values(), retest.load()).steps:
            known = {repo.get_hash_from_name(name) for name in (step.previous, step.release)} <= set(
                revisions
            )
            if known:
                by_key.setdefault(step.key, []).append(step)
        asv_found = load_json(str(Path(conf.html_dir) / "regressions.json"))["regressions"]
        found = [tuple(entry) for entry in asv_found if entry[0].startswith(VERDICTS)]
        for environment, graph in graphs_of(conf, graphs):
            for key, some in by_key.items():
                if (key.machine, key.environment) == environment and graph.path.endswith(f"/{key.benchmark}"):
                    entry = regression(by_name[key], some, benchmarks[key.benchmark], repo, revisions)
                    if entry:
                        name, flat, last, best, jumps = entry
                        shown = {
                            parameter: value
                            for parameter, value in graph.params.items()
                            if len(graphs.get_params()[parameter]) > 1
                        }
                        found.append((name, f"{graph.path}.json", shown, flat, last, best, jumps))
        found.sort(key=lambda entry: (entry[1], entry[3]))
        Regressions._save(conf, {"regressions": found})
        names = {revision: name for name, revision in revisions.items()}
        Regressions._save_feed(conf, benchmarks, found, revisions, names)


def graphs_of(conf: Config, graphs: GraphSet) -> list[tuple[Origin, Any]]:
    """asv's graphs of benchmarks, with the machine and environment that each is of."""
    environments = {
        frozenset({**result.params, **prefixed(result.env_vars)}.items()): (
            result.params["machine"],
            result.env_name,
        )
        for _, result in stored.results(Path(conf.results_dir))
    }
    found = []
    for _, graph in graphs:
        told = frozenset((k, v) for k, v in graph.params.items() if v is not None and k != "branch")
        if "summary" not in graph.params and told in environments:
            found.append((environments[told], graph))
    return found


def prefixed(variables: Mapping[str, str]) -> dict[str, str]:
    """As asv names them among the parameters of a graph."""
    return {f"env-{name}": value for name, value in variables.items()}


def regression(
    series: Series, found: list[ChangePoint], benchmark: Any, repo: Repo, revisions: Mapping[str, int]
) -> tuple[str, int, float, float, list[tuple[int | None, int, float, float]]] | None:
    """What asv's page wants to know of one series, or None where nothing got worse."""
    jumps: list[tuple[int | None, int, float, float]] = []
    for step in found:
        if step.worse:
            before, after = (repo.get_hash_from_name(name) for name in (step.previous, step.release))
            only = len(repo.get_hashes_from_range(repo.get_range_spec(before, after))) == 1
            jumps.append((None if only else revisions[before], revisions[after], step.before, step.after))
    if not jumps:
        return None
    parameters = list(product(*benchmark["params"]))
    index = [stored.plain(names) for names in parameters].index(series.key.parameters)
    name = f"{series.key.benchmark}({', '.join(parameters[index])})"
    best = min([found[0].before, *(step.after for step in found)])
    return name, index, found[-1].after, best, jumps
