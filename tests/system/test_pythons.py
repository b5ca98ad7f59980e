"""Pythons are distinguished by minor version and kind of build."""

import pytest

from harness.releases import environment
from harness.system import pythons


@pytest.mark.parametrize(
    ("version", "minor", "full"),
    [
        ("3.14.10 (main, Oct 26 2026, 15:12:11) [GCC 16.2.0]", "3.14", "3.14.10"),
        ("3.14.0 free-threading build (main, Oct 7 2025) [Clang 20]", "3.14t", "3.14.0t"),
        ("3.13.1 experimental free-threading build (main) [GCC 13]", "3.13t", "3.13.1t"),
        ("3.11.7", "3.11", "3.11.7"),
        ("3.14", "3.14", "3.14"),
    ],
)
def test_a_version_names_its_series(version: str, minor: str, full: str) -> None:
    assert pythons.minor(version) == minor
    assert pythons.full(version) == full
    # What a record stores leads to the same series.
    assert pythons.minor(pythons.full(version)) == minor


def test_results_of_a_free_threaded_build_are_a_series_of_their_own() -> None:
    assert environment.build_tags("3.14.0 free-threading build (main)") == {"build": "free-threaded"}
    assert environment.build_tags("3.14.10 (main)") == {}
