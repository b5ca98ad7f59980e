"""The catalogue of releases as a repository, in asv's terms."""

import os
from collections.abc import Sequence

from asv.repo import NoSuchNameError, Repo
from asv.util import UserError

from harness.releases.catalogue import Release, catalogue
from harness.releases.errors import as_asv_error
from harness.system.errors import PoolstartError

BRANCH = "releases"
"""The only branch: all releases in version order."""

HEAD = "HEAD"


class UnknownRelease(UserError, NoSuchNameError):
    """A name that is not a release.

    Some of asv's commands catch `NoSuchNameError` and continue; all of them print a `UserError` as one line.
    """


class Releases(Repo):
    """SQLAlchemy's releases as commits: the hash is the padded version, the parent is the release before.

    A name is one that `Catalogue.position` knows, or `HEAD` or the branch for the newest release, followed by
    one `^` for each step back. A range is `a..b`, `a..`, `..b`, `x^!`, the branch for all releases, or a name
    for that release alone. Methods raise `UnknownRelease` for anything else.
    """

    dvcs = "releases"
    _default_branch = BRANCH

    def __init__(self, url: str, mirror_path: str) -> None:
        with as_asv_error():
            self._catalogue = catalogue()

    @classmethod
    def url_match(cls, url: str) -> bool:
        return url == "pypi+sqlalchemy"

    def pull(self) -> None:
        """Do nothing, since the list is committed, and `poolstart releases update` extends it."""

    def checkout(self, path: str, commit_hash: str) -> None:
        """Create the directory in which asv runs its commands; there is no source to check out."""
        os.makedirs(path, exist_ok=True)

    def get_hash_from_name(self, name: str | None) -> str:
        return self._release(HEAD if name is None else name).hash

    def get_hash_from_parent(self, name: str) -> str:
        return self.get_hash_from_name(f"{name}^")

    def get_name_from_hash(self, commit: str) -> str | None:
        """The version as its project writes it; None if that is the hash, or if the release is unknown."""
        position = self._catalogue.position(commit)
        if position is None:
            return None
        version = self._catalogue.releases[position].version
        return None if version == commit else version

    def get_hashes_from_range(self, range_spec: str) -> list[str]:
        """The releases of a range, the newest first. Raises `UserError` if its ends are swapped."""
        if range_spec == BRANCH:
            return self.get_branch_commits(BRANCH)
        older, dots, newer = range_spec.partition("..")
        if dots:
            first = self._position(older) + 1 if older else 0
            last = self._position(newer or HEAD)
            if first > last + 1:
                raise UserError(f"{range_spec} is no range: {newer} is older than {older}; swap them")
        else:
            first = last = self._position(range_spec.removesuffix("^!"))
        return [release.hash for release in reversed(self._catalogue.releases[first : last + 1])]

    def get_range_spec(self, commit_a: str, commit_b: str) -> str:
        return f"{commit_a}..{commit_b}"

    def get_new_range_spec(self, latest_result: str, branch: str | None = None) -> str:
        return self.get_range_spec(latest_result, self.get_branch_name(branch))

    def get_branch_commits(self, branch: str | None) -> list[str]:
        if self.get_branch_name(branch) != BRANCH:
            raise UnknownRelease(f"there is no branch {branch!r}; the only one is {BRANCH!r}")
        return [release.hash for release in reversed(self._catalogue.releases)]

    def get_revisions(self, commits: set[str]) -> dict[str, int]:
        """The index of each known release in version order: the x axis of every graph."""
        return {
            release.hash: number
            for number, release in enumerate(self._catalogue.releases)
            if release.hash in commits
        }

    def get_tags(self) -> dict[str, str]:
        """A tag for every release, equal to its hash, because `asv run TAGS` uses tag names as hashes."""
        return {release.hash: release.hash for release in self._catalogue.releases}

    def get_date(self, commit: str) -> int:
        return self._release(commit).timestamp

    def get_date_from_name(self, name: str) -> int:
        return self.get_date(name)

    def _release(self, name: str) -> Release:
        return self._catalogue.releases[self._position(name)]

    def _position(self, name: str) -> int:
        base = name.rstrip("^")
        known = self._catalogue.releases
        position = len(known) - 1 if base in (HEAD, BRANCH) else self._catalogue.position(base)
        if position is None:
            raise UnknownRelease(
                f"{base!r} is not a SQLAlchemy release in the list, which goes from {known[0].version} to "
                f"{known[-1].version} without pre-releases; `poolstart releases` shows it, "
                "`poolstart releases update` brings it up to date"
            )
        position -= len(name) - len(base)
        if position < 0:
            raise UnknownRelease(f"{name!r} lies before {known[0].version}, the oldest release in the list")
        return position


def releases_of(ranges: Sequence[str]) -> list[Release]:
    """The releases of ranges, in version order; all releases if there is no range.

    A range has the form that `asv run` accepts: `2.0.50..2.1.9`, `2.1.9` and others, see `Releases`. Raises
    `UserError` if one is wrong, and `PoolstartError` if it names no release.
    """
    branch = Releases("pypi+sqlalchemy", "")
    hashes: set[str] = set()
    for each in ranges or [BRANCH]:
        found = branch.get_hashes_from_range(each)
        if not found:
            raise PoolstartError(f"{each} names no release", "`a..b` are the releases after a, up to b")
        hashes |= set(found)
    return [release for release in catalogue().releases if release.hash in hashes]
