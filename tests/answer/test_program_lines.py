"""The lines for each program, and how far they help against a hazard, by the record."""

import pytest

from harness import drivers
from harness.answer import code, program_lines, recommendation, verdicts
from harness.answer.code.parts import Variant
from harness.hazards import catalogue
from harness.hazards.hazard import Hazard
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


@pytest.mark.parametrize("hazard", catalogue.load_all(), ids=lambda hazard: hazard.id)
def test_each_hazard_has_something_to_do_and_its_own_code_before_any_other(hazard: Hazard) -> None:
    sentence, lines = program_lines.fix(verdicts.load(), hazard)
    assert sentence
    assert all(fix.code in lines for fix in hazard.fixes)
    compile(lines, hazard.id, "exec")


def test_without_a_record_nothing_is_promised() -> None:
    effect, _ = program_lines.for_hazard(verdicts.VerdictsOnRecord(), catalogue.load("tls_broken"))
    assert "another cause" not in effect
    assert "prevents this failure" not in effect


VARIANTS = pytest.mark.parametrize("variant", code.VARIANTS, ids=lambda variant: variant.key)


@VARIANTS
@pytest.mark.parametrize("name", head.names())
def test_the_lines_of_a_variant_name_its_driver_and_leave_connections_to_its_pooler(
    name: str, variant: Variant
) -> None:
    program = head.get(name)
    text = program_lines.variant_lines(program, variant)
    assert f'URL = "postgresql+{variant.driver.name}://' in text
    assert ("URL, poolclass=NullPool" in text) == bool(variant.pooler)
    assert ("gc.freeze()" in text) == (variant.objects and program.starts == "fork")
    # A forked worker inherits a pool, unless there is none.
    assert ("dispose(close=False)" in text) == ("dispose" in program.hook and not variant.pooler)


@VARIANTS
@pytest.mark.parametrize("name", head.names())
def test_the_strategy_of_a_program_starts_workers_as_the_program_does(name: str, variant: Variant) -> None:
    program = head.get(name)
    strategy = program_lines.strategy(program, variant)
    expected = {
        "fork": recommendation.POOLLESS if variant.pooler else recommendation.FORKED,
        "load": recommendation.BOOTED,
        "": "",
    }
    assert strategy == expected[program.starts]
    # What can be forked inherits the pool that the hook disposes of; what cannot needs no dispose.
    assert ("dispose" in program.hook) == (program.starts != "load")


@pytest.mark.parametrize("name", head.names())
def test_a_program_says_how_its_users_write_the_number_of_workers(name: str) -> None:
    assert "{workers}" in head.get(name).count


ASYNCHRONOUS = [name for name in head.names() if "create_async_engine" in head.get(name).makes]


@VARIANTS
@pytest.mark.parametrize("name", ASYNCHRONOUS)
def test_an_async_engine_is_made_only_for_a_driver_that_has_an_asynchronous_side(
    name: str, variant: Variant
) -> None:
    text = program_lines.variant_lines(head.get(name), variant)
    synchronous = variant.driver is drivers.PSYCOPG2
    assert ("create_async_engine(" in text) != synchronous
    assert not (synchronous and "sync_engine" in text)
    assert (program_lines.EITHER in text) != synchronous
