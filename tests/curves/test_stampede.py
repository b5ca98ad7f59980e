"""Workers that connect at the same moment to a server with connections for half of them."""

import pytest

from harness.curves import stampede
from harness.curves.curve import CurveRecord, Point
from harness.curves.sections import stampede as section
from harness.curves.stampede import StampedeCurve
from harness.postgres.server import Server
from tests.support.curves import PROVENANCE, stampede_point

CURVE = StampedeCurve()


@pytest.mark.parametrize(
    ("pool", "retry", "rows"), [("pool", "none", 2), ("pool", "backoff", 2), ("nullpool", "backoff", 4)]
)
def test_trying_again_helps_nullpool_and_never_a_pool(
    server: Server, monkeypatch: pytest.MonkeyPatch, pool: str, retry: str, rows: int
) -> None:
    # However slow the machine is: sessions of earlier tests end, and all get a row that can.
    monkeypatch.setattr(stampede, "LOOKS", 20)
    # The worker that finds no place in a pool tries to the end.
    monkeypatch.setattr(stampede, "PATIENCE", 60.0 if pool == "nullpool" else 5.0)
    at = {"workers": 4, "free": 2, "distance": 0.0, "pool": pool, "retry": retry}
    found = CURVE.measure(at, server)
    if retry == "none":
        # Clients that are still being authenticated take connections too: together they can refuse
        # one another more often than the server's limit would have it.
        assert found["rows"][0] <= rows
        assert found["refused"][0] == 4 - found["rows"][0]
    else:
        assert found["rows"] == [rows]
    if pool == "pool":
        assert found["refused"][0] >= 2


def test_more_workers_than_the_server_has_connections_are_left_out(server: Server) -> None:
    at = {"workers": 500, "free": 500, "distance": 0.0, "pool": "pool", "retry": "none"}
    assert "connections left" in CURVE.refused(at, server)


def test_its_figure_has_the_workers_that_all_get_a_row() -> None:
    points = [
        stampede_point("pool", "backoff", 4),
        stampede_point("nullpool", "none", 4),
        stampede_point("nullpool", "none", 8, free=8),
        stampede_point("nullpool", "fixed", 8),
        Point({**stampede_point("nullpool", "fixed", 8).at, "distance": 0.01}, {"last": [0.2]}),
    ]
    svg = section.drawing(CurveRecord(PROVENANCE, points))
    assert svg.count("<polyline") == 3
    assert all(name in svg for name in (">enough connections<", ">half, fixed<", ">half, fixed, 10 ms away<"))


def test_its_laws_say_who_gets_a_row() -> None:
    record = CurveRecord(
        PROVENANCE,
        [
            stampede_point("pool", "backoff", 4),
            stampede_point("nullpool", "backoff", 8),
        ],
    )
    assert section.sentences(record) == [
        "Stampede: if the server has connections for half of the workers and the others retry,"
        " 100% of the workers get a row with NullPool, and 50% with a pool"
    ]
