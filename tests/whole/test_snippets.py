"""Each snippet of README.md, docs/ and the site runs as pasted, and names its driver."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from harness import drivers, strategies
from harness.answer import code, recommendation
from harness.lookalikes import catalogue as lookalikes
from harness.postgres.server import Server
from harness.system.environment import ROOT
from tests.support import pythons
from tests.support.snippets import (
    DOCUMENTS,
    NAMED,
    PROGRAM,
    Snippet,
    blocks,
    drivers_not_preloaded,
    is_complete,
    run,
    snippets,
    urls_without_a_driver,
)

README = snippets(DOCUMENTS[0])

SITE = [
    Snippet(f"{name}-{render.__name__}", ((PROGRAM, render(strategies.get(name))),))
    for name in recommendation.RECOMMENDED
    for render in (code.pool, code.process)
]

PAGES = [snippet for path in DOCUMENTS for snippet in snippets(path)]

ALL = [*PAGES, *SITE]
"""Those of the site run under this Python in tests/site/test_code.py."""


def expect_rows(snippet: Snippet, directory: Path, server: Server, python: str | Path) -> None:
    done = run(snippet, directory, server.sqlalchemy_url("snippet"), python)
    assert (done.returncode, done.stderr) == (0, ""), snippet.text
    assert done.stdout in ("a row\n", "one\n", "['one', 'two', 'three']\n")


@pytest.mark.parametrize(
    "snippet",
    [pytest.param(each, marks=[] if each in README else pytest.mark.slow) for each in PAGES],
    ids=str,
)
def test_a_program_of_a_page_runs_as_pasted(snippet: Snippet, server: Server, tmp_path: Path) -> None:
    expect_rows(snippet, tmp_path, server, sys.executable)


@pytest.fixture(
    scope="module", params=[version for version in pythons.VERSIONS if version != pythons.RUNNING]
)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another Python, with the newest SQLAlchemy and the pinned psycopg2."""
    home = tmp_path_factory.mktemp(f"python{request.param}") / "environment"
    return pythons.environment_of(request.param, home)


@pytest.mark.slow
@pytest.mark.parametrize("snippet", ALL, ids=str)
def test_each_snippet_runs_as_pasted_under_each_other_python(
    snippet: Snippet, server: Server, tmp_path: Path, python: Path
) -> None:
    expect_rows(snippet, tmp_path, server, python)


def test_there_are_snippets() -> None:
    assert len(README) == 2
    assert len(ALL) > len(strategies.IDS + strategies.FURTHER_IDS) + len(SITE)


@cache
def codes() -> list[str]:
    """The code of each fix, which tests/search/test_cases.py applies to programs."""
    source = (ROOT / "harness" / "fixes.py").read_text()
    texts = [str(node.value) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    return [source, *texts, *(fix.code for each in lookalikes.load_all() for fix in each.fixes)]


def test_what_is_no_program_is_a_module_or_part_of_a_program_that_the_page_links() -> None:
    for path, block in [(page, each) for page in DOCUMENTS for each in blocks(page)]:
        sections = path.read_text().split("\n## ")
        if is_complete(block):
            assert '\nif __name__ == "__main__":\n' in block
            assert drivers.URL in block
        elif path.name == "statistics.md":
            # It reads the results of a checkout: tests/history/test_statistics_page.py runs it.
            assert "from harness." in block
        elif not NAMED.match(block) and not any(block.strip() in code for code in codes()):
            (section,) = [section for section in sections if block in section]
            (link,) = re.findall(r"\[the complete application\]\((.*?)\)", section)
            application = (path.parent / link).read_text()
            for line in block.splitlines():
                assert line.strip() in application


def test_no_document_has_a_url_whose_driver_depends_on_the_release() -> None:
    for path in [*DOCUMENTS, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]:
        assert urls_without_a_driver(path.read_text()) == [], path


MAY_BE_BARE = {"harness/drivers.py", "harness/postgres/embedded.py", "harness/doctor/evidence/server.py"}
"""Knows what such a URL means; make URLs for libpq, which knows no drivers."""


def test_no_message_or_recipe_in_the_code_has_a_url_whose_driver_depends_on_the_release() -> None:
    for path in sorted((ROOT / "harness").rglob("*.py")):
        if str(path.relative_to(ROOT)) in MAY_BE_BARE:
            continue
        nodes = list(ast.walk(ast.parse(path.read_text())))
        documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in documentation
            ):
                assert urls_without_a_driver(node.value) == [], path


def test_a_snippet_preloads_the_driver_that_its_url_names() -> None:
    assert [snippet.place for snippet in ALL if drivers_not_preloaded(snippet.text)] == []


def test_these_tests_notice_a_bare_url_and_the_wrong_preload() -> None:
    assert urls_without_a_driver('engine = create_engine("postgresql://h/d")')
    assert urls_without_a_driver('engine = create_engine("postgres://h/d")')
    assert not urls_without_a_driver("`postgresql://` means psycopg 3")
    psycopg2 = next(snippet.text for snippet in SITE if "set_forkserver_preload" in snippet.text)
    assert drivers_not_preloaded(psycopg2.replace("postgresql+psycopg2://", "postgresql+psycopg://"))
    assert drivers_not_preloaded(psycopg2.replace(', "psycopg2.extras"', ""))
