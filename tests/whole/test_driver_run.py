"""`asv run` with another driver: a series of its own, with the driver in its environment."""

import json
import math
from itertools import product

import pytest

from harness.releases import stored
from tests.support.suite import Suite

pytestmark = pytest.mark.slow


def test_another_driver_is_a_series_of_its_own_that_is_never_the_default(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    suite = Suite(tmp_path_factory.mktemp("suite"), real=True)
    done = suite.asv(
        "run", "-b", "startup|statements", POOLSTART_DRIVER="asyncpg", POOLSTART_PROFILE="quick",
        POOLSTART_DATAFRAME_MIB="16", POOLSTART_STRATEGIES="fork_nodispose,spawn",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (path,) = suite.results
    content = json.loads(path.read_text())
    assert content["env_vars"]["driver"] == "asyncpg-0.32.0"
    row = dict(
        zip(content["result_columns"], content["results"]["startup.Startup.track_startup"], strict=False)
    )
    values = dict(zip(product(*row["params"]), row["result"], strict=True))
    # asyncpg cannot have fork_nodispose.
    measured = {strategy for (strategy, _), value in values.items() if not math.isnan(value or math.nan)}
    assert measured == {"'spawn'"}
    (conditions,) = (suite.directory / "results").glob("*/conditions.jsonl")
    facts = json.loads(conditions.read_text().splitlines()[0])["facts"]
    assert facts["asyncpg"] == "0.32.0"
    assert "psycopg2" not in facts
    assert "driver" in stored.OTHER_SERIES_TAGS
    assert "fork_nodispose cannot work with asyncpg" in done.stdout
