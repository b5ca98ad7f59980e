"""Advice is computed: other figures, other sentences."""

import re
from html import unescape

import pytest

from harness import strategies
from harness.answer import recommendation, results
from harness.console import markdown
from harness.site.context import SiteContext, bed_contexts
from harness.site.pages import answer, choose, navigation
from harness.system.environment import ROOT

FIGURES = {
    ("fork_dispose", "time_to_first_row"): 0.0088,
    ("fork_dispose", "first_query"): 0.0061,
    ("fork_dispose", "second_query"): 0.0005,
    ("nullpool", "first_query"): 0.0047,
    ("nullpool", "second_query"): 0.0028,
    ("forkserver_preload", "time_to_first_row"): 0.0172,
    ("spawn", "time_to_first_row"): 0.204,
}


def told(**changed: float | None) -> str:
    figures = FIGURES | {tuple(name.split("__")): value for name, value in changed.items()}

    def read(strategy: str, metric: str) -> recommendation.MedianRange | None:
        median = figures.get((strategy, metric))
        return (
            None if median is None else recommendation.MedianRange(median, median - 0.0001, median + 0.0001)
        )

    return "\n".join(recommendation.sentences(read))


def test_it_names_what_to_choose_with_and_without_threads() -> None:
    assert "`fork_dispose`, first row after 8.8 ms" in told()
    assert "Otherwise: `forkserver_preload`, first row after 17 ms (204 ms with `spawn`)." in told()
    assert "Otherwise: `spawn`, first row after 5.0 ms (17 ms with `forkserver_preload`)." in told(
        spawn__time_to_first_row=0.005
    )


@pytest.mark.parametrize(
    ("dearer", "query"),
    [(0.0005, "second"), (0.0060, "fourth"), (0.0230, "11th"), (0.0500, "23rd"), (0.0460, "21st")],
)
def test_the_pool_is_cheaper_from_the_query_on_at_which_the_sums_cross(dearer: float, query: str) -> None:
    once = FIGURES["nullpool", "first_query"] + dearer
    number = {"second": 2, "fourth": 4}.get(query) or int(query.rstrip("stndrh"))
    assert f"a pool is cheaper from the {query} query on" in told(fork_dispose__first_query=once)

    def total(strategy: str, first: float, queries: int) -> float:
        return first + (queries - 1) * FIGURES[strategy, "second_query"]

    # The independent way: by adding up.
    without = FIGURES["nullpool", "first_query"]
    assert total("fork_dispose", once, number) <= total("nullpool", without, number)
    assert total("fork_dispose", once, number - 1) > total("nullpool", without, number - 1)


def test_a_pool_that_costs_no_more_at_first_is_cheaper_from_the_start() -> None:
    assert "cheaper from the start" in told(fork_dispose__first_query=0.001)
    assert "measure again" in told(nullpool__second_query=0.0001)


def test_first_queries_with_overlapping_intervals_are_not_ranked() -> None:
    for difference in (-0.0001, 0.0001):
        level = told(fork_dispose__first_query=FIGURES["nullpool", "first_query"] + difference)
        assert "take the same time within their intervals" in level
        assert "a pool is cheaper from the second query on" in level


def test_a_sentence_without_figures_is_left_out() -> None:
    assert "nullpool" not in told(nullpool__second_query=None)
    assert recommendation.sentences(lambda *_: None) == []


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
    life = recommendation.life(results.default(ROOT / "results").estimate)
    for rule in recommendation.rules(life):
        assert rule.condition in readme
        assert rule.reason in readme
        assert rule.condition in site_pages["choose.html"]
    strategies_page = (ROOT / "docs" / "strategies.md").read_text()
    for rule in recommendation.rules():
        assert rule.condition[1:] in strategies_page


def test_the_readme_and_the_site_show_the_same_sentences(site_pages: dict[str, str]) -> None:
    readme = (ROOT / "README.md").read_text()
    for sentence in recommendation.sentences(results.default(ROOT / "results").estimate):
        assert f"- {sentence}" in readme
        assert markdown.html(sentence) in site_pages["index.html"]


@pytest.mark.parametrize("page", ["README.md", "docs/strategies.md", "docs/results.md"])
def test_no_page_calls_a_strategy_safe_beside_what_was_provoked(page: str) -> None:
    for line in (ROOT / page).read_text().splitlines():
        if "silent loss" in line or "wrong data" in line:
            assert not re.search(r"\bsafe\b|\| yes \|", line)


@pytest.fixture(scope="module")
def site_pages() -> dict[str, str]:
    context = SiteContext(ROOT / "results", navigation())
    bed = next(iter(bed_contexts(context)))
    files = [*answer.pages(bed), *choose.pages(context)]
    return {address: unescape(text) for address, text in files}
