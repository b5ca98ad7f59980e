"""The lines for each program, and how far they help against a hazard, by the record."""

import pytest

from harness.answer import program_lines, verdicts
from harness.hazards import catalogue
from harness.programs import head


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("tls_broken", "These lines give each worker connections of its own, which prevents this failure."),
        ("lost_transaction", "These lines give each worker connections of its own. That is needed, but does"),
    ],
)
def test_lines_are_not_promised_to_prevent_what_they_do_not(name: str, start: str) -> None:
    effect, lines = program_lines.for_hazard(verdicts.load(), catalogue.load(name))
    assert effect.startswith(start)
    assert [each.name for each in lines] == ["", *head.names()]
    assert {each.lines for each in lines[1:]} == {head.get(each.name).hook for each in lines[1:]}


def test_lines_that_are_no_cure_are_not_shown() -> None:
    effect, lines = program_lines.for_hazard(verdicts.load(), catalogue.load("unpicklable"))
    assert effect.startswith("Connections of its own for each worker do not prevent this failure")
    assert lines == []


def test_without_a_record_nothing_is_promised() -> None:
    effect, _ = program_lines.for_hazard(verdicts.VerdictsOnRecord(), catalogue.load("tls_broken"))
    assert "another cause" not in effect
    assert "prevents this failure" not in effect
