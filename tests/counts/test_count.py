"""Counts: equal however often they are repeated, and different where SQLAlchemy is."""

import os
import re
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import pytest
import sqlalchemy

from harness.counts import count as counting
from harness.counts.count import statements
from harness.counts.observe import APPLICATION, PLAIN, observe
from harness.history.sensitivity.injected import EXTRA_STATEMENT, NOTHING, InjectedChange
from harness.postgres import embedded
from harness.processes.supervision import Supervision
from tests.support.environments import environment_with
from tests.support.remains import LIMIT, postmaster

RELEASE = sqlalchemy.__version__

ANOTHER_BUILD = Path("/usr/bin/python3.11")
"""The distribution's own."""


@pytest.fixture(scope="module")
def spawned(server):
    return counting.count("spawn", server, release=RELEASE)


@pytest.mark.parametrize("strategy", ["spawn", "forkserver_preload", "nullpool"])
def test_two_counts_are_equal(server, strategy):
    first, second = (counting.count(strategy, server, release=RELEASE) for _ in range(2))
    assert first == second


def test_a_cold_dialect_sends_more_statements_than_a_warm_one(server, spawned):
    """As counted by hand before there was a relay: 12 statements, and 3 after a fork from a warm parent."""
    forked = counting.count("fork_dispose", server, release=RELEASE)
    assert len(spawned.statements["first_query"]) == 12
    assert len(forked.statements["first_query"]) == 3
    assert not forked.code
    # TCP's own, the start-up message, and a statement each.
    assert forked.round_trips["first_query"] == 2 + 3
    assert spawned.round_trips["first_query"] == 2 + 12


def test_the_server_counts_the_same_statements():
    """By its own log, which knows nothing of a relay."""
    with Supervision() as supervision:
        server = embedded.start(supervision)
        pid, data = postmaster(server)
        log = data.parent / "log"
        with (data / "postgresql.conf").open("a") as settings:
            settings.write("log_statement = 'all'\nlog_line_prefix = '%a|%p|'\n")
        before = log.stat().st_size
        os.kill(pid, signal.SIGHUP)
        until = time.monotonic() + LIMIT
        while "received SIGHUP" not in log.read_text()[before:]:
            assert time.monotonic() < until
            time.sleep(0.01)
        observation = observe("spawn", server, release=RELEASE)
        lines = log.read_text()[before:]
    logged = re.findall(rf"^{APPLICATION}\|(\d+)\|LOG:  statement: (.*)$", lines, re.MULTILINE)
    _, backend = observation.probes[PLAIN]["rows"][0]
    of_worker = [statement for pid, statement in logged if int(pid) == backend]
    relayed = [text for events in observation.events.values() for text in statements(events)]
    assert len(of_worker) == len(relayed)
    assert of_worker[0] == relayed[0].splitlines()[0]


@pytest.fixture(scope="module")
def unchanged(server, tmp_path_factory):
    python = environment_with(tmp_path_factory.mktemp("unchanged"), NOTHING)
    return counting.count("spawn", server, release=RELEASE, python=python)


def test_one_more_statement_at_the_first_connection_is_seen_where_it_is(server, unchanged, tmp_path):
    changed = counting.count(
        "spawn", server, release=RELEASE, python=environment_with(tmp_path, EXTRA_STATEMENT)
    )
    before, after = unchanged.figures, changed.figures
    moved = {name: after[name] - before[name] for name in before if after[name] != before[name]}
    assert moved.pop("statements_first_query") == 1
    assert moved.pop("round_trips_first_query") == 1
    assert moved.pop("calls_first_query") > 1
    assert moved.pop("code_bytes") > 0
    assert not [name for name in moved if not name.startswith("collections")]
    assert "select 4711" in changed.statements["first_query"]


def test_one_more_call_in_the_second_query_is_one_more(server, unchanged, tmp_path):
    change = InjectedChange(
        "", "", (), (), (), "pool/impl.py",
        r"    def _do_return_conn\(self, record: ConnectionPoolEntry\) -> None:\n",
        "        (lambda: None)()\n",
    )  # fmt: skip
    changed = counting.count("spawn", server, release=RELEASE, python=environment_with(tmp_path, change))
    assert changed.figures["calls_second_query"] == unchanged.figures["calls_second_query"] + 1


@pytest.mark.soak
@pytest.mark.skipif(not ANOTHER_BUILD.exists(), reason="no other build of Python 3.11 on this machine")
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the other build is of Python 3.11")
@pytest.mark.parametrize("strategy", ["spawn", "forkserver_preload", "fork_dispose"])
def test_another_build_counts_the_same(server, spawned, tmp_path, strategy):
    """Another patch level's standard library may have other code; nothing else of it may differ."""
    python = tmp_path / "bin" / "python"
    subprocess.run(["uv", "venv", "-q", "--python", ANOTHER_BUILD, tmp_path], check=True)
    needed = [f"{name}=={metadata.version(name)}" for name in ("sqlalchemy", "psycopg2-binary")]
    subprocess.run(
        ["uv", "pip", "install", "-q", "--compile-bytecode", "--python", python, *needed], check=True
    )
    here = counting.count(strategy, server, release=RELEASE)
    there = counting.count(strategy, server, release=RELEASE, python=python)
    assert {name: value for name, value in there.figures.items() if name != "code_bytes"} == {
        name: value for name, value in here.figures.items() if name != "code_bytes"
    }
    assert there.calls == here.calls
    assert of_packages(there) == of_packages(here)


def of_packages(counts):
    return {name: size for name, size in counts.code.items() if counting.package_of(name) != "stdlib"}
