"""Advice is computed: other figures, other sentences."""

import json
import re
from html import unescape
from itertools import combinations
from math import inf
from pathlib import Path
from statistics import median

import pytest

from harness import strategies
from harness.answer import quick_report, recommendation, verdicts
from harness.answer.figures import answers, ranking, sentences
from harness.answer.figures.ranking import MedianRange
from harness.lifecycles import intervals
from harness.lifecycles.blocks import Block, MeasuredRun
from harness.system.conditions import Conditions
from harness.system.environment import ROOT
from tests.support.results import RESULTS

FIGURES = {
    ("fork_dispose", "time_to_first_row"): 0.0088,
    ("fork_dispose", "first_query"): 0.0061,
    ("fork_dispose", "second_query"): 0.0005,
    ("nullpool", "first_query"): 0.0047,
    ("nullpool", "second_query"): 0.0028,
    ("forkserver_preload", "time_to_first_row"): 0.0172,
    ("spawn", "time_to_first_row"): 0.204,
}


BREAK_EVEN = "a pool costs less than NullPool if a worker makes more than 1.6 queries (and so on)"


def advice(**changed: float | None) -> str:
    figures = FIGURES | {tuple(name.split("__")): value for name, value in changed.items()}

    def read(strategy: str, metric: str) -> MedianRange | None:
        median = figures.get((strategy, metric))
        return None if median is None else MedianRange(median, median - 0.0001, median + 0.0001)

    return "\n".join([*sentences.choice(read), *sentences.beside_the_rules(read, BREAK_EVEN)])


def test_it_names_each_rule_with_the_cost_of_its_strategy() -> None:
    assert "Fork's conditions may not hold: `forkserver_preload`, first row after 17 ms." in advice()
    assert "The program keeps its connections open: `fork_dispose`, first row after 8.8 ms." in advice()
    assert all(f"{rule.in_order}: `{rule.strategy}`" in advice() for rule in recommendation.rules("160 ms"))
    assert "For comparison with `forkserver_preload`: 200 ms with `spawn`." in advice()
    assert "live 160 ms or longer" in advice()
    assert "live 320 ms or longer" in advice(forkserver_preload__time_to_first_row=0.0345)


