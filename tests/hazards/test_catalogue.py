"""The catalogue is complete, and every hazard declares what it must."""

import pkgutil
from pathlib import Path

import pytest

import harness.hazards.all
from benchmarks.hazards import HAZARD_OF, Verdicts
from harness import strategies
from harness.hazards import catalogue, conditions
from harness.hazards.hazard import Hazard, Severity, Verdict

UNITS = {"fraction", "bytes", "seconds", "descriptors"}


def test_every_file_with_a_hazard_is_in_the_catalogue() -> None:
    sources = {
        module.name: Path(harness.hazards.all.__path__[0], f"{module.name}.py").read_text()
        for module in pkgutil.iter_modules(harness.hazards.all.__path__)
    }
    declared = {name for name, source in sources.items() if "\nHAZARD = Hazard(" in source}
    assert declared == set(catalogue.IDS)
    assert len(catalogue.IDS) == len(set(catalogue.IDS))


@pytest.mark.parametrize("hazard", catalogue.load_all(), ids=lambda hazard: hazard.id)
def test_a_hazard_declares_what_it_must(hazard: Hazard) -> None:
    assert hazard.id in catalogue.IDS
    assert len(hazard.id) <= 20
    for text in (hazard.title, hazard.description, hazard.symptom, hazard.affected_when, hazard.avoidance):
        assert text
        assert text == " ".join(text.split())
    assert hazard.links
    assert all(link.startswith("https://") for link in hazard.links)
    assert len(set(hazard.messages)) == len(hazard.messages)
    # In quotation marks, because such a search finds nothing across lines or around a number.
    assert all(message and len(message.splitlines()) == 1 for message in hazard.messages)
    assert isinstance(hazard.severity, Severity)
    if hazard.severity is Severity.LOUD_ERROR:
        assert hazard.messages
    assert hazard.affected_control in strategies.IDS
    if hazard.survives_control:
        assert hazard.survives_control in strategies.IDS
        assert hazard.survives_control != hazard.affected_control
    assert bool(hazard.survives_control) != bool(hazard.survives_within)
    assert hazard.controls.startswith(f"`{hazard.affected_control}` must be affected, ")
    if hazard.survives_control:
        affected, survives = map(strategies.get, (hazard.affected_control, hazard.survives_control))
        assert hazard.not_applicable(survives) == hazard.not_applicable(affected)


def test_ids_of_figures_are_unique_over_all_hazards() -> None:
    figures = [figure for hazard in catalogue.load_all() for figure in hazard.figures]
    assert len({figure.id for figure in figures}) == len(figures)
    assert all(len(figure.id) <= 20 and figure.unit in UNITS for figure in figures)


def test_asv_has_no_figure_of_a_hazard_that_it_does_not_try() -> None:
    followed = {hazard.id for hazard in catalogue.followed()}
    assert followed < set(catalogue.IDS)
    assert set(Verdicts.params[0]) == followed
    assert set(HAZARD_OF.values()) <= followed


def test_a_hazard_that_is_not_reproduced_has_a_reason() -> None:
    for other in catalogue.NOT_REPRODUCED:
        assert other.description
        assert other.reason
        assert all(link.startswith("https://") for link in other.links)
        assert other.links


def test_records_from_before_the_rename_of_a_verdict_are_read() -> None:
    assert Verdict("struck") is Verdict.AFFECTED
    with pytest.raises(ValueError, match="hit"):
        Verdict("hit")


def test_every_condition_excludes_a_hazard() -> None:
    used = {hazard.condition for hazard in catalogue.load_all()}
    assert used == {*conditions.ALL, None}
    assert len({condition.label for condition in conditions.ALL}) == len(conditions.ALL)
