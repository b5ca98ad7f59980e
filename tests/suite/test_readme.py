"""README.md says what was measured."""

from pathlib import Path

from harness.site import report

README = Path(__file__).parents[2] / "README.md"


def test_its_figures_are_those_of_the_results() -> None:
    (measured, *_) = [found for found in report.reports() if "embedded" in found.environment["postgres"]]
    assert report.markdown(measured) in README.read_text()
