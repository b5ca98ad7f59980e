"""Wherever unique memory is compared, memory after a full garbage collection stands beside it."""

import re
from pathlib import Path

import pytest

from harness.answer import recommendation
from harness.answer.figures import answers
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table
from harness.site import picture
from harness.site.pages import choose
from harness.system.environment import ROOT

UNIQUE, COLLECTED = (metrics.get(name) for name in ("uss", "uss_collected"))


def test_every_table_of_the_registry_has_both() -> None:
    for table in Table:
        shown = metrics.shown_in(table)
        assert (UNIQUE in shown) == (COLLECTED in shown), table


@pytest.mark.parametrize("page", ["README.md", "docs/results.md", "docs/strategies.md"])
def test_every_table_of_a_page_has_both(page: str) -> None:
    heads = re.findall(r"(?m)^\|(.*)\|\n\| --- ", (ROOT / page).read_text())
    with_memory = [head for head in heads if UNIQUE.column in head]
    assert with_memory
    assert all(COLLECTED.column in head for head in with_memory)


def test_the_site_and_the_figure_have_both(site: Path) -> None:
    text = (site / "index.html").read_text()
    rows = re.findall(r'<tr id="\w+-(?:none|large)">.*?</tr>', text, re.DOTALL)
    assert len(rows) == 12
    assert all(re.search(r"[\d.]+ after GC", row) for row in rows)
    assert picture.render(answers.default()).count(" MiB<tspan") == 6


def test_the_recipes_say_how_to_prevent_the_copies() -> None:
    for strategy in (recommendation.FORKED, recommendation.PRELOADED):
        assert any("gc.freeze()" in caveat for caveat in choose.CAVEATS[strategy])
    text = (ROOT / "docs" / "strategies.md").read_text()
    # No figure of these strategies is on record yet, and none is invented.
    assert re.search(r"`fork_freeze`\].*\| to be measured \| to be measured \|", text)
    assert re.search(r"celery, [\d.]+ ±[\d.]+ MiB instead of", text)
