"""Names of strategies and hazards on the command line, and what the command shows of them."""

import json

import pytest
from typer.testing import CliRunner

from harness.answer import program_lines, verdicts
from harness.cli.commands import app
from harness.console import terminal
from harness.hazards import catalogue, view
from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.inside.story import StoryEvent
from harness.postgres.server import Server

OWN = "tests.support.broken_strategies:HEALTHY"


def test_each_hazard_shows_what_to_do_with_code_before_its_story(capsys: pytest.CaptureFixture[str]) -> None:
    for known in catalogue.load_all():
        fix = program_lines.fix(verdicts.load(), known)
        outcome = Outcome(known.id, "spawn", Verdict.AFFECTED, story=(StoryEvent("worker", "It waits."),))
        view.show_story(terminal.output(), known, fix, [outcome])
        text = capsys.readouterr().out
        places = [text.index(part.strip()) for part in (known.avoidance, fix[1], "It waits.")]
        assert places == sorted(places), known.id


def test_strategies_are_shown_with_the_driver_that_is_measured() -> None:
    ran = CliRunner().invoke(app, ["strategies", "spawn", "--json"], env={"POOLSTART_DRIVER": "asyncpg"})
    (shown,) = json.loads(ran.stdout)["strategies"]
    assert shown["driver"] == "asyncpg"
    assert "asyncpg under Python 3.11" in shown["verdict"]
    assert "postgresql+asyncpg://" in shown["code"]


def test_a_strategy_of_ones_own_is_tried_by_the_name_by_which_it_is_measured(quick: Server) -> None:
    names = ("--strategy", OWN, "--strategy", "fork_dispose")
    ran = CliRunner().invoke(app, ["hazards", "shared_socket", *names, "--csv"])
    assert OWN in ran.stdout, ran.stderr
    assert "fork_dispose" in ran.stdout
    assert "no result" not in ran.stdout


def test_a_name_given_twice_is_one(quick: Server) -> None:
    ran = CliRunner().invoke(app, ["hazards", *["unpicklable"] * 2, *["--strategy", "spawn"] * 2, "--csv"])
    assert len(ran.stdout.splitlines()) == 2
