"""asv's own page of regressions names the steps that `poolstart steps` names, in asv's format."""

import json
from itertools import product

import numpy as np
import pytest

from harness.releases.catalogue import catalogue
from tests.support.suite import Suite

NAME = "startup.Startup.track_startup"
STRATEGIES, DATAFRAMES = ["'fork_dispose'", "'spawn'"], ["'none'", "'large'"]
WORSE, BETTER = "2.0.0", "2.0.30"
ENVIRONMENT = "release-py3.11"


def write(suite: Suite) -> None:
    """A history in which a spawned worker starts 15 % slower from 2.0.0 on, and a little faster later."""
    random = np.random.default_rng(1)
    machine = suite.directory / "results" / "m"
    machine.mkdir(parents=True)
    named = {"arch": "x", "cpu": "x", "machine": "m", "num_cpu": "2", "os": "x", "ram": "1"}
    (machine / "machine.json").write_text(json.dumps({**named, "version": 1}))
    benchmark = {
        "name": NAME, "code": "", "type": "track",
        "param_names": ["strategy", "dataframe"], "params": [STRATEGIES, DATAFRAMES],
         "unit": "seconds", "version": "3", "timeout": 60,
    }  # fmt: skip
    (machine.parent / "benchmarks.json").write_text(json.dumps({NAME: benchmark, "version": 2}))
    releases = catalogue().releases
    worse, better = ([release.version for release in releases].index(version) for version in (WORSE, BETTER))
    for number, release in enumerate(releases):
        samples = [
            list(0.1 * factor * np.exp(0.01 * random.standard_t(3, 5)))
            for strategy, _ in product(STRATEGIES, DATAFRAMES)
            for spawn in ["spawn" in strategy]
            for factor in [
                (1.15 if number >= worse else 1) * (0.95 if number >= better else 1) if spawn else 1
            ]
        ]
        written = {
            "commit_hash": release.hash, "env_name": ENVIRONMENT, "date": release.timestamp,
            "params": {**named, "python": "3.11"}, "python": "3.11", "requirements": {}, "env_vars": {},
            "result_columns": ["result", "params", "version", "started_at", "duration", "samples"],
            "results": {
                NAME: [[float(np.median(x)) for x in samples], [STRATEGIES, DATAFRAMES], "3",
                       release.timestamp, 1.0, samples],
            },
            "durations": {}, "version": 2,
        }  # fmt: skip
        (machine / f"{release.hash}-{ENVIRONMENT}.json").write_text(json.dumps(written))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    suite = Suite(tmp_path_factory.mktemp("published"))
    write(suite)
    told = suite.asv("publish")
    assert told.returncode == 0, told.stdout
    return suite.directory / ".asv" / "html" / "asv"


def test_the_page_lists_what_got_worse_and_nothing_else(published):
    found = json.loads((published / "regressions.json").read_text())["regressions"]
    assert [(name, index) for name, _, _, index, *_ in found] == [
        (f"{NAME}('spawn', 'none')", 2),
        (f"{NAME}('spawn', 'large')", 3),
    ]
    for _, graph, _, _, last, best, jumps in found:
        assert (published / graph).exists()
        assert best == pytest.approx(0.1, rel=0.02)
        assert last == pytest.approx(0.109, rel=0.02)
        [(before, after, old, new)] = jumps
        revisions = json.loads((published / "index.json").read_text())["revision_to_hash"]
        assert before is None  # a single release
        assert revisions[str(after)] == "2.0.00"
        assert new / old == pytest.approx(1.15, rel=0.02)


def test_the_feed_says_the_same(published):
    feed = (published / "regressions.xml").read_text()
    assert feed.count("<entry>") == 2
    assert "2.0.00" in feed
