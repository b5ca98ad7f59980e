"""The releases the suite can measure: every final SQLAlchemy release from 1.4.35 on, with its date.

`releases.json` beside this module maps version to the moment its first file was uploaded (UTC), in
version order. It is committed and only ever grows: asv ignores results of a release it does not know.
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
"""The oldest release on the index whose `Engine.dispose` takes `close=False`."""


@dataclass(frozen=True)
class Release:
    """One SQLAlchemy release."""

    version: str
    """As people write it, for example `2.0.3`."""
    date: datetime
    """When its first file was uploaded, UTC."""

    @property
    def hash(self) -> str:
        """What asv knows it by, for example `2.0.03`.

        asv looks results up by prefix, and `2.0.3` begins `2.0.36`; a padded patch level does not,
        and pip takes either. asv's file names keep 8 characters of it.
        """
        major, minor, patch = self.version.split(".")
        return f"{major}.{minor}.{int(patch):02}"

    @property
    def timestamp(self) -> int:
        """The date as JavaScript counts: milliseconds since 1970."""
        return int(self.date.timestamp() * 1000)


class Catalogue:
    """Releases in version order, and the names they go by."""

    def __init__(self, dates: Mapping[str, datetime]) -> None:
        self.releases = tuple(Release(version, dates[version]) for version in sorted(dates, key=Version))

    @classmethod
    def load(cls, path: Path) -> "Catalogue":
        with files.understood(path, "restore it with git"):
            written = json.loads(path.read_text())
            if not written:
                raise ValueError("it lists no release")
            return cls({version: moment(version, date) for version, date in written.items()})

    def save(self, path: Path) -> None:
        dates = {release.version: release.date.isoformat(timespec="seconds") for release in self.releases}
        files.write(path, json.dumps(dates, indent=2) + "\n")

    def extended(self, dates: Mapping[str, datetime]) -> "Catalogue":
        """This catalogue and what is new in `dates`; what is known stays as it is."""
        return Catalogue({**dates, **{release.version: release.date for release in self.releases}})

    @property
    def newest(self) -> Release:
        return self.releases[-1]

    @cached_property
    def _positions(self) -> dict[Version, int]:
        return {Version(release.version): index for index, release in enumerate(self.releases)}

    def position(self, name: str) -> int | None:
        """Where the release called `name` stands, None when there is none.

        A release is called by its version in any spelling (`2.0.3`, `2.0.03`, `v2.0.3`) or by
        SQLAlchemy's tag (`rel_2_0_3`).
        """
        tag = re.fullmatch(r"rel_(\d+)_(\d+)_(\d+)", name)
        try:
            return self._positions.get(Version(".".join(tag.groups()) if tag else name))
        except InvalidVersion:
            return None


def moment(version: str, date: str) -> datetime:
    """When a listed release was uploaded; raises `ValueError` for what cannot be in the list."""
    if str(Version(version)) != version or not is_measurable(Version(version)):
        raise ValueError(f"{version!r} is no measurable release")
    uploaded = datetime.fromisoformat(date)
    if uploaded.tzinfo is None:
        raise ValueError(f"the date of {version} has no time zone")
    return uploaded


def is_measurable(version: Version) -> bool:
    """Whether a release belongs in the catalogue: final, `major.minor.patch`, not too old."""
    return (
        not (version.is_prerelease or version.is_postrelease)
        and len(version.release) == 3
        and version >= FIRST
    )


def first_uploads(files: Iterable[tuple[str, datetime]]) -> dict[str, datetime]:
    """The measurable releases among `files` (version, upload time), each with its earliest upload."""
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
    """The committed list."""
    return Catalogue.load(PATH)


def listed(name: str) -> str:
    """The version of a listed release, however it is called."""
    if (position := catalogue().position(name)) is None:
        raise PoolstartError(f"no release {name!r}", "`poolstart releases` lists them")
    return catalogue().releases[position].version
