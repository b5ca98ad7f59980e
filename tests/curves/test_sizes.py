"""Data in the parent: they are resident, and forked workers pay for them."""

import subprocess
import sys

import pytest

from harness.curves import sizes
from harness.curves.curve import CurveRecord
from harness.curves.sections import sizes as section
from harness.curves.sizes import ORDINARY, SizesCurve
from harness.postgres.server import Server
from harness.system import memory
from harness.system.memory import MIB
from tests.support.curves import PROVENANCE, SIZES, sizes_point

CURVE = SizesCurve()


@pytest.mark.parametrize("kind", ["dataframe", "numbers", ORDINARY, "objects"])
def test_all_of_the_data_is_resident(server: Server, kind: str) -> None:
    found = CURVE.measure({"strategy": sizes.FORKED, "kind": kind, "mib": 64}, server)
    assert found["rss"][0] > 64 * MIB
    assert min(*found["blocked"], *found["first_fork"]) > 0
    assert ("write_after" in found) == (kind != "dataframe")
    if kind in (ORDINARY, "objects"):
        assert found["huge"] == [0]


@pytest.mark.parametrize("kind", ["numbers", "objects"])
def test_every_page_of_it_is_written_when_it_is_built(kind: str) -> None:
    # In a new interpreter: this one may use memory again that earlier tests have freed.
    code = (
        "from harness.fleets.inside import data\nfrom harness.system import memory\n"
        f"before = memory.read()['uss']\nbuilt = data.build({kind!r}, 64)\n"
        "print(memory.read()['uss'] - before, len(built))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    written, length = map(int, done.stdout.split())
    assert written > 60 * MIB
    assert length


def test_what_needs_more_memory_than_is_free_is_refused_before_anything_starts(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = {"strategy": sizes.FORKED, "kind": "numbers", "mib": 4096}
    with monkeypatch.context() as patch:
        patch.setattr(memory, "available", lambda: 6000.0 * MIB)
        assert CURVE.refused(at, server) == "4 GiB are more than 60% of the 5.9 GiB that are free"


def test_the_coefficients_are_found_again() -> None:
    for found in sizes.costs(SIZES):
        assert dict(found.fork) == pytest.approx({0: 0.001, 1: 0.021, 4: 0.081})
        assert dict(found.once) == pytest.approx({0: 0, 1: 0.005, 4: 0.020})
        assert (found.library, found.copied) == (30 * MIB, 10 * MIB)
        assert found.tables == pytest.approx(2 * MIB)
        assert found.largest == 4096


def test_a_library_never_makes_a_fork_cheaper() -> None:
    points = [sizes_point("none", 0), sizes_point("numbers", 0), sizes_point("numbers", 1024)]
    points[0].values["each"] = [0.015]
    (found,) = sizes.costs(CurveRecord(PROVENANCE, points))
    assert dict(found.fork) == pytest.approx({0: 0, 1: 0.020})


def test_the_page_has_the_cost_of_a_gib_with_its_interval() -> None:
    page = "".join(section.section(SIZES))
    assert "| numbers | 11.0 | | 31.0 | | 91.0 | | 20 (20 to 20) |" in page.replace("  ", " ")
    assert "A million Python objects cost" in page
