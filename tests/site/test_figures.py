"""The pages' own arithmetic: rounding, changes, compact HTML."""

import pytest

from harness.answer.figures import sentences
from harness.answer.figures.ranking import MedianRange
from harness.answer.figures.results import Figure, ReleaseResults
from harness.history.report import ratio_range
from harness.instructions.report import relative
from harness.lifecycles import metrics
from harness.site.context import compact, slug
from harness.site.history import BedHistory, CellStep, StepGroup, step_groups
from harness.site.pages import navigation, releases

STARTUP, MEMORY = metrics.get("startup"), metrics.get("uss")


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.0, "+0.0 %"), (1.0149, "+1.5 %"), (0.9, "−10.0 %"), (2.5, "+150.0 %")],  # noqa: RUF001
)
def test_a_change_has_its_sign(ratio: float, text: str) -> None:
    assert relative(ratio) == text


def test_a_range_of_changes_is_one_change_where_all_are_equal() -> None:
    assert ratio_range([1.1, 1.1001]) == "+10.0 %"
    assert ratio_range([1.2, 1.1, 1.15]) == "+10.0 % to +20.0 %"


@pytest.mark.parametrize(
    ("text", "address"), [("Silent loss", "silent-loss"), ("A, b: C/d ", "a-b-c-d"), ("py3.11", "py3.11")]
)
def test_a_slug_is_fit_for_an_address(text: str, address: str) -> None:
    assert slug(text) == address


def test_html_is_compact_but_in_preformatted_text() -> None:
    assert compact("<p>\n\n   a  \n\n</p><pre>  b\n\n  c</pre>\n\n  d") == (
        "<p>\na\n</p><pre>  b\n\n  c</pre>\nd"
    )


def step(release: str, strategy: str, ratio: float, metric: metrics.Metric = STARTUP) -> CellStep:
    return CellStep(release, metric, strategy, ratio, ratio - 0.01, ratio + 0.01)


HISTORY = BedHistory(
    (step("2.0.0", "spawn", 1.2), step("2.0.0", "forkserver", 0.9), step("2.0.9", "spawn", 1.5)),
)


def test_steps_are_grouped_by_metric() -> None:
    (group,) = step_groups(HISTORY, "2.0.0", [MEMORY, STARTUP])
    assert (group.metric, len(group.steps)) == (STARTUP, 2)
    assert group.change == "−10.0 % to +20.0 %"  # noqa: RUF001
    assert group.worse
    assert not StepGroup(STARTUP, (step("2.0.0", "spawn", 0.9),)).worse


@pytest.mark.parametrize(
    ("strategy", "dataframe", "paired"),
    [
        ("spawn", "none", ""),
        ("spawn", "large", "pairs without the DataFrame"),
        ("forkserver", "none", "pairs of `spawn`"),
        ("forkserver", "large", "pairs of `spawn`"),
        ("fork_nodispose", "none", "pairs of `fork_dispose`"),
        ("mine", "none", ""),
    ],
)
def test_a_chart_says_whose_pairs_its_steps_are_of(strategy: str, dataframe: str, paired: str) -> None:
    assert releases.pairs_of(strategy, dataframe) == paired


def spawned(**seconds: float) -> list[ReleaseResults]:
    """Releases with one figure, or with none if it is 0."""
    return [
        ReleaseResults(
            name.replace("_", ".")[1:],
            {("startup", "spawn", "none"): Figure(value, value, value, "seconds")} if value else {},
        )
        for name, value in seconds.items()
    ]


def test_a_level_is_the_same_until_the_next_step_whatever_one_release_measured() -> None:
    releases = spawned(
        v1_4_53=1.0, v1_4_54=1.0, v2_0_0=1.2, v2_0_1=1.1, v2_0_2=0, v2_0_3=1.2, v2_0_9=1.81, v2_0_10=1.8
    )
    levels = HISTORY.levels(releases, "startup", "spawn")
    assert levels == [1.0, 1.0, 1.2, 1.2, None, 1.2, pytest.approx(1.8), pytest.approx(1.8)]


def test_without_a_history_a_level_is_what_was_measured() -> None:
    levels = BedHistory().levels(spawned(v2_0_0=1.2, v2_0_1=1.1), "startup", "spawn")
    assert levels == [1.2, 1.1]


@pytest.mark.parametrize(
    ("seconds", "rounded"), [(1.73, 1.8), (2.0, 2.0), (0.123, 0.13), (0.0411, 0.042), (21.3, 22.0)]
)
def test_a_threshold_is_rounded_up_to_two_digits(seconds: float, rounded: float) -> None:
    assert sentences.rounded_up(seconds) == pytest.approx(rounded)


def test_a_start_takes_a_tenth_of_a_life_at_the_threshold() -> None:
    start = MedianRange(0.2, 0.2, 0.2)
    threshold = sentences.threshold(lambda *_: start)
    assert threshold
    assert 0.2 / (0.2 + threshold) == pytest.approx(0.1)


def test_the_navigation_links_the_first_page_of_each_section() -> None:
    entries = [(entry.section, entry.address, entry.per_test_bed) for entry in navigation()]
    assert entries[0] == ("Answer", "index.html", True)
    assert ("Choose", "choose.html", False) in entries
    assert ("Releases", "releases.html", True) in entries  # release.py has the same section
    assert len({section for section, _, _ in entries}) == len(entries)
