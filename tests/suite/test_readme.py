"""README.md says what was measured."""

from harness.site import report


def test_its_figures_are_those_of_the_results() -> None:
    (measured, *_) = [found for found in report.reports() if "embedded" in found.environment["postgres"]]
    _, _, rest = report.README.read_text().partition(report.BEGIN)
    told, _, _ = rest.partition(report.END)
    assert told.strip() == report.markdown(measured).strip()