@pytest.fixture(autouse=True)
def runs_that_agree(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is added to the intervals of a run, except where a test reads the record."""
    if "recorded" not in request.fixturenames and "site_pages" not in request.fixturenames:
        monkeypatch.setattr(intervals, "widening", lambda *_: 0.0)


def test_the_sentence_on_pools_ends_with_the_recorded_number_of_queries() -> None:
    more = "costs 1.4 ms more once, `nullpool` costs 2.3 ms more at each further checkout"
    assert f"{more}; {BREAK_EVEN}." in advice()
    assert f"and more at the first; {BREAK_EVEN}." in advice(fork_dispose__first_query=0.001)


def test_where_a_pool_saves_nothing_there_is_no_such_number() -> None:
    text = advice(nullpool__second_query=0.0001)
    assert "are no cheaper with the pool here" in text
    assert BREAK_EVEN not in text


def test_first_queries_with_overlapping_intervals_are_not_ranked() -> None:
    for difference in (-0.0001, 0.0001):
        level = advice(fork_dispose__first_query=FIGURES["nullpool", "first_query"] + difference)
        assert "Until the first row, `fork_dispose` and `nullpool` cannot be distinguished" in level
        assert level.partition("cannot be distinguished")[2].startswith("; `nullpool` costs 2.3 ms more")


def test_later_checkouts_with_overlapping_intervals_are_not_ranked() -> None:
    level = advice(nullpool__second_query=0.0006)
    assert "At further checkouts `fork_dispose` and `nullpool` cannot be distinguished here" in level
    assert BREAK_EVEN not in level


def test_a_run_without_intervals_ranks_nothing() -> None:
    def read(strategy: str, metric: str) -> MedianRange | None:
        median = FIGURES.get((strategy, metric))
        return None if median is None else MedianRange(median, -inf, inf)

    assert "cannot be distinguished" in sentences.pool(read, "")


@pytest.fixture
def recorded() -> list[dict[tuple[str, str], list[float]]]:
    """The samples of each A/A run, by strategy and metric, without a DataFrame."""
    runs: list[dict[tuple[str, str], list[float]]] = []
    for name in ("sensitivity", "sensitivity_loaded"):
        figures = json.loads((ROOT / "records" / f"{name}.json").read_text())["figures"]
        of_name: list[dict[tuple[str, str], list[float]]] = [{} for _ in figures[0]["runs"]]
        for figure in figures:
            if figure["dataframe"] == "none":
                for run, samples in zip(of_name, figure["runs"], strict=True):
                    run[figure["strategy"], figure["metric"]] = samples
        runs += of_name
    return runs


def measured_run(samples: dict[tuple[str, str], list[float]], parents: int) -> MeasuredRun:
    """A run with a block for each parent."""
    blocks = []
    for number in range(parents):
        of_block: dict[str, dict[str, float]] = {}
        for (strategy, metric), values in samples.items():
            of_block.setdefault(f"{strategy}.none", {})[metric] = values[number]
        blocks.append(Block(number, "", of_block, {}, {}, Conditions(1, 0, 0, 0)))
    return MeasuredRun("2.1.9", "embedded-18.4-tcp-trust", blocks)


@pytest.mark.parametrize("parents", [2, 3, 5])
def test_runs_that_contradict_one_another_do_not_rank(
    recorded: list[dict[tuple[str, str], list[float]]], parents: int
) -> None:
    """Twenty recorded runs of one release, cut to as few parents as a quick answer has."""
    runs = [{cell: samples[:parents] for cell, samples in run.items()} for run in recorded]
    first_queries = [[run[name, "first_query"] for name in ("fork_dispose", "nullpool")] for run in runs]
    if parents == 2:
        # Without an interval, by the range of the parents, these runs gave opposite advice.
        assert any(max(pooled) < min(poolless) for pooled, poolless in first_queries)
        assert any(min(pooled) > max(poolless) for pooled, poolless in first_queries)
    for run in runs:
        measured = measured_run(run, parents)

        def read(strategy: str, metric: str, measured: MeasuredRun = measured) -> MedianRange | None:
            return quick_report.estimate(measured, strategy, metric)

        sentence = sentences.pool(read, "")
        assert "cannot be distinguished" in sentence
        assert "more once" not in sentence


def test_two_runs_of_one_thing_are_never_ranked(
    recorded: list[dict[tuple[str, str], list[float]]],
) -> None:
    """Their own intervals often do not overlap; widened, they do."""
    half = len(recorded) // 2
    separate = 0
    for strategy, metric in recorded[0]:
        for record in (recorded[:half], recorded[half:]):
            estimates = [
                MedianRange(median(samples), *intervals.of_median(samples))
                for samples in (run[strategy, metric] for run in record)
            ]
            for one, other in combinations(estimates, 2):
                separate += one.high < other.low or other.high < one.low
                figures = [ranking.CellFigure(each, metric, strategy) for each in (one, other)]
                assert ranking.order(*figures) is ranking.Order.UNKNOWN, (strategy, metric)
    assert separate > 5


def test_memory_is_compared_before_and_after_a_collection() -> None:
    figures = {
        ("fork_dispose", "uss"): 4,
        ("fork_dispose", "uss_collected"): 16,
        ("spawn", "uss"): 30,
        ("spawn", "uss_collected"): 30,
    }

    def read(strategy: str, metric: str) -> MedianRange | None:
        mebibytes = figures.get((strategy, metric))
        size = 0 if mebibytes is None else mebibytes * 2**20
        return MedianRange(size, size - 1, size + 1) if size else None

    memory, cause = sentences.memory(read)
    assert memory == (
        "One more worker takes, before and after its first full garbage collection: 4.0 MiB and 16 MiB with"
        " `fork_dispose`, 30 MiB and 30 MiB with `spawn`."
    )
    assert "`fork_dispose` workers share" in cause
    assert "gc.freeze()" in cause
    figures["fork_dispose", "uss_collected"] = 4
    assert len(list(sentences.memory(read))) == 1


def test_a_sentence_without_figures_is_left_out() -> None:
    assert BREAK_EVEN not in advice(nullpool__second_query=None)
    assert [*sentences.choice(lambda *_: None), *sentences.beside_the_rules(lambda *_: None, "")] == []


def test_the_conditions_of_fork_are_those_by_which_fork_dispose_differs_from_the_fork_server() -> None:
    recorded = verdicts.load()
    release = recorded.newest_release
    fork, server = (
        {condition for condition, _ in recorded.worst(name, release).excluded}
        for name in (recommendation.FORKED, recommendation.PRELOADED)
    )
    assert fork - server == set(recommendation.CONDITIONS_OF_FORK)


def test_fork_sever_is_recommended_for_conditions_that_it_does_not_need_by_the_record() -> None:
    recorded = verdicts.load()
    needed = {
        condition for condition, _ in recorded.worst(recommendation.SEVERED, recorded.newest_release).excluded
    }
    assert not needed & set(recommendation.SEVERED_LACKS)
    assert set(recommendation.SEVERED_LACKS) < set(recommendation.CONDITIONS_OF_FORK)
    for given in recommendation.all_answers():
        strategy = recommendation.decide(given).strategy
        # The other forks need what the answer does not promise.
        assert given["conditions"] != "in_use" or strategy in (
            recommendation.SEVERED,
            recommendation.PRELOADED,
        )


def test_every_strategy_says_when_to_use_it() -> None:
    for strategy in strategies.CATALOGUE + strategies.FURTHER:
        text = recommendation.use_when(strategy, "2 s")
        assert text.endswith(".")
        assert text.startswith(("When ", "Never"))
        # One source: a strategy that a rule names has no sentence of its own.
        named = any(rule.strategy == strategy.id for rule in recommendation.rules())
        assert named != bool(strategy.choose)


def test_the_readme_and_the_site_show_the_same_rules(site_pages: dict[str, str]) -> None:
    readme = (ROOT / "README.md").read_text()
    strategies_page = (ROOT / "docs" / "strategies.md").read_text()
    life = sentences.life(answers.default(RESULTS).estimate)
    for rule in recommendation.rules(life):
        assert rule.in_order in readme
        assert f"{rule.in_order}: [`{rule.strategy}`](#{rule.strategy}). {rule.reason}" in strategies_page
        assert rule.in_order in site_pages["choose.html"]
        assert f'<td data-label="if">{rule.in_order}</td>' in site_pages["index.html"]
    for rule in recommendation.rules(life):
        assert rule.condition[1:] in strategies_page


CLAUSES = {
    r"may not hold": lambda given: given["conditions"] == "open",
    r"share no data of the parent": lambda given: given["data"] == "none",
    r"live .+ or longer": lambda given: given["life"] == "long",
    r"kept by a pooler": lambda given: given["connections"] != "pool",
    r"keeps its connections open": lambda given: given["connections"] == "pool",
    r"except that connections may be in use": lambda given: given["conditions"] == "in_use",
}
"""What a reader understands by the clauses of a shown condition."""


def read(given: dict[str, str]) -> str:
    """The strategy that a reader of the rules, in their order, takes for these answers."""
    for rule in recommendation.rules():
        clauses = [holds for clause, holds in CLAUSES.items() if re.search(clause, rule.in_order)]
        assert clauses, rule.in_order
        if all(holds(given) for holds in clauses):
            return rule.strategy
    raise AssertionError(f"no rule for {given}")


def test_what_is_shown_of_the_rules_decides_as_they_do(site_pages: dict[str, str]) -> None:
    found = re.search(r"data-decisions='(.*?)'", site_pages["choose.html"])
    assert found
    decisions, rules = json.loads(found[1]), recommendation.rules()
    questions = list(recommendation.all_answers())
    assert len(questions) == len(decisions) == 72
    for given in questions:
        rule, _ = decisions[".".join(given.values())]
        assert read(given) == rules[rule].strategy == recommendation.decide(given).strategy, given


def test_a_strategy_whose_conditions_may_not_hold_is_never_recommended() -> None:
    for given in recommendation.all_answers():
        strategy = strategies.get(recommendation.decide(given).strategy)
        assert strategy.safe
        assert given["conditions"] != "open" or not strategy.inherits


@pytest.mark.parametrize("page", ["README.md", "docs/strategies.md", "docs/results.md"])
def test_no_page_calls_a_strategy_safe_beside_what_was_provoked(page: str) -> None:
    for line in (ROOT / page).read_text().splitlines():
        if "silent loss" in line or "wrong data" in line:
            assert not re.search(r"\bsafe\b|\| yes \|", line)


@pytest.fixture(scope="module")
def site_pages(site: Path) -> dict[str, str]:
    return {name: unescape((site / name).read_text()) for name in ("index.html", "choose.html")}


def test_every_page_has_the_same_number_of_queries_from_which_on_a_pool_pays_off(
    site_pages: dict[str, str],
) -> None:
    texts = [(ROOT / name).read_text() for name in ("README.md", "docs/results.md", "docs/curves.md")]
    texts += [site_pages[address] for address in ("index.html", "choose.html")]
    numbers = [re.findall(r"if a worker makes more than ([\d.]+) queries", text)[:1] for text in texts]
    assert all(numbers)
    assert len(set(map(tuple, numbers))) == 1
