"""The programs of the site's chooser, in which the workers report their processes and connections."""

import re
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from harness import drivers, strategies
from harness.answer import code, recommendation
from harness.hazards import catalogue
from harness.lookalikes import catalogue as lookalikes
from harness.postgres.server import Server
from tests.support.snippets import PROGRAM, started, urls_without_a_driver

REPORT = "select :task || ' ' || pg_backend_pid() || ' {os.getpid()} {os.getppid()}'"
"""A row that proves who fetched it: task, backend, worker and its parent process."""


@pytest.mark.parametrize("render", [code.process, code.pool, code.executor])
@pytest.mark.parametrize("name", recommendation.RECOMMENDED)
def test_each_worker_is_started_by_the_method_and_has_its_own_connection(
    server: Server, tmp_path: Path, name: str, render: Callable[[strategies.Strategy], str]
) -> None:
    text = render(strategies.get(name))
    reporting = text.replace('text("select :task")', f'text(f"{REPORT}")')
    assert reporting != text
    (tmp_path / PROGRAM).write_text(
        "import os\n"
        + reporting.replace(drivers.URL, server.sqlalchemy_url("page"))
        + '\n    print("main", os.getpid())\n'
    )
    ran = started(tmp_path, sys.executable, PROGRAM)
    assert (ran.returncode, ran.stderr) == (0, ""), text
    rows = re.findall(r"(one|two|three) (\d+) (\d+) (\d+)", ran.stdout)
    (main,) = re.findall(r"main (\d+)", ran.stdout)
    assert [row[0] for row in rows] == (["one"] if render is code.process else ["one", "two", "three"])
    workers = {pid: backend for _, backend, pid, _ in rows}
    assert len(set(workers.values())) == len(workers)
    for _, _, pid, parent in rows:
        assert pid != main
        # A fork server stands between a program and its workers.
        assert (parent == main) == (strategies.get(name).start_method != "forkserver")


CODE = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.DOTALL)


def test_all_code_of_the_site_that_can_be_pasted_is_one_of_these_programs(site: Path) -> None:
    programs = {
        render(strategies.get(name))
        for name in recommendation.RECOMMENDED
        for render in (code.process, code.pool)
    }
    shown = {
        unescape(text)
        for page in site.rglob("*.html")
        for text in CODE.findall(page.read_text().partition("<details>")[0])
    }
    fixes = {fix.code for each in (*catalogue.load_all(), *lookalikes.load_all()) for fix in each.fixes}
    assert shown == programs | fixes


def test_no_page_has_a_url_whose_driver_depends_on_the_release(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        assert urls_without_a_driver(unescape(page.read_text())) == [], page
