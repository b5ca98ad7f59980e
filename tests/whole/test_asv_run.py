"""`asv run` measures every strategy, and leaves nothing running."""

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import strategies
from harness.answer.figures import answers
from harness.lifecycles import metrics
from harness.lifecycles.cell import DATAFRAMES
from tests.support.load import every_core_busy
from tests.support.remains import Scene, scene
from tests.support.results import committed
from tests.support.suite import Suite

NAMES = {metric.benchmark for metric in metrics.METRICS.values()}
CELLS = len(strategies.IDS) * len(DATAFRAMES)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def here() -> Iterator[Scene]:
    with scene() as made:
        made.environment["POOLSTART_PROFILE"] = "quick"
        yield made


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return Suite(tmp_path_factory.mktemp("suite"), real=True)


def asv(here: Scene, suite: Suite, *arguments: str) -> tuple[int, str]:
    """Run asv in an empty home, without a terminal."""
    here.environment["HOME"] = str(suite.home)
    run = here.start(
        *suite.command(*arguments),
        cwd=suite.directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = run.communicate(timeout=900)
    here.wait_until_gone()
    return run.returncode, output


def columns(path: Path) -> dict[str, dict[str, list[float]]]:
    """The statistics of each benchmark in a results file, by name: a value per cell."""
    content = json.loads(path.read_text())
    names = content["result_columns"]
    return {name: dict(zip(names, values, strict=False)) for name, values in content["results"].items()}


def assert_whole(values: dict[str, list[float]], intervals: bool) -> None:
    assert len(values["result"]) == CELLS
    for low, median, high in zip(
        values["stats_ci_99_a"], values["result"], values["stats_ci_99_b"], strict=True
    ):
        assert math.isfinite(median)
        assert median > 0
        # asv stores intervals with five digits.
        assert low * 0.9999 <= median <= high * 1.0001 or not intervals
        assert math.isfinite(low) == math.isfinite(high) == intervals


@pytest.fixture(scope="module")
def measured(here: Scene, suite: Suite) -> str:
    code, output = asv(
        here, suite, "run", "-b", "|".join(sorted({metric.group for metric in metrics.METRICS.values()}))
    )
    assert code == 0, output
    return output


def test_every_metric_of_every_cell_has_a_median_with_its_interval(measured: str, suite: Suite) -> None:
    (path,) = suite.results
    found = columns(path)
    assert set(found) == NAMES
    for values in found.values():
        # The quick profile has one parent, and one sample has no interval.
        assert_whole(values, intervals=False)


def test_the_committed_results_are_complete(tmp_path: Path) -> None:
    """Each metric of the answer is there, and all that are have a median with its interval in every cell."""
    results = committed(tmp_path)
    # Another driver may lack a strategy: asyncpg's connection cannot be used as it was inherited.
    found = results.glob("*/2.1.09-*postgresembedded-18.4-tcp-trust.json")
    paths = [path for path in found if "-driver" not in path.name]
    assert paths
    answer = {column.metric.benchmark for column in metrics.summary_columns()}
    for path in paths:
        stored = columns(path)
        assert set(stored) >= answer
        for name in NAMES & stored.keys():
            assert_whole(stored[name], intervals=True)


def test_a_run_ends_with_a_report_of_its_time(measured: str) -> None:
    assert "in lifecycles and their parents" in measured.splitlines()[-1]
    assert "asv and the rest" in measured.splitlines()[-1]


def test_asv_show_and_the_site_keep_servers_and_profiles_apart(
    measured: str, here: Scene, suite: Suite
) -> None:
    code, shown = asv(here, suite, "show")
    assert code == 0
    assert "postgresembedded-18.4-tcp-trust-profilequick" in shown
    assert asv(here, suite, "publish")[0] == 0
    index = json.loads((suite.directory / ".asv" / "html" / "asv" / "index.json").read_text())
    assert index["params"]["env-postgres"] == ["embedded-18.4-tcp-trust"]
    assert index["params"]["env-profile"] == ["quick"]


def test_results_of_the_quick_profile_are_not_reported(measured: str, suite: Suite) -> None:
    with pytest.raises(answers.PoolstartError, match="no results yet"):
        answers.of_release(results=suite.directory / "results")


def test_on_a_busy_machine_it_says_so_before_the_table_and_stores_it(
    here: Scene, suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(here.environment, "POOLSTART_STRATEGIES", "fork_dispose")
    with every_core_busy():
        code, output = asv(here, suite, "run", "-b", "track_startup")
    assert code == 0, output
    said, table = (output.find(text) for text in ("busy: ", "fork_dispose  "))
    assert 0 < said < table, output
    assert "Nothing can be concluded from these times" in output
    (conditions,) = (suite.directory / "results").glob("*/conditions.jsonl")
    rows = [json.loads(line) for line in conditions.read_text().splitlines()]
    (why,) = (row["busy"] for row in rows if "strategiesfork_dispose" in row["environment"])
    assert why in output
    assert why


@pytest.fixture
def copied(suite: Suite) -> Iterator[Path]:
    """A copy of the harness in place of the suite's link to it, for a test that changes it."""
    link = suite.directory / "harness"
    source = link.resolve()
    link.unlink()
    subprocess.run(["cp", "-r", source, link], check=True)
    yield link
    shutil.rmtree(link)
    link.symlink_to(source)


def of_all_strategies(suite: Suite) -> list[Path]:
    """The results files of runs that measured all strategies."""
    return [path for path in suite.results if "strategies" not in path.name]


def failures(suite: Suite) -> list[dict[str, object]]:
    """What is on file about runs that failed."""
    (path,) = (suite.directory / "results").glob("*/conditions.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [row for row in rows if "failed" in row]


def test_blocks_are_kept_if_a_later_one_kills_the_run(
    measured: str, here: Scene, suite: Suite, copied: Path
) -> None:
    """The process that measures is killed after its first block."""
    (path,) = of_all_strategies(suite)
    before = columns(path)
    module = copied / "lifecycles" / "asv_run.py"
    killed = "__import__('os').kill(__import__('os').getpid(), 9)"
    saves = "            files.write(saved(Path(folder), release), json.dumps(asdict(measured)))\n"
    text = module.read_text()
    assert saves in text
    module.write_text(text.replace(saves, f"{saves}            {killed}\n"))

    code, output = asv(here, suite, "run", "-b", "track_startup")
    assert code == 0, output
    assert "poolstart: failed: a benchmark was ended by SIGKILL" in output
    (row,) = failures(suite)
    assert row["failed"]["reason"] == "a benchmark was ended by SIGKILL"  # type: ignore[index]
    assert columns(path) != before
    assert_whole(columns(path)["startup.Startup.track_startup"], intervals=False)


def test_a_cell_that_hangs_is_reported_and_the_others_are_measured(
    measured: str, here: Scene, suite: Suite, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a copy of the harness in which one strategy hangs and every worker has three seconds.

    The other strategy forks as well: its workers take milliseconds, and on the slowest machine no second.
    """
    monkeypatch.setitem(here.environment, "POOLSTART_STRATEGIES", "fork_dispose,nullpool")
    catalogue = copied / "treatments.py"
    text = catalogue.read_text()
    catalogue.write_text(text.replace("engine.dispose(close=False)", "__import__('time').sleep(600)"))
    profiles = copied / "lifecycles" / "profile.py"
    profiles.write_text(profiles.read_text().replace("deadline=30", "deadline=3"))

    code, output = asv(here, suite, "run", "-b", "track_startup")
    assert code == 2
    assert output.count("poolstart: failed: fork_dispose") == len(DATAFRAMES)
    assert "the worker hung: no answer in 3 s, so it was killed" in output
    # asv shortens a long name of an environment to a digest.
    (path,) = [path for path in suite.results if "nullpool" in str(json.loads(path.read_text())["env_vars"])]
    values = columns(path)["startup.Startup.track_startup"]["result"]
    assert [value is None for value in values].count(True) == len(DATAFRAMES)
    assert sum(value is not None and math.isfinite(value) for value in values) == len(DATAFRAMES)
