"""`poolstart measure` and `poolstart results`: the whole output."""

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from harness.system.environment import ROOT
from tests.support.command import POOLSTART
from tests.support.remains import Scene, scene
from tests.support.results import RESULTS

FIGURE = re.compile(r"(?<![\w.±])[0-9]+(?:\.[0-9]+)?(?![\w.])")


@pytest.fixture
def here() -> Iterator[Scene]:
    with scene() as made:
        made.environment |= {"POOLSTART_PROFILE": "quick", "POOLSTART_SERVER": "embedded", "COLUMNS": "160"}
        yield made


def poolstart(here: Scene, *arguments: str) -> tuple[int, str, str]:
    run = here.start(POOLSTART, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    out, err = run.communicate(timeout=300)
    return run.returncode, out, err


def row(output: str, strategy: str, number: int = 0) -> list[float]:
    """The figures of the n-th row that begins with a strategy."""
    rows = [line for line in output.splitlines() if re.match(rf"{strategy}\b.* \d", line)]
    return [float(value) for value in FIGURE.findall(rows[number])]


def files() -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (ROOT / "results").rglob("*")}


def test_measure_shows_figures_that_add_up_and_stores_nothing(here: Scene) -> None:
    before = files()
    code, out, err = poolstart(
        here, "measure", "--strategy", "fork_dispose", "--strategy", "fork_nodispose", "--dataframe", "none"
    )
    assert code == 0, err
    assert all(line.startswith("block 1 of ") for line in err.splitlines())  # progress, beside the answer
    for strategy in ("fork_dispose", "fork_nodispose"):
        first_row, startup, query, second, memory, *_ = row(out, strategy)
        # Quick: a parent, and of that one worker that counts. Each figure is rounded to a tenth or less.
        assert first_row == pytest.approx(startup + query, abs=0.16 if first_row < 99.5 else 1.1)
        assert second > 0
        assert 1 < memory < 100
    assert "embedded-" in out
    assert files() == before
    here.wait_until_gone()


def test_results_shows_the_results_of_a_folder(here: Scene) -> None:
    code, out, err = poolstart(here, "results", "2.1.9", "--results", str(RESULTS))
    assert (code, err) == (0, "")  # nothing is measured, so there is no progress to report
    (path,) = RESULTS.glob("*/2.1.09-*embedded-18.4-tcp-trust.json")
    stored = json.loads(path.read_text())
    columns = dict(
        zip(stored["result_columns"], stored["results"]["startup.Startup.track_startup"], strict=False)
    )
    cells = [tuple(name.strip("'") for name in names) for names in product(*columns["params"])]
    filed = dict(zip(cells, columns["result"], strict=True))
    for strategy, dataframe in cells:
        shown = row(out, strategy, ("none", "large").index(dataframe))
        assert shown[1] == pytest.approx(filed[strategy, dataframe] * 1e3, rel=0.02)
    here.wait_until_gone()
