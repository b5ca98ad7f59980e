"""Strategies are named in one way, and several hazards may be."""

import pytest
from typer.testing import CliRunner

from harness.answer import program_lines, verdicts
from harness.cli.commands import app
from harness.console import terminal
from harness.hazards import catalogue, view
from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.inside.story import StoryEvent
from harness.postgres.server import Server
from tests.support.command import poolstart

OWN = "tests.support.broken_strategies:HEALTHY"


def test_several_hazards_are_shown_each_with_its_story(quick: Server) -> None:
    result = CliRunner().invoke(app, ["hazards", "unpicklable", "shared_socket", "--strategy", "spawn"])
    assert result.exit_code == 0, result.output
    for title in ("(unpicklable: loud error)", "(shared_socket: wrong data)"):
        assert title in result.stdout
    assert result.stdout.count("What users report: ") == 2


@pytest.mark.parametrize("hazard", [each.id for each in catalogue.load_all()])
def test_each_hazard_shows_what_to_do_with_code_before_its_story(
    hazard: str, capsys: pytest.CaptureFixture[str]
) -> None:
    known = catalogue.load(hazard)
    fix = program_lines.fix(verdicts.load(), known)
    outcome = Outcome(hazard, "spawn", Verdict.AFFECTED, story=(StoryEvent("worker", "It is told."),))
    view.show_story(terminal.output(), known, fix, [outcome])
    text = capsys.readouterr().out
    assert all(each.code in fix[1] for each in known.fixes)
    places = [text.index(part.strip()) for part in (known.avoidance, fix[1], "It is told.")]
    assert places == sorted(places)


def test_the_list_of_hazards_tries_nothing() -> None:
    ran = poolstart("hazards", "--list", "--csv", POOLSTART_URL="postgresql://nowhere")
    assert (ran.returncode, ran.stderr) == (0, "")
    found = [line.split(",")[0] for line in ran.stdout.splitlines()[1:]]
    assert found == list(catalogue.IDS)


def test_a_strategy_of_ones_own_is_measured_and_tried_by_the_same_name(quick: Server) -> None:
    for command in (["measure", "--dataframe", "none"], ["hazards", "shared_socket"]):
        ran = poolstart(*command, "--strategy", OWN, "--strategy", "fork_dispose", "--csv")
        assert OWN in ran.stdout, ran.stderr
        assert "fork_dispose" in ran.stdout
        assert "no result" not in ran.stdout


def test_a_name_given_twice_is_one(quick: Server) -> None:
    ran = poolstart("hazards", "unpicklable", "unpicklable", *["--strategy", "spawn"] * 2, "--csv")
    assert len(ran.stdout.splitlines()) == 2
