"""The further strategies: they are measured by name, pass all checks, and are not in the default series."""

import importlib
import math
import re
from dataclasses import asdict, replace

import pytest
from typer.testing import CliRunner

from benchmarks.startup import Startup
from harness import strategies
from harness.answer import recommendation, strategies_page
from harness.answer.code.measured import files, program
from harness.cli.commands import app
from harness.hazards import catalogue
from harness.hazards.hazard import Verdict
from harness.hazards.runner import Trials
from harness.lifecycles import profile
from harness.lifecycles.blocks import MeasuredRun
from harness.lifecycles.cell import DATAFRAMES, Cell
from harness.lifecycles.parent_handle import ParentHandle
from harness.lifecycles.profile import PROFILES
from harness.lifecycles.samples import Lifecycle
from harness.postgres.server import Server
from harness.processes.errors import Rejected
from harness.processes.supervision import Supervision
from harness.system.errors import PoolstartError
from tests.support import broken_strategies

PROFILE = replace(PROFILES["quick"], dataframe_mib=64, deadline=120)


def lives(server: Server, strategy: str, dataframe: str = "none") -> list[Lifecycle]:
    """Two workers of one parent: what the first leaves behind is what the second one meets."""
    with (
        Supervision() as supervision,
        ParentHandle(Cell(strategy, dataframe), server, PROFILE, supervision) as parent,
    ):
        return list(parent.lifecycles(2))


@pytest.mark.parametrize("strategy", strategies.FURTHER_IDS)
def test_every_further_strategy_passes_every_check(server: Server, strategy: str) -> None:
    first, second = lives(server, strategy)
    assert first.first
    assert not second.first


def test_a_frozen_parent_holds_its_dataframe_like_any_other(server: Server) -> None:
    assert len(lives(server, "fork_freeze", "large")) == 2


@pytest.mark.parametrize(
    ("broken", "finding"),
    [
        ("DOES_NOT_DISPOSE_BEFORE", "the parent did not close its connection"),
        ("KEEPS_CONNECTION", "the worker did not end the parent's session"),
        ("KILLS_UNDECLARED", "the parent failed"),
        ("FORGETS_THE_GUARD", "the worker used the parent's backend"),
    ],
)
def test_the_parent_connection_is_kept_closed_or_killed_as_declared(
    server: Server, broken: str, finding: str
) -> None:
    with pytest.raises(Rejected, match=finding):
        lives(server, broken_strategies.path(broken))


def test_a_group_name_stands_for_several_strategies() -> None:
    assert strategies.named(["spawn", "further", "spawn"]) == ("spawn", *strategies.FURTHER_IDS)
    assert strategies.named(["all"]) == strategies.IDS + strategies.FURTHER_IDS
    with pytest.raises(PoolstartError, match="no strategy 'sideways'"):
        strategies.named(["further", "sideways"])


@pytest.mark.parametrize(
    ("hazard", "strategy", "verdict"),
    [
        # Disposing before the fork leaves nothing behind.
        ("orphaned_backend", "fork_dispose_before", Verdict.SURVIVES),
        # The check sees whose connection it is; it is too late for a count, a lock, and a dispose().
        ("exhausted_pool", "fork_pidguard", Verdict.AFFECTED),
        # The ping is answered: it knows a dead connection, not a shared one.
        ("shared_socket", "fork_preping", Verdict.AFFECTED),
        # An engine of the worker's own treats nothing else that was inherited.
        ("preload_shared", "fork_engine", Verdict.AFFECTED),
    ],
)
def test_the_verdicts_of_further_strategies(
    trials: Trials, hazard: str, strategy: str, verdict: Verdict
) -> None:
    outcome = trials.run(catalogue.load(hazard), strategy)
    assert outcome.verdict is verdict, outcome.story


def test_a_strategy_says_when_to_choose_it_and_shows_its_code() -> None:
    text = strategies_page.render(None)
    for strategy in strategies.CATALOGUE + strategies.FURTHER:
        assert len(strategy.id) <= 20
        assert recommendation.use_when(strategy).endswith(".")
        assert f"### {strategy.title} (`{strategy.id}`)" in text
        assert recommendation.use_when(strategy) in text
        assert f"<{strategy.docs}>" in text
        for name, code in files(strategy).items():
            compile(code, name, "exec")
    assert "engine.dispose(close=False)" in program(strategies.get("fork_dispose"))
    assert "gc.freeze()" in files(strategies.get("forkserver_freeze"))["preloaded.py"]


def test_the_command_lists_all_strategies_and_shows_the_code_of_one() -> None:
    listed = CliRunner().invoke(app, ["strategies"], env={"COLUMNS": "200"})
    assert listed.exit_code == 0, listed.output
    assert re.findall(r"^(\w+):", listed.output, re.MULTILINE) == list(strategies.GROUPS["all"])
    shown = CliRunner().invoke(app, ["strategies", "fork_atfork"], env={"COLUMNS": "120"})
    assert shown.exit_code == 0, shown.output
    assert "os.register_at_fork" in shown.output


def test_asv_finds_a_further_strategy_only_if_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("benchmarks.further")
    for name in ("FurtherStartup", "FurtherQuery", "FurtherMemory"):
        vars(module).pop(name, None)
    assert not hasattr(importlib.reload(module), "FurtherStartup")
    monkeypatch.setenv(profile.STRATEGIES, "fork_atfork,spawn")
    assert importlib.reload(module).FurtherStartup.params == (("fork_atfork",), DATAFRAMES)


def test_a_strategy_that_was_not_measured_has_no_figure_and_is_no_failure() -> None:
    nothing = asdict(MeasuredRun("2.1.9", "embedded"))
    assert math.isnan(Startup().track_startup(nothing, "spawn", "none"))
