"""Results that lack something, or are damaged, make pages that say so."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.answer.figures import on_record
from harness.answer.figures.results import ReleaseResults
from harness.history.paired import PairedChange
from harness.site import build, context, history
from harness.site.pages import answer, compare, navigation, releases
from harness.system import conditions
from tests.support.results import MACHINE, SERVER, another_series, few


def replace_in(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def all_at_once(results: Path) -> None:
    """Damaged files, a failed run, and series of another Python, server and machine."""
    empty, cut, _, other = few(results, 4)
    tripled(results, "3.12")
    several(results)
    about(results, failed={"date": "2026-11-28", "reason": "a benchmark was ended by SIGKILL"})
    empty.write_text("{")
    cut.write_text(cut.read_text()[:3000])
    other.write_text("[]")


def without_benchmarks(results: Path) -> None:
    few(results)
    (results / "benchmarks.json").write_text("{")


def unknown_strategy(results: Path) -> None:
    for path in (*few(results), results / "benchmarks.json"):
        replace_in(path, "'spawn'", "'teleport'")


def another_profile(results: Path) -> None:
    for path in few(results):
        content = json.loads(path.read_text())
        content["env_vars"]["profile"] = "quick"
        path.write_text(json.dumps(content))


def tripled(results: Path, python: str, driver: str = "") -> None:
    """Beside what is there: its newest release under a Python, with a driver, all figures three times."""
    path = max(results.glob(f"*/2.1.0*{SERVER}.json"))
    another_series(path, path.parent, python, driver, factor=3)


def several(results: Path) -> None:
    """The same figures of another server, and of another machine."""
    for path in sorted(results.glob(f"*/*{SERVER}.json")):
        copy = path.with_name(path.name.replace(SERVER, "external-16.2-tls-md5"))
        shutil.copy(path, copy)
        replace_in(copy, SERVER, "external-16.2-tls-md5")
    other = results / "another"
    shutil.copytree(results / MACHINE.name, other, ignore=shutil.ignore_patterns("*external*"))
    for path in other.glob("*.json"):
        replace_in(path, MACHINE.name, "another")


def busy(results: Path) -> None:
    few(results)
    about(results, busy="the hypervisor took 50% of the time")


def about(results: Path, **fields: object) -> None:
    """Put on file what happened in the run of the newest release."""
    rows = conditions.load(MACHINE)
    [row] = [
        row for (release, environment), row in rows.items() if release == "2.1.2" and SERVER in environment
    ]
    conditions.save(results / MACHINE.name, {**row, **fields})


CASES: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "no directory": (lambda _: None, ("no results",)),
    "damaged list of benchmarks": (without_benchmarks, ("benchmarks.json cannot be read",)),
    "an unknown strategy": (unknown_strategy, ("not in the catalogue",)),
    "another profile": (another_profile, ("results files of another driver or profile have no pages",)),
    "all at once": (
        all_at_once,
        (
            "restore it with git, or remove it and measure again",
            "No hazard was tried under Python 3.12: worst outcomes are",
            "failed: a benchmark was ended by SIGKILL",
            "external-16.2-tls-md5",
        ),
    ),
}
"""What lacks, and what some page says of it."""


@pytest.mark.parametrize(("make", "said"), CASES.values(), ids=CASES)
def test_a_page_says_what_is_missing(
    make: Callable[[Path], object], said: tuple[str, ...], tmp_path: Path
) -> None:
    make(tmp_path / "results")
    build.build(tmp_path / "results", tmp_path / "site")
    texts = [path.read_text() for path in (tmp_path / "site").rglob("*.html")]
    assert texts
    assert [each for each in said if not any(each in text for text in texts)] == []


def test_the_first_page_recommends_nothing_from_times_of_a_busy_machine(site: Path, tmp_path: Path) -> None:
    busy(tmp_path / "results")
    build.build(tmp_path / "results", tmp_path / "site")
    for pages, expected in ((site, True), (tmp_path / "site", False)):
        text = (pages / "index.html").read_text()
        assert ("costs less than NullPool" in text or "cannot be distinguished" in text) == expected
        assert ("busy: the hypervisor took 50% of the time. Nothing can be concluded" in text) != expected


def test_series_of_another_python_or_driver_change_no_figure_of_the_answer(tmp_path: Path) -> None:
    few(tmp_path, 9)
    alone, none = shown(tmp_path)
    tripled(tmp_path, "3.14")
    tripled(tmp_path, "3.11", "asyncpg-0.32.0")
    tripled(tmp_path, "3.14", "psycopg-3.3.9")
    beside, others = shown(tmp_path)
    assert none == []
    assert {name: without_the_list_of_series(text) for name, text in beside.items()} == {
        name: without_the_list_of_series(text) for name, text in alone.items()
    }
    # The other Python has pages of its own, with its verdicts; the drivers have none.
    (own,) = others
    assert (own.bed.python, own.tried) == ("3.14", "")
    assert own.verdicts.newest
    assert own.verdicts.newest.provenance.python.startswith("3.14")
    _, text = next(iter(answer.pages(own)))
    assert f"affected by {own.verdicts.worst('fork_dispose', '2.1.8').count} hazards" in text


def shown(results: Path) -> tuple[dict[str, str], list[context.TestBedContext]]:
    """The pages of the first test bed with its figures, and the other test beds."""
    bed, *others = context.bed_contexts(context.SiteContext(results, navigation()))
    files = [file for module in (answer, releases, compare) for file in module.pages(bed)]
    return dict(files), others


def test_a_test_bed_of_another_python_has_no_history(tmp_path: Path) -> None:
    beds = [
        on_record.TestBed(
            {
                version: ReleaseResults(version, environment={"python": python}, environment_name=python)
                for version in ("2.0.43", "2.0.44")
            }
        )
        for python in ("3.11", "3.14")
    ]
    change = PairedChange("2.0.43", "2.0.44", "uss", "spawn", "none", 1.1, 1.09, 1.11, 1e-9, 20, 0.01, "here")
    found = history.detect(tmp_path, beds, [change], [], [])
    assert [len(found[bed.key].steps) for bed in beds] == [1, 0]


def without_the_list_of_series(text: str) -> str:
    """A page without the choice between series."""
    return re.sub(r'<label>measured on <select.*?</select></label>|<span class="where">.*?</span>', "", text)
