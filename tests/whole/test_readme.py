"""README.md says what was measured."""

import subprocess
from pathlib import Path

from harness.answer import results
from harness.console import markdown


def test_its_figures_are_those_of_the_committed_results(tmp_path: Path) -> None:
    """As committed: whoever runs the suite has results of their own beside them, or in their place."""
    archive = subprocess.run(
        ["git", "archive", "HEAD", "results", "README.md", "docs/results.md"],
        cwd=results.ROOT,
        capture_output=True,
        check=True,
    )
    subprocess.run(["tar", "--extract", "--directory", tmp_path], input=archive.stdout, check=True)
    told = markdown.region(tmp_path / "README.md", results.REGION)
    measured = results.answer(tmp_path / "results")
    assert told.strip() == results.brief(measured).strip()
    definitions = markdown.region(tmp_path / "README.md", results.METRICS_REGION)
    assert definitions.strip() == results.definitions().strip()
    assert (tmp_path / "docs" / "results.md").read_text() == results.whole(measured)
