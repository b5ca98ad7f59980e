"""README.md says what was measured."""

import subprocess
from pathlib import Path

from harness.shown import report


def test_its_figures_are_those_of_the_committed_results(tmp_path: Path) -> None:
    """As committed: whoever runs the suite has results of their own beside them, or in their place."""
    archive = subprocess.run(
        ["git", "archive", "HEAD", "results", "README.md"], cwd=report.ROOT, capture_output=True, check=True
    )
    subprocess.run(["tar", "--extract", "--directory", tmp_path], input=archive.stdout, check=True)
    told = report.REGION.read(tmp_path / "README.md")
    assert told.strip() == report.markdown(report.answer(tmp_path / "results")).strip()
