"""± has one meaning: only one function renders it, and every table that shows it says what it means."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import strategies
from harness.answer import claims, results_report
from harness.answer.figures import answers
from harness.console.numbers import INTERVAL
from harness.lifecycles import report as measure_report
from harness.lifecycles.profile import PROFILES
from harness.programs import report as programs
from harness.system.environment import ROOT
from tests.support.measured import measured_run
from tests.support.results import RESULTS

RENDERED = re.compile(r"\d ±[\d.]+")

TABLE = re.compile(r"(?m)(?:^\|.*\n)+")

RENDERS = {"harness/console/numbers.py"}
"""The module of the function."""


def strings(path: Path) -> Iterator[str]:
    """The strings of a module; docstrings only of commands, whose help they are."""
    if path.parent.name == "cli":
        yield path.read_text()
    tree = ast.parse(path.read_text())
    documented = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.value


def test_only_one_function_renders_it() -> None:
    rendering = {
        str(path.relative_to(ROOT))
        for folder in ("harness", "benchmarks")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".j2", ".js", ".css")
        for text in ([path.read_text()] if path.suffix != ".py" else strings(path))
        if "±" in text
    }
    assert rendering == RENDERS


@pytest.mark.parametrize("page", sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md")))
def test_each_table_of_a_page_says_what_it_means(page: str) -> None:
    says_what_it_means((ROOT / page).read_text())


def test_the_answer_has_no_interval_of_one_run() -> None:
    assert "±" not in (ROOT / "README.md").read_text()


def says_what_it_means(text: str) -> None:
    """Every table with a ± has the meaning in the paragraph after it, or above it on its page."""
    for table in TABLE.finditer(text):
        if RENDERED.search(table[0]):
            section = text[table.end() :].split("\n#")[0]
            assert INTERVAL in text[: table.start()] or INTERVAL in section, table[0]
    if RENDERED.search(text):
        assert INTERVAL in text


def test_each_table_of_the_site_says_what_it_means(site: Path) -> None:
    shown = 0
    for path in site.rglob("*.html"):
        page = path.read_text()
        for table in re.finditer(r"<table.*?</table>", page, re.DOTALL):
            if "±" in table[0]:
                shown += 1
                captions = re.findall(r"<caption.*?</caption>", table[0], re.DOTALL)
                # A table of Markdown has no caption, but a paragraph before it.
                before = re.findall(r"<p>.*?</p>", page[: table.start()], re.DOTALL)[-1:]
                assert INTERVAL in "".join(captions or before), path
    assert shown > 100


@pytest.mark.parametrize("command", ["measure", "results", "programs"])
def test_each_table_of_the_terminal_says_what_it_means(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = PROFILES["quick"]
    match command:
        case "measure":
            measure_report.write(measured_run(), strategies.IDS, ("none",), profile, "table")
        case "results":
            results_report.print_results(answers.of_release(results=RESULTS), "table")
        case "programs":
            recorded = programs.load()
            programs.show(recorded)
    out = capsys.readouterr().out
    assert RENDERED.search(out)
    assert INTERVAL in " ".join(out.split())


def test_the_chinese_claims_say_how_far_runs_differ() -> None:
    text = claims.render("zh", answers.default())
    assert re.search(r"首行相差最多 \d+ %.独占内存最多 \d+ %", text)
