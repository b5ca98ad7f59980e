"""The lines for each program, and how far they help against a hazard, by the record."""

import pytest

from harness import drivers
from harness.answer import code, program_lines, recommendation, verdicts
from harness.answer.code.parts import Variant
from harness.hazards import catalogue
from harness.programs import head


def test_lines_that_prevent_a_failure_are_shown_for_each_program() -> None:
    effect, lines = program_lines.for_hazard(verdicts.load(), catalogue.load("tls_broken"))
    assert effect == "These lines give each worker connections of its own, which prevents this failure."
    assert [each.name for each in lines] == ["", *head.names()]
    assert {each.lines for each in lines[1:]} == {head.get(each.name).hook for each in lines[1:]}


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("unpicklable", "Connections of its own for each worker do not prevent this failure"),
        ("lost_transaction", "Connections of its own for each worker are needed, but do not prevent this"),
    ],
)
def test_lines_that_are_no_cure_are_not_shown(name: str, start: str) -> None:
    effect, lines = program_lines.for_hazard(verdicts.load(), catalogue.load(name))
    assert effect.startswith(start)
    assert lines == []


def test_each_hazard_has_something_to_do_and_its_own_code_before_any_other() -> None:
    for hazard in catalogue.load_all():
        sentence, lines = program_lines.fix(verdicts.load(), hazard)
        assert sentence
        assert all(fix.code in lines for fix in hazard.fixes), hazard.id
        compile(lines, hazard.id, "exec")


def test_a_driver_has_verdicts_and_code_of_its_own_and_no_other_driver_s() -> None:
    recorded, variant = verdicts.load(driver="asyncpg"), Variant(drivers.ASYNCPG)
    sentence, lines = program_lines.fix(recorded, catalogue.load("wrong_answer"), variant)
    assert sentence.endswith("which prevents this failure.")
    assert drivers.url(drivers.ASYNCPG) in lines
    # That fork_dispose does not prevent it was tried with psycopg2.
    effect, _ = program_lines.for_hazard(recorded, catalogue.load("own_lock"), variant)
    assert effect.startswith("These lines give each worker connections of its own. Also: ")


def test_without_a_record_nothing_is_promised() -> None:
    effect, _ = program_lines.for_hazard(verdicts.VerdictsOnRecord(), catalogue.load("tls_broken"))
    assert "another cause" not in effect
    assert "prevents this failure" not in effect


@pytest.mark.parametrize("name", head.names())
def test_the_lines_for_a_program_fit_its_variant_and_the_way_it_starts_workers(name: str) -> None:
    program = head.get(name)
    # What can be forked inherits the pool that the hook disposes of; what cannot needs no dispose.
    assert ("dispose" in program.hook) == (program.starts != "load")
    assert "{workers}" in program.count
    for variant in code.VARIANTS:
        strategy = program_lines.strategy(program, variant)
        forked = recommendation.POOLLESS if variant.pooler else recommendation.FORKED
        assert strategy == {"fork": forked, "load": recommendation.BOOTED, "": ""}[program.starts]
        text = program_lines.variant_lines(program, variant)
        assert f'URL = "postgresql+{variant.driver.name}://' in text
        # Connections are left to the pooler.
        assert ("URL, poolclass=NullPool" in text) == bool(variant.pooler), variant.key
        assert ("gc.freeze()" in text) == (variant.objects and program.starts == "fork"), variant.key
        # A forked worker inherits a pool, unless there is none.
        assert ("dispose(close=False)" in text) == ("dispose" in program.hook and not variant.pooler)
        if "create_async_engine" in program.makes:
            synchronous = variant.driver is drivers.PSYCOPG2
            assert ("create_async_engine(" in text) != synchronous, variant.key
            assert not (synchronous and "sync_engine" in text)
            assert (program_lines.EITHER in text) != synchronous
