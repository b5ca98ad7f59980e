"""Releases behave as commits: names, parents, ranges, branches, tags."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from asv.repo import NoSuchNameError, get_repo
from asv.util import UserError

from harness.releases import repo as module
from harness.releases.catalogue import Catalogue
from harness.releases.repo import BRANCH, Releases

VERSIONS = ["1.4.53", "1.4.54", "2.0.0", "2.0.3", "2.0.36", "2.1.0"]
HASHES = ["1.4.53", "1.4.54", "2.0.00", "2.0.03", "2.0.36", "2.1.00"]


@pytest.fixture
def repo(monkeypatch: pytest.MonkeyPatch) -> Releases:
    known = Catalogue({version: datetime(2026, 1, n + 1, tzinfo=UTC) for n, version in enumerate(VERSIONS)})
    monkeypatch.setattr(module, "catalogue", lambda: known)
    repo = get_repo(SimpleNamespace(repo="pypi+sqlalchemy", project="sqlalchemy", dvcs=None))
    assert isinstance(repo, Releases)
    return repo


@pytest.mark.parametrize(
    ("name", "hash_"),
    [
        ("2.0.3", "2.0.03"),
        ("v2.0.36", "2.0.36"),
        ("rel_2_0_0", "2.0.00"),
        ("HEAD", "2.1.00"),
        (None, "2.1.00"),
        ("HEAD^", "2.0.36"),
        ("2.0.3^^", "1.4.54"),
    ],
)
def test_a_name_becomes_a_hash(repo: Releases, name: str | None, hash_: str) -> None:
    assert repo.get_hash_from_name(name) == hash_


@pytest.mark.parametrize("name", ["1.3.24", "2.0.3~", "", "1.4.53^"])
def test_an_unknown_name_is_one_line_in_every_command_of_asv(repo: Releases, name: str) -> None:
    """Some of its commands catch the one exception, some the other."""
    for lookup in (repo.get_hash_from_name, repo.get_hashes_from_range, repo.get_date):
        with pytest.raises(NoSuchNameError) as error:
            lookup(name)
        assert isinstance(error.value, UserError)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("spec", "hashes"),
    [
        ("2.0.3", ["2.0.03"]),
        ("HEAD^!", ["2.1.00"]),
        ("1.4.54..2.0.36", ["2.0.36", "2.0.03", "2.0.00"]),
        ("2.0.0^..2.0.3", ["2.0.03", "2.0.00"]),
        ("2.0.3..", ["2.1.00", "2.0.36"]),
        ("..1.4.54", ["1.4.54", "1.4.53"]),
        ("2.0.3..2.0.3", []),
        (BRANCH, HASHES[::-1]),
    ],
)
def test_a_range_becomes_hashes_newest_first(repo: Releases, spec: str, hashes: list[str]) -> None:
    assert repo.get_hashes_from_range(spec) == hashes


@pytest.mark.parametrize("spec", ["2.1.0..2.0.0", "HEAD..2.0.36"])
def test_a_range_that_begins_with_the_newer_release_is_refused(repo: Releases, spec: str) -> None:
    with pytest.raises(UserError, match=r"is no range: .* is older than .*; swap them"):
        repo.get_hashes_from_range(spec)


@pytest.mark.parametrize("spec", ["2.0.4..2.0.36", "2.0.0...2.0.3", "nope^!"])
def test_a_range_with_an_unknown_end_is_refused(repo: Releases, spec: str) -> None:
    with pytest.raises(UserError, match="is not a SQLAlchemy release"):
        repo.get_hashes_from_range(spec)


def test_ranges_that_asv_makes_itself(repo: Releases) -> None:
    assert repo.get_hashes_from_range(repo.get_range_spec("2.0.00", "2.0.36")) == ["2.0.36", "2.0.03"]
    assert repo.get_hashes_from_range(repo.get_new_range_spec("2.0.03", BRANCH)) == ["2.1.00", "2.0.36"]
    assert repo.get_new_branch_commits([BRANCH], {"1.4.53", "2.0.03"}) == ["2.1.00", "2.0.36"]
    assert repo.get_hash_from_parent("2.0.00") == "1.4.54"


def test_the_only_branch_holds_every_release(repo: Releases) -> None:
    assert repo.get_branch_commits(BRANCH) == repo.get_branch_commits(None) == HASHES[::-1]
    with pytest.raises(NoSuchNameError):
        repo.get_branch_commits("main")


def test_revisions_are_numbered_in_version_order_without_unknown_hashes(repo: Releases) -> None:
    assert repo.get_revisions({"2.1.00", "1.4.54", "0.9.00"}) == {"1.4.54": 1, "2.1.00": 5}


def test_a_tag_is_its_own_hash(repo: Releases) -> None:
    assert repo.get_tags() == {hash_: hash_ for hash_ in HASHES}


@pytest.mark.parametrize(("hash_", "name"), [("2.0.03", "2.0.3"), ("2.0.36", None), ("0.9.00", None)])
def test_a_padded_hash_is_shown_with_its_version(repo: Releases, hash_: str, name: str | None) -> None:
    assert repo.get_name_from_hash(hash_) == name


def test_dates_are_milliseconds(repo: Releases) -> None:
    assert repo.get_date("1.4.53") == repo.get_date_from_name("1.4.53") == 1767225600000
