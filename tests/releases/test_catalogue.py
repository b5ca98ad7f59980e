"""The list of releases provides what asv needs of commits."""

from datetime import UTC, datetime
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from packaging.version import Version

from harness.releases.catalogue import FIRST, Catalogue, catalogue, first_uploads

RELEASES = catalogue().releases


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def test_the_list_is_in_version_order_from_the_first_measurable_release() -> None:
    versions = [Version(release.version) for release in RELEASES]
    assert versions == sorted(set(versions))
    assert versions[0] == FIRST
    assert not any(version.is_prerelease for version in versions)


def test_a_hash_is_the_same_version_to_pip_fits_a_file_name_of_asv_and_begins_no_other() -> None:
    assert [each for each in RELEASES if Version(each.hash) != Version(each.version)] == []
    assert max(len(release.hash) for release in RELEASES) <= 8
    assert [(a, b) for a, b in permutations([r.hash for r in RELEASES], 2) if b.startswith(a)] == []


def test_every_release_has_a_date_in_utc_after_that_of_its_predecessor_in_the_series() -> None:
    assert {release.date.tzinfo for release in RELEASES} == {UTC}
    for older, newer in pairwise(RELEASES):
        if older.version.split(".")[:2] == newer.version.split(".")[:2]:
            assert older.date < newer.date, newer.version


@pytest.mark.parametrize("spelling", ["2.0.3", "2.0.03", "v2.0.3", "rel_2_0_3"])
def test_a_release_has_several_names(spelling: str) -> None:
    position = catalogue().position(spelling)
    assert RELEASES[position].version == "2.0.3"


@pytest.mark.parametrize("name", ["1.3.24", "2.0.999", "2.1.0b1", "main", "", "rel_2_0"])
def test_an_unlisted_name_has_no_position(name: str) -> None:
    assert catalogue().position(name) is None


def test_only_final_measurable_releases_are_taken_from_an_index() -> None:
    files = ["2.1.0", "2.1.0b1", "2.1.0rc1", "2.1.0.post1", "2.1.0.dev3", "1.4.32", "2.1", "not a version"]
    assert first_uploads((version, day(1)) for version in files) == {"2.1.0": day(1)}


def test_the_date_of_a_release_is_that_of_its_first_file() -> None:
    assert first_uploads([("2.1.0", day(3)), ("2.1.0", day(1)), ("2.1.0", day(2))]) == {"2.1.0": day(1)}


def test_extending_adds_in_version_order_and_does_not_change_known_releases() -> None:
    known = Catalogue({"2.0.9": day(1), "2.1.0": day(2)})
    extended = known.extended({"2.0.10": day(3), "2.1.0": day(9)})
    assert [(release.version, release.date) for release in extended.releases] == [
        ("2.0.9", day(1)),
        ("2.0.10", day(3)),
        ("2.1.0", day(2)),
    ]


def test_a_saved_list_is_read_back_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "releases.json"
    catalogue().save(path)
    assert Catalogue.load(path).releases == RELEASES
