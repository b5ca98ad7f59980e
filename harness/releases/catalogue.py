"""The releases the suite can measure: every final SQLAlchemy release from 1.4.35 on, with its date.

`releases.json` beside this module maps each version to the time at which its first file was uploaded (UTC),
in version order. It is committed. Releases are added and never removed: asv ignores results of unknown
releases.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path

from packaging.version import InvalidVersion, Version

from harness.system import files
from harness.system.errors import PoolstartError

PATH = Path(__file__).with_name("releases.json")

FIRST = Version("1.4.35")
"""The oldest release on the index whose `Engine.dispose` accepts `close=False`."""


@dataclass(frozen=True)
class Release:
    """One SQLAlchemy release."""

    version: str
    """As its project writes it, for example `2.0.3`."""
    date: datetime
    """The upload time of its first file, in UTC."""

    @property
    def hash(self) -> str:
        """Its commit hash in asv, for example `2.0.03`.

        asv looks results up by a prefix of the hash, and `2.0.3` is a prefix of `2.0.36`. With a padded patch
        level no hash is a prefix of another, and pip accepts it as the same version. asv's file names contain
        its first 8 characters.
        """
        major, minor, patch = self.version.split(".")
        return f"{major}.{minor}.{int(patch):02}"

    @property
    def timestamp(self) -> int:
        """The date in milliseconds since 1970, as in JavaScript."""
        return int(self.date.timestamp() * 1000)


class Catalogue:
    """Releases in version order, and the lookup of their names."""

    def __init__(self, dates: Mapping[str, datetime]) -> None:
        self.releases = tuple(Release(version, dates[version]) for version in sorted(dates, key=Version))

    @classmethod
    def load(cls, path: Path) -> "Catalogue":
        """Read a list. Raises `PoolstartError` if the file is missing, damaged or empty."""
        with files.reading(path, "restore it with git"):
            entries = json.loads(path.read_text())
            if not entries:
                raise ValueError("it lists no release")
            return cls({version: upload_time(version, date) for version, date in entries.items()})

    def save(self, path: Path) -> None:
        """Write the list. Raises `PoolstartError` if that fails."""
        dates = {release.version: release.date.isoformat(timespec="seconds") for release in self.releases}
        files.write(path, json.dumps(dates, indent=2) + "\n")

    def extended(self, dates: Mapping[str, datetime]) -> "Catalogue":
        """This catalogue with the new releases in `dates`; known releases keep their dates."""
        return Catalogue({**dates, **{release.version: release.date for release in self.releases}})

    @property
    def newest(self) -> Release:
        return self.releases[-1]

    @cached_property
    def _positions(self) -> dict[Version, int]:
        return {Version(release.version): index for index, release in enumerate(self.releases)}

    def position(self, name: str) -> int | None:
        """The index in `releases` of the release called `name`, None if there is none.

        A name is a version in any spelling (`2.0.3`, `2.0.03`, `v2.0.3`), or SQLAlchemy's tag (`rel_2_0_3`).
        """
        tag = re.fullmatch(r"rel_(\d+)_(\d+)_(\d+)", name)
        try:
            return self._positions.get(Version(".".join(tag.groups()) if tag else name))
        except InvalidVersion:
            return None


def upload_time(version: str, date: str) -> datetime:
    """Parse an entry of the list. Raises `ValueError` if the version or its date cannot be in it."""
    if str(Version(version)) != version or not is_measurable(Version(version)):
        raise ValueError(f"{version!r} is not a measurable release")
    uploaded = datetime.fromisoformat(date)
    if uploaded.tzinfo is None:
        raise ValueError(f"the date of {version} has no time zone")
    return uploaded


def is_measurable(version: Version) -> bool:
    """Whether a release belongs in the catalogue: final, `major.minor.patch`, and not older than `FIRST`."""
    return (
        not (version.is_prerelease or version.is_postrelease)
        and len(version.release) == 3
        and version >= FIRST
    )


def first_uploads(files: Iterable[tuple[str, datetime]]) -> dict[str, datetime]:
    """The measurable releases among `files` (version, upload time), each with its earliest upload time."""
    dates: dict[str, datetime] = {}
    for text, uploaded in files:
        try:
            version = Version(text)
        except InvalidVersion:
            continue
        if is_measurable(version):
            dates[str(version)] = min(uploaded, dates.get(str(version), uploaded))
    return dates


@cache
def catalogue() -> Catalogue:
    """The committed list. Raises `PoolstartError` if it cannot be read."""
    return Catalogue.load(PATH)


def listed(name: str) -> str:
    """The version of the release called `name`. Raises `PoolstartError` if it is not in the list."""
    if (position := catalogue().position(name)) is None:
        raise PoolstartError(f"no release {name!r}", "`poolstart releases` lists them")
    return catalogue().releases[position].version
