"""A curve is measured in turns, continues where it was interrupted, and says what it leaves out."""

from collections.abc import Sequence

import pytest

from harness.curves import report
from harness.curves.bill import coefficients
from harness.curves.curve import At, CurvePlan, Samples, fit, measured
from harness.curves.sections import figure
from harness.postgres.server import Server
from harness.records.session import Parts
from harness.system.errors import PoolstartError
from tests.support.curves import DISTANCE, SIZES
from tests.support.fleets import TABLE


class Squares(CurvePlan):
    """A point is its number; the third one is too large."""

    name = "squares"

    def __init__(self, room: int = 3) -> None:
        self.visited: list[int] = []
        self.room = room

    def points(self) -> Sequence[At]:
        return [{"x": number} for number in (1, 2, 3)]

    def refused(self, at: At, server: Server) -> str:
        return "too large" if int(at["x"]) >= self.room else ""

    def measure(self, at: At, server: Server) -> Samples:
        self.visited.append(int(at["x"]))
        return {"square": [int(at["x"]) ** 2]}


def test_points_are_visited_in_turns_forwards_and_backwards(server: Server) -> None:
    plan, steps = Squares(), list[str]()
    record = measured(plan, server, visits=2, progress=steps.append)
    assert plan.visited == [1, 2, 2, 1]
    assert [point.values for point in record.points] == [{"square": [1, 1]}, {"square": [4, 4]}]
    assert record.left_out == ["x 3: too large"]
    assert steps[0] == "left out: x 3: too large"


def test_what_was_measured_before_an_interruption_is_not_measured_again(server: Server) -> None:
    parts = Parts()
    parts.add('squares 0 {"x": 1}', {"square": [1]})
    plan = Squares()
    record = measured(plan, server, visits=1, parts=parts)
    assert plan.visited == [2]
    assert len(record.points) == 2


def test_a_point_that_has_lost_its_room_stops_before_it_starts(server: Server) -> None:
    class Shrinking(Squares):
        def measure(self, at: At, server: Server) -> Samples:
            self.room = 2
            return super().measure(at, server)

    plan = Shrinking()
    with pytest.raises(PoolstartError, match="x 2: too large; the same command continues here"):
        measured(plan, server, visits=1)
    assert plan.visited == [1]


def test_a_line_has_an_interval_of_its_slope() -> None:
    exact = fit({0: [1.0], 1: [3.0], 2: [5.0]})
    assert (exact.base, exact.slope, *exact.interval) == pytest.approx((1, 2, 2, 2))
    bent = fit({0: [1.0], 1: [3.0], 2: [6.0]})
    low, high = bent.interval
    assert low < bent.slope < high
    assert fit({0: [1.0], 1: [3.0]}).interval == (-float("inf"), float("inf"))


def test_the_page_and_the_laws_have_each_curve_on_record() -> None:
    curves = {"sizes": SIZES, "distance": DISTANCE}
    known = coefficients(TABLE, curves)
    page, laws = report.render(curves, known), report.laws(curves, known)
    assert page.index("## Distance") < page.index("## Sizes")
    assert "by `poolstart record curves`" in page
    *_, distance, size, memory = laws.splitlines()
    assert distance == (
        "- Distance: the first row of a new engine takes 14 round trips to the server, and each further"
        " checkout from a pool 3 ([more](docs/curves.md#distance))."
    )
    assert "Size: a fork blocks its parent for 20 ms" in size
    assert (
        "Memory: 32 workers and their parent take 356 MiB under `fork_dispose`, 356 MiB under `spawn`"
        in memory
    )
    assert report.drawing("distance", curves)
    assert report.drawing("work", curves) is None


def test_a_figure_has_a_line_and_a_name_for_each() -> None:
    drawn = figure.svg("title", "x", "y", {"a": [(1, 1), (10, 10)], "b": [(1, 10), (10, 9.9)]})
    assert drawn.count("<polyline") == 2
    assert ">a</text>" in drawn
    # The names would lie on one another.
    places = [
        float(line.split('y="')[1].split('"')[0])
        for line in drawn.splitlines()
        if "fill:#" in line and "<text" in line
    ]
    assert abs(places[1] - places[0]) >= 14
