"""Advice is computed: other figures, other sentences."""

import pytest

from harness.answer import recommendation

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

    def read(strategy: str, metric: str) -> recommendation.Range | None:
        median = figures.get((strategy, metric))
        return None if median is None else recommendation.Range(median, median - 0.0001, median + 0.0001)

    return "\n".join(recommendation.sentences(read))


def test_it_names_what_to_choose_with_and_without_threads() -> None:
    assert "fork_dispose, which has its first row after 8.8 ms" in told()
    assert "Otherwise forkserver_preload: 17 ms; 204 ms with spawn." in told()
    assert "Otherwise spawn: 5.0 ms; 17 ms with forkserver_preload." in told(spawn__time_to_first_row=0.005)


@pytest.mark.parametrize(
    ("dearer", "query"),
    [(0.0005, "second"), (0.0060, "fourth"), (0.0230, "11th"), (0.0500, "23rd"), (0.0460, "21st")],
)
def test_the_pool_is_cheaper_from_the_query_on_at_which_the_sums_cross(dearer: float, query: str) -> None:
    once = FIGURES["nullpool", "first_query"] + dearer
    number = {"second": 2, "fourth": 4}.get(query) or int(query.rstrip("stndrh"))
    assert f"from the {query} query on the pool is cheaper" in told(fork_dispose__first_query=once)

    def total(strategy: str, first: float, queries: int) -> float:
        return first + (queries - 1) * FIGURES[strategy, "second_query"]

    # The independent way: by adding up.
    without = FIGURES["nullpool", "first_query"]
    assert total("fork_dispose", once, number) <= total("nullpool", without, number)
    assert total("fork_dispose", once, number - 1) > total("nullpool", without, number - 1)


def test_what_costs_nothing_more_is_said_to_be_cheaper_from_the_start() -> None:
    assert "cheaper from the start" in told(fork_dispose__first_query=0.001)
    assert "measure again" in told(nullpool__second_query=0.0001)


def test_first_queries_that_cannot_be_told_apart_are_not_ranked() -> None:
    for difference in (-0.0001, 0.0001):
        level = told(fork_dispose__first_query=FIGURES["nullpool", "first_query"] + difference)
        assert "cannot be told apart" in level
        assert "from the second query on the pool is cheaper" in level


def test_a_sentence_without_figures_is_left_out() -> None:
    assert "nullpool" not in told(nullpool__second_query=None)
    assert recommendation.sentences(lambda *_: None) == []
